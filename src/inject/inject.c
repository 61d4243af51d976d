/* SPDX-License-Identifier: Apache-2.0 */
/* inject: puts into the copy of a pod what it lacks. */
#include "inject/inject.h"

#include <string.h>

#include "base/panic.h"
#include "codec/json_tree.h"
#include "inject/ask.h"
#include "inject/container.h"
#include "inject/wishes.h"

#define GRACE_DEFAULT_S 30 /* terminationGracePeriodSeconds */
#define DRAIN_DEFAULT_S 25 /* what the agent waits at most, by itself */
#define DRAIN_ROOM_S 5     /* of the grace period, for the application's own end */
#define VOLUME_SIZE "4Mi"  /* far more than a bootstrap takes */

struct injection {
    enum inject_mode mode;
    struct container_plan plan;
    json_t *spec;
    json_t *left_alone; /* "container: what", for the annotation */
    struct arena scratch;
};

/* The member, made when it is missing. */
static json_t *ensure(json_t *object, const char *key, json_t *(*make)(void))
{
    json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value)) {
        value = make();
        json_object_set_new(object, key, value);
    }
    return value;
}

/* --- the pod --------------------------------------------------------------------------------- */

/* Of the grace period, which the hook is part of, something must be left for the application. */
static unsigned drain_wait(const json_t *spec)
{
    const json_t *grace = json_object_get(spec, "terminationGracePeriodSeconds");
    json_int_t seconds = json_is_integer(grace) ? json_integer_value(grace) : GRACE_DEFAULT_S;
    if (seconds >= DRAIN_DEFAULT_S + DRAIN_ROOM_S) {
        return 0;
    }
    json_int_t wait = seconds >= 2 * DRAIN_ROOM_S ? seconds - DRAIN_ROOM_S : seconds / 2;
    return wait > 0 ? (unsigned)wait : 1;
}

/* Puts the container at index *at, or leaves the one of its name where it is; *at goes on. Takes
 * the container. */
static void put_init(json_t *array, json_t *container, size_t *at)
{
    const char *name = json_string_value(json_object_get(container, "name"));
    if (inject_named(array, name) != NULL) {
        json_decref(container);
        return;
    }
    json_array_insert_new(array, *at, container);
    ++*at;
}

/* Before all of the application's own, which may need the network. */
static void add_containers(struct injection *injection)
{
    size_t at = 0;
    json_t *init = ensure(injection->spec, "initContainers", json_array);
    if (injection->mode == INJECT_PROXYLESS) {
        put_init(init, container_agent(&injection->plan), &at);
        return;
    }
    if (!injection->plan.wishes->cni) {
        put_init(init, container_intercept(&injection->plan), &at);
    }
    put_init(init, container_proxy(&injection->plan), &at);
}

/* In memory: of a pod with a volume on its node's disk the Cluster Autoscaler thinks that it would
 * lose something, and keeps the node for it. */
static void add_volume(struct injection *injection)
{
    json_t *volumes = ensure(injection->spec, "volumes", json_array);
    if (inject_named(volumes, CONTAINER_VOLUME) == NULL) {
        json_array_append_new(volumes,
                              json_pack("{s:s, s:{s:s, s:s}}", "name", CONTAINER_VOLUME, "emptyDir",
                                        "medium", "Memory", "sizeLimit", VOLUME_SIZE));
    }
}

/* --- the application's containers ------------------------------------------------------------ */

static bool is_ours(const json_t *container)
{
    static const char *const names[] = {CONTAINER_INTERCEPT, CONTAINER_PROXY, CONTAINER_AGENT};
    struct str name = json_tree_text_at(container, "name");
    bool ours = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ours = ours || str_eq(name, str_from(names[i]));
    }
    return ours;
}

static void leave_alone(struct injection *injection, const json_t *container, const char *what)
{
    struct str name = json_tree_text_at(container, "name");
    struct str text = arena_printf(&injection->scratch, "%.*s: %s", STR_FMT(name), what);
    json_array_append_new(injection->left_alone, json_tree_string(text));
}

static void add_pre_stop(struct injection *injection, json_t *container)
{
    json_t *hook = container_pre_stop();
    const json_t *own = inject_at(container, "lifecycle", "preStop", NULL);
    if (own == NULL || json_is_null(own)) {
        json_object_set_new(ensure(container, "lifecycle", json_object), "preStop", hook);
        return;
    }
    /* What the API server fills in stands beside what was written. */
    const json_t *path = inject_at(own, "httpGet", "path", NULL);
    const json_t *port = inject_at(own, "httpGet", "port", NULL);
    if (!json_equal(path, inject_at(hook, "httpGet", "path", NULL)) ||
        !json_equal(port, inject_at(hook, "httpGet", "port", NULL))) {
        leave_alone(injection, container, "preStop");
    }
    json_decref(hook);
}

