/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blueprint_pod: the Deployment of a Gateway: Envoy and its agent (docs/agent.md), which fit into
 * restricted Pod Security and bind no privileged port (ir_bound_port()).
 *
 * A pod is only replaced when another one is ready, and ends when its connections have.
 */
#include "codec/json_tree.h"
#include "ir/pod.h"
#include "kube/downward.h"
#include "provision/blueprint_internal.h"

#define CONTROL_PLANE_SERVICE "heddle"
#define RUN_VOLUME "heddle"
#define RUN_PATH "/run/heddle" /* where the agent writes Envoy's bootstrap */
#define IDENTITY_VOLUME "identity"
#define IDENTITY_PATH "/etc/heddle/identity"
#define IDENTITY_MODE 0440    /* for the group of the pod */
#define GRACE_S 90            /* for connections to end; the agent takes less */
#define TERMINATE_WAIT_S "60" /* of the agent: then what is left is closed */
#define STARTUP_TRIES 30      /* of a probe that waits up to 10 s for its answer */

static void add_argument(json_t *args, struct arena *arena, const char *option, struct str value)
{
    struct str text = arena_printf(arena, "--%s=%.*s", option, STR_FMT(value));
    json_array_append_new(args, json_tree_string(text));
}

static json_t *arguments(const struct drafter *drafter)
{
    const struct blueprint_question *question = drafter->question;
    const struct provision_settings *settings = question->settings;
    struct arena *arena = drafter->arena;
    struct str host = arena_printf(arena, CONTROL_PLANE_SERVICE ".%.*s.svc.%.*s",
                                   STR_FMT(settings->ns), STR_FMT(settings->cluster_domain));
    json_t *args = json_pack("[s, s]", "agent", "gateway");
    add_argument(args, arena, "gateway", question->gateway->object.meta.name);
    add_argument(args, arena, "xds",
                 arena_printf(arena, "%.*s:%d", STR_FMT(host), BLUEPRINT_XDS_PORT));
    add_argument(args, arena, "control",
                 arena_printf(arena, "%.*s:%d", STR_FMT(host), BLUEPRINT_AGENTS_PORT));
    add_argument(args, arena, "tls-cert", STR(IDENTITY_PATH "/tls.crt"));
    add_argument(args, arena, "tls-key", STR(IDENTITY_PATH "/tls.key"));
    add_argument(args, arena, "tls-ca", STR(IDENTITY_PATH "/ca.crt"));
    add_argument(args, arena, "terminate-wait-s", STR(TERMINATE_WAIT_S));
    if (question->ir->parameters->mesh_routes) {
        json_array_append_new(args, json_string("--mesh-routes"));
    }
    json_array_append_new(args, json_string("--"));
    json_array_append_new(args, json_string("--log-level"));
    json_array_append_new(args, json_tree_string(question->ir->parameters->log_level));
    return args;
}

/* The limit of the container: read when it starts, so that it is said in one place. */
static void add_memory_limit(json_t *env)
{
    json_array_append_new(env, json_pack("{s:s, s:{s:{s:s, s:s}}}", "name",
                                         "HEDDLE_MEMORY_LIMIT_MIB", "valueFrom", "resourceFieldRef",
                                         "resource", "limits.memory", "divisor", "1Mi"));
}

static json_t *environment(const struct ir_parameters *parameters)
{
    json_t *env = downward_env();
    if (parameters->memory_limit.len > 0) { /* else it would be the node's memory */
        add_memory_limit(env);
    }
    return env;
}

static json_t *resources(const struct ir_parameters *parameters)
{
    json_t *requests = json_object(), *limits = json_object();
    const struct {
        json_t *of;
        const char *name;
        struct str value;
    } quantities[] = {
        {requests, "cpu", parameters->cpu_request},
        {requests, "memory", parameters->memory_request},
        {limits, "memory", parameters->memory_limit},
    };
    for (size_t i = 0; i < sizeof(quantities) / sizeof(quantities[0]); i++) {
        if (quantities[i].value.len > 0) {
            json_object_set_new(quantities[i].of, quantities[i].name,
                                json_tree_string(quantities[i].value));
        }
    }
    return json_pack("{s:o, s:o}", "requests", requests, "limits", limits);
}

static json_t *probe(const char *path, int period_s, int timeout_s, int failures)
{
    return json_pack("{s:{s:s, s:i}, s:i, s:i, s:i}", "httpGet", "path", path, "port",
                     POD_AGENT_PORT, "periodSeconds", period_s, "timeoutSeconds", timeout_s,
                     "failureThreshold", failures);
}

