/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container: what runs beside the application (docs/agent.md), with the least rights: all but
 * heddle-intercept fit into restricted Pod Security.
 */
#include "inject/container.h"

#include <string.h>

#include "base/panic.h"
#include "codec/json_tree.h"
#include "kube/downward.h"

#define DEFAULT_NS "heddle-system"
#define DEFAULT_DOMAIN "cluster.local"
#define XDS_PORT 15010
#define CONTROL_PORT 15012
#define STARTUP_TRIES 30 /* of a probe that waits up to 10 s for its answer */

/* A text argument, formatted. */
static void add_arg(json_t *args, struct arena *arena, const char *option, struct str value)
{
    struct str text = arena_printf(arena, "--%s=%.*s", option, STR_FMT(value));
    json_array_append_new(args, json_tree_string(text));
}

/* Where heddle is, when it is not where the agent looks for it. */
static void add_addresses(json_t *args, struct arena *arena, const struct inject_settings *settings)
{
    struct str ns = settings->ns, domain = settings->cluster_domain;
    if (str_eq(ns, STR(DEFAULT_NS)) && str_eq(domain, STR(DEFAULT_DOMAIN))) {
        return;
    }
    struct str host = arena_printf(arena, "heddle.%.*s.svc.%.*s", STR_FMT(ns), STR_FMT(domain));
    add_arg(args, arena, "xds", arena_printf(arena, "%.*s:%d", STR_FMT(host), XDS_PORT));
    add_arg(args, arena, "control", arena_printf(arena, "%.*s:%d", STR_FMT(host), CONTROL_PORT));
}

static void add_drain_wait(json_t *args, struct arena *arena, unsigned seconds)
{
    if (seconds > 0) {
        add_arg(args, arena, "drain-wait-s", arena_printf(arena, "%u", seconds));
    }
}

/* The lists of what is not intercepted, as options of the same names. */
static void add_exclusions(json_t *args, struct arena *arena, const struct wishes *wishes)
{
    for (int i = WISH_EXCLUDE_OUTBOUND_PORTS; i <= WISH_EXCLUDE_UIDS; i++) {
        if (wishes->values[i].len > 0) {
            const char *option = wish_annotation((enum wish)i) + strlen("heddle.dev/");
            add_arg(args, arena, option, wishes->values[i]);
        }
    }
}

static json_t *env_of_pod(void)
{
    json_t *env = downward_env();
    downward_add(env, "SERVICE_ACCOUNT", "spec.serviceAccountName");
    return env;
}

static void set_quantity(json_t *resources, const char *sort, const char *name, struct str value)
{
    if (value.len == 0) {
        return;
    }
    json_t *quantities = json_object_get(resources, sort);
    if (quantities == NULL) {
        quantities = json_object();
        json_object_set_new(resources, sort, quantities);
    }
    json_object_set_new(quantities, name, json_tree_string(value));
}

/* A limit that is less than what is requested by default would be refused: then it is requested. */
static struct str requested(struct str wish, struct str limit, struct str fallback)
{
    return wish.len > 0 ? wish : limit.len > 0 ? limit : fallback;
}

static json_t *resources_of(const struct wishes *wishes, struct str cpu, struct str memory)
{
    const struct str *values = wishes->values;
    json_t *resources = json_object();
    set_quantity(resources, "requests", "cpu",
                 requested(values[WISH_CPU], values[WISH_CPU_LIMIT], cpu));
    set_quantity(resources, "requests", "memory",
                 requested(values[WISH_MEMORY], values[WISH_MEMORY_LIMIT], memory));
    set_quantity(resources, "limits", "cpu", values[WISH_CPU_LIMIT]);
    set_quantity(resources, "limits", "memory", values[WISH_MEMORY_LIMIT]);
    return resources;
}

static json_t *unprivileged(void)
{
    return json_pack("{s:i, s:i, s:b, s:b, s:b, s:{s:[s]}, s:{s:s}}", /**/
                     "runAsUser", INJECT_PROXY_UID, "runAsGroup", INJECT_PROXY_UID, "runAsNonRoot",
                     1, "allowPrivilegeEscalation", 0, "readOnlyRootFilesystem", 1, "capabilities",
                     "drop", "ALL", "seccompProfile", "type", "RuntimeDefault");
}

static json_t *network_admin(void)
{
    return json_pack("{s:i, s:i, s:b, s:b, s:b, s:{s:[s], s:[s]}, s:{s:s}}", /**/
                     "runAsUser", 0, "runAsGroup", 0, "runAsNonRoot", 0, "allowPrivilegeEscalation",
                     0, "readOnlyRootFilesystem", 1, "capabilities", "drop", "ALL", "add",
                     "NET_ADMIN", "seccompProfile", "type", "RuntimeDefault");
}