/* Where gRPC finds its bootstrap; a container that has one of its own keeps that. */
static void add_bootstrap(struct injection *injection, json_t *container)
{
    static const char *const names[] = {"GRPC_XDS_BOOTSTRAP", "GRPC_XDS_BOOTSTRAP_CONFIG"};
    json_t *env = ensure(container, "env", json_array);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const json_t *own = inject_named(env, names[i]);
        if (own != NULL &&
            !str_eq(json_tree_text_at(own, "value"), STR(CONTAINER_GRPC_BOOTSTRAP))) {
            leave_alone(injection, container, names[i]);
            return;
        }
    }
    if (inject_named(env, names[0]) == NULL) {
        json_array_append_new(
            env, json_pack("{s:s, s:s}", "name", names[0], "value", CONTAINER_GRPC_BOOTSTRAP));
    }
    json_t *mounts = ensure(container, "volumeMounts", json_array);
    if (inject_named(mounts, CONTAINER_VOLUME) == NULL) {
        json_array_append_new(mounts, json_pack("{s:s, s:s, s:b}", "name", CONTAINER_VOLUME,
                                                "mountPath", CONTAINER_GRPC_DIR, "readOnly", 1));
    }
}

static void change_application(struct injection *injection)
{
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(injection->spec, "containers"), i, container)
    {
        if (!json_is_object(container)) {
            continue;
        }
        add_pre_stop(injection, container);
        if (injection->mode == INJECT_PROXYLESS) {
            add_bootstrap(injection, container);
        }
    }
    json_array_foreach(json_object_get(injection->spec, "initContainers"), i, container)
    {
        if (injection->mode == INJECT_PROXYLESS && json_is_object(container) &&
            !is_ours(container)) {
            add_bootstrap(injection, container);
        }
    }
}

/* --- the answer ------------------------------------------------------------------------------ */

static void set_status(struct injection *injection, json_t *pod)
{
    json_t *status =
        json_pack("{s:s, s:s}", "mode", injection->mode == INJECT_SIDECAR ? "sidecar" : "proxyless",
                  "version", HEDDLE_VERSION);
    if (json_array_size(injection->left_alone) > 0) {
        json_object_set(status, "leftAlone", injection->left_alone);
    }
    char *text = json_dumps(status, JSON_COMPACT);
    ASSERT(text != NULL);
    json_t *metadata = ensure(pod, "metadata", json_object);
    json_object_set_new(ensure(metadata, "annotations", json_object), INJECT_STATUS,
                        json_string(text));
    free(text);
    json_decref(status);
}

/* Whether all that is read as an object or array is one: what is not, the API server refuses. */
static bool has_shape(const json_t *pod)
{
    static const char *const arrays[] = {"initContainers", "containers", "volumes"};
    const json_t *metadata = json_object_get(pod, "metadata");
    const json_t *annotations = json_object_get(metadata, "annotations");
    bool ok = (metadata == NULL || json_is_object(metadata)) &&
              (annotations == NULL || json_is_null(annotations) || json_is_object(annotations));
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        const json_t *array = inject_at(pod, "spec", arrays[i], NULL);
        ok = ok && (array == NULL || json_is_null(array) || json_is_array(array));
    }
    return ok;
}

static void change(const struct inject_settings *settings, const struct inject_question *question,
                   enum inject_mode mode, const struct wishes *wishes, struct inject_answer *answer)
{
    struct injection injection = {
        .mode = mode,
        .plan = {.settings = settings,
                 .wishes = wishes,
                 .drain_wait_s = drain_wait(json_object_get(question->pod, "spec"))},
        .left_alone = json_array(),
    };
    arena_init(&injection.scratch);
    json_t *pod = json_deep_copy(question->pod);
    ASSERT(pod != NULL);
    injection.spec = json_object_get(pod, "spec");
    add_containers(&injection);
    add_volume(&injection);
    change_application(&injection);
    set_status(&injection, pod);
    if (json_equal(pod, question->pod)) {
        json_decref(pod);
        answer->reason = STR("it has all that heddle puts into pods");
        answer->asked = false;
    } else {
        answer->outcome = INJECT_DONE;
        answer->pod = pod;
    }
    json_decref(injection.left_alone);
    arena_release(&injection.scratch);
}

void inject_pod(const struct inject_settings *settings, const struct inject_question *question,
                struct arena *arena, struct inject_answer *ret_answer)
{
    struct err err;
    struct wishes wishes;
    struct inject_answer answer = {.outcome = INJECT_SKIPPED};
    enum inject_mode mode = inject_ask(settings, question, arena, &answer.asked, &answer.reason);
    if (mode == INJECT_NOTHING) {
        *ret_answer = answer;
        return;
    }
    if (!has_shape(question->pod)) {
        answer.reason = STR("it is no pod");
    } else if (!wishes_read(inject_at(question->pod, "metadata", "annotations", NULL), &wishes,
                            &err)) {
        answer.outcome = INJECT_REFUSED;
        answer.reason = arena_str(arena, str_from(err.text));
    } else {
        change(settings, question, mode, &wishes, &answer);
    }
    *ret_answer = answer;
}
