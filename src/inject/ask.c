/* SPDX-License-Identifier: Apache-2.0 */
/* ask: labels first, then what cannot be intercepted or changed. */
#include "inject/ask.h"

#include <stdarg.h>

#include "model/membership.h"

#include "codec/json_tree.h"

json_t *inject_at(const json_t *object, ...)
{
    va_list keys;
    const json_t *value = object;
    va_start(keys, object);
    for (const char *key; value != NULL && (key = va_arg(keys, const char *)) != NULL;) {
        value = json_object_get(value, key);
    }
    va_end(keys);
    return (json_t *)(uintptr_t)value;
}

json_t *inject_named(const json_t *array, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item)
    {
        if (str_eq(json_tree_text_at(item, "name"), str_from(name))) {
            return item;
        }
    }
    return NULL;
}

/* --- who asks -------------------------------------------------------------------------------- */

/* "label 'heddle.dev/inject' of the pod", or of the namespace, whose label may be either one. */
static enum inject_mode read_label(struct arena *arena, struct str owner, struct str value,
                                   bool *ret_asked, struct str *ret_reason)
{
    static const enum inject_mode modes[] = {
        [MEMBERSHIP_SIDECAR] = INJECT_SIDECAR,
        [MEMBERSHIP_PROXYLESS] = INJECT_PROXYLESS,
        [MEMBERSHIP_DISABLED] = INJECT_NOTHING,
    };
    enum membership membership = membership_of(value);
    if (membership != MEMBERSHIP_NONE) {
        *ret_asked = modes[membership] != INJECT_NOTHING;
        *ret_reason = arena_printf(arena, "%.*s is '%.*s'", STR_FMT(owner), STR_FMT(value));
        return modes[membership];
    }
    *ret_asked = true;
    *ret_reason =
        arena_printf(arena, "%.*s is '%.*s'; " MEMBERSHIP_REMEDY, STR_FMT(owner), STR_FMT(value));
    return INJECT_NOTHING;
}

static enum inject_mode who_asks(const struct inject_question *question, struct arena *arena,
                                 bool *ret_asked, struct str *ret_reason)
{
    static const char *const labels[] = {INJECT_LABEL, INJECT_CSM_LABEL};
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        const json_t *value = inject_at(question->pod, "metadata", "labels", labels[i], NULL);
        if (value != NULL) {
            return read_label(arena, arena_printf(arena, "label '%s' of the pod", labels[i]),
                              json_tree_text(value), ret_asked, ret_reason);
        }
    }
    if (question->ns_label.len > 0) {
        return read_label(arena, STR("the label of the namespace"), question->ns_label, ret_asked,
                          ret_reason);
    }
    *ret_reason = STR("neither the pod nor its namespace has the label '" INJECT_LABEL "'");
    return INJECT_NOTHING;
}

/* --- what stands against it ------------------------------------------------------------------- */

bool inject_is_system(struct str ns)
{
    static const struct str namespaces[] = {STR("kube-system"), STR("kube-node-lease"),
                                            STR("kube-public")};
    for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
        if (str_eq(ns, namespaces[i])) {
            return true;
        }
    }
    return false;
}

/* Pods without which there is no cluster, or no mesh. */
static struct str system_pod(const struct inject_settings *settings,
                             const struct inject_question *question, struct arena *arena)
{
    return str_eq(question->ns, settings->ns) || inject_is_system(question->ns)
               ? arena_printf(arena, "pods of namespace '%.*s' are never in the mesh",
                              STR_FMT(question->ns))
               : STR_NULL;
}

static struct str foreign_pod(const struct inject_question *question)
{
    const json_t *spec = inject_at(question->pod, "spec", NULL);
    if (!json_is_object(spec)) {
        return STR("it has no spec");
    }
    if (inject_at(question->pod, "metadata", "annotations", "kubernetes.io/config.mirror", NULL) !=
        NULL) {
        return STR("it mirrors a static pod, which a kubelet made from a file");
    }
    if (str_eq(json_tree_text(inject_at(spec, "os", "name", NULL)), STR("windows")) ||
        str_eq(json_tree_text(inject_at(spec, "nodeSelector", "kubernetes.io/os", NULL)),
               STR("windows"))) {
        return STR("it is for Windows, where heddle does not run");
    }
    return STR_NULL;
}

static bool is_proxy_uid(const json_t *security)
{
    return json_integer_value(json_object_get(security, "runAsUser")) == INJECT_PROXY_UID;
}

/* A container of the application that would run with the proxy's user id: its traffic would pass
 * by the proxy. */
static struct str not_interceptable(const json_t *spec, struct arena *arena)
{
    size_t i;
    json_t *container;
    if (json_is_true(json_object_get(spec, "hostNetwork"))) {
        return STR("hostNetwork: a sidecar must not intercept the traffic of its node; gRPC can do "
                   "without: label '" INJECT_LABEL ": proxyless'");
    }
    bool inherited = is_proxy_uid(json_object_get(spec, "securityContext"));
    json_array_foreach(json_object_get(spec, "containers"), i, container)
    {
        const json_t *own = json_object_get(container, "securityContext");
        bool says = json_object_get(own, "runAsUser") != NULL;
        if (says ? is_proxy_uid(own) : inherited) {
            return arena_printf(
                arena,
                "container '%.*s' runs with user id %d, which is the proxy's and is "
                "never intercepted; choose another one",
                STR_FMT(json_tree_text_at(container, "name")), INJECT_PROXY_UID);
        }
    }
    return STR_NULL;
}

static struct str taken_volume(const json_t *spec)
{
    const json_t *init = json_object_get(spec, "initContainers");
    bool ours =
        inject_named(init, "heddle-proxy") != NULL || inject_named(init, "heddle-agent") != NULL;
    return !ours && inject_named(json_object_get(spec, "volumes"), "heddle") != NULL
               ? STR("it has a volume 'heddle' of its own; give that another name")
               : STR_NULL;
}

enum inject_mode inject_ask(const struct inject_settings *settings,
                            const struct inject_question *question, struct arena *arena,
                            bool *ret_asked, struct str *ret_reason)
{
    *ret_asked = false;
    enum inject_mode mode = who_asks(question, arena, ret_asked, ret_reason);
    if (mode == INJECT_NOTHING) {
        return mode;
    }
    const json_t *spec = inject_at(question->pod, "spec", NULL);
    struct str against = system_pod(settings, question, arena);
    if (against.len == 0) {
        against = foreign_pod(question);
    }
    if (against.len == 0 && mode == INJECT_SIDECAR) {
        against = not_interceptable(spec, arena);
    }
    if (against.len == 0) {
        against = taken_volume(spec);
    }
    if (against.len > 0) {
        *ret_reason = against;
        return INJECT_NOTHING;
    }
    return mode;
}