/* "/ready?wait" answers once it is so: the application starts at that moment, not at the next
 * question. */
static json_t *startup_probe(void)
{
    return json_pack("{s:{s:s, s:i}, s:i, s:i, s:i}", "httpGet", "path", "/ready?wait", "port",
                     INJECT_AGENT_PORT, "periodSeconds", 1, "timeoutSeconds", 11,
                     "failureThreshold", STARTUP_TRIES);
}

static json_t *readiness_probe(void)
{
    return json_pack("{s:{s:s, s:i}, s:i, s:i}", "httpGet", "path", "/ready", "port",
                     INJECT_AGENT_PORT, "periodSeconds", 5, "failureThreshold", 3);
}

/* The last words of a container that ends with an error are what `kubectl describe pod` shows. */
static void tell_why(json_t *container)
{
    json_object_set_new(container, "terminationMessagePolicy",
                        json_string("FallbackToLogsOnError"));
}

/* A native sidecar: an init container that stays. The port is declared so that two pods on one
 * host's network do not come together. */
static json_t *native_sidecar(const char *name, struct str image, json_t *args, const char *dir,
                              json_t *resources)
{
    json_t *container = json_pack(
        "{s:s, s:s%, s:s, s:o, s:o, s:[{s:s, s:i, s:s}], s:o, s:o}", /**/
        "name", name, "image", image.ptr, image.len, "restartPolicy", "Always", "args", args, "env",
        env_of_pod(), "ports", "name", "heddle", "containerPort", INJECT_AGENT_PORT, "protocol",
        "TCP", "startupProbe", startup_probe(), "readinessProbe", readiness_probe());
    ASSERT(container != NULL);
    json_object_set_new(container, "resources", resources);
    json_object_set_new(container, "securityContext", unprivileged());
    json_object_set_new(container, "volumeMounts",
                        json_pack("[{s:s, s:s}]", "name", CONTAINER_VOLUME, "mountPath", dir));
    tell_why(container);
    return container;
}

json_t *container_intercept(const struct container_plan *plan)
{
    static const struct wishes none = {.cni = false};
    struct str image = plan->settings->proxy_image;
    struct arena scratch;
    arena_init(&scratch);
    json_t *args = json_pack("[s, s]", "agent", "intercept");
    add_exclusions(args, &scratch, plan->wishes);
    json_t *container =
        json_pack("{s:s, s:s%, s:o, s:o, s:o}", "name", CONTAINER_INTERCEPT, "image", image.ptr,
                  image.len, "args", args, "resources",
                  resources_of(&none, STR("10m"), STR("16Mi")), "securityContext", network_admin());
    ASSERT(container != NULL);
    tell_why(container);
    arena_release(&scratch);
    return container;
}

json_t *container_proxy(const struct container_plan *plan)
{
    struct arena scratch;
    arena_init(&scratch);
    json_t *args = json_pack("[s, s]", "agent", "sidecar");
    if (plan->wishes->cni) {
        add_arg(args, &scratch, "interception", STR("cni"));
    }
    add_addresses(args, &scratch, plan->settings);
    add_drain_wait(args, &scratch, plan->drain_wait_s);
    json_t *container =
        native_sidecar(CONTAINER_PROXY, plan->settings->proxy_image, args, "/run/heddle",
                       resources_of(plan->wishes, STR("50m"), STR("64Mi")));
    arena_release(&scratch);
    return container;
}

json_t *container_agent(const struct container_plan *plan)
{
    struct arena scratch;
    arena_init(&scratch);
    json_t *args = json_pack("[s, s]", "agent", "proxyless");
    add_arg(args, &scratch, "bootstrap-file", STR(CONTAINER_GRPC_BOOTSTRAP));
    add_addresses(args, &scratch, plan->settings);
    add_drain_wait(args, &scratch, plan->drain_wait_s);
    json_t *container =
        native_sidecar(CONTAINER_AGENT, plan->settings->image, args, CONTAINER_GRPC_DIR,
                       resources_of(plan->wishes, STR("5m"), STR("16Mi")));
    arena_release(&scratch);
    return container;
}

json_t *container_pre_stop(void)
{
    return json_pack("{s:{s:s, s:i}}", "httpGet", "path", "/drain", "port", INJECT_AGENT_PORT);
}