/* "/ready?wait" answers once it is so. An Envoy whose heddle is away serves on: it stays ready. */
static void add_probes(json_t *container)
{
    json_object_set_new(container, "startupProbe", probe("/ready?wait", 1, 11, STARTUP_TRIES));
    json_object_set_new(container, "readinessProbe", probe("/ready", 2, 2, 2));
    json_object_set_new(container, "livenessProbe", probe("/live", 10, 5, 3));
}

static json_t *container(const struct drafter *drafter)
{
    const struct blueprint_question *question = drafter->question;
    json_t *result = json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", BLUEPRINT_CONTAINER, "image",
                               json_tree_string(question->settings->image), "args",
                               arguments(drafter), "env", environment(question->ir->parameters),
                               "resources", resources(question->ir->parameters));
    add_probes(result);
    json_object_set_new(result, "securityContext",
                        json_pack("{s:b, s:b, s:{s:[s]}}", "allowPrivilegeEscalation", 0,
                                  "readOnlyRootFilesystem", 1, "capabilities", "drop", "ALL"));
    json_object_set_new(result, "volumeMounts",
                        json_pack("[{s:s, s:s}, {s:s, s:s, s:b}]", "name", RUN_VOLUME, "mountPath",
                                  RUN_PATH, "name", IDENTITY_VOLUME, "mountPath", IDENTITY_PATH,
                                  "readOnly", 1));
    return result;
}

static json_t *volumes(const struct drafter *drafter)
{
    struct str secret = part_name(drafter->arena, PART_IDENTITY, drafter->blueprint->stem);
    return json_pack("[{s:s, s:{}}, {s:s, s:{s:o, s:i}}]", "name", RUN_VOLUME, "emptyDir", "name",
                     IDENTITY_VOLUME, "secret", "secretName", json_tree_string(secret),
                     "defaultMode", IDENTITY_MODE);
}

/* Of one template each: the pods that a rollout is about to end count for nothing. */
static json_t *spread_over(const struct drafter *drafter, const char *key)
{
    return json_pack("{s:i, s:s, s:s, s:{s:o}, s:[s]}", "maxSkew", 1, "topologyKey", key,
                     "whenUnsatisfiable", "ScheduleAnyway", "labelSelector", "matchLabels",
                     blueprint_selector(drafter), "matchLabelKeys", "pod-template-hash");
}

static json_t *pod_spec(const struct drafter *drafter)
{
    json_t *spec =
        json_pack("{s:[o], s:o, s:o, s:b, s:b, s:i}", "containers", container(drafter), "volumes",
                  volumes(drafter), "serviceAccountName",
                  json_tree_string(drafter->blueprint->stem), "automountServiceAccountToken", 0,
                  "enableServiceLinks", 0, "terminationGracePeriodSeconds", GRACE_S);
    json_object_set_new(spec, "securityContext",
                        json_pack("{s:b, s:i, s:i, s:i, s:{s:s}}", "runAsNonRoot", 1, "runAsUser",
                                  POD_PROXY_UID, "runAsGroup", POD_PROXY_UID, "fsGroup",
                                  POD_PROXY_UID, "seccompProfile", "type", "RuntimeDefault"));
    json_object_set_new(spec, "topologySpreadConstraints",
                        json_pack("[o, o]", spread_over(drafter, "kubernetes.io/hostname"),
                                  spread_over(drafter, "topology.kubernetes.io/zone")));
    return spec;
}

json_t *blueprint_deployment(const struct drafter *drafter)
{
    const struct ir_parameters *parameters = drafter->question->ir->parameters;
    json_t *metadata = json_pack("{s:o}", "labels", blueprint_labels(drafter));
    blueprint_annotate(drafter, metadata);
    json_t *pod = json_pack("{s:o, s:o}", "metadata", metadata, "spec", pod_spec(drafter));
    json_t *spec = json_pack("{s:{s:o}, s:{s:s, s:{s:i, s:i}}, s:o}", "selector", "matchLabels",
                             blueprint_selector(drafter), "strategy", "type", "RollingUpdate",
                             "rollingUpdate", "maxUnavailable", 0, "maxSurge", 1, "template", pod);
    if (parameters->max_replicas == 0) { /* else it is the autoscaler's */
        json_object_set_new(spec, "replicas", json_integer(parameters->replicas));
    }
    return spec;
}
