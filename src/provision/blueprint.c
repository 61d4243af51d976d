/* SPDX-License-Identifier: Apache-2.0 */
/* blueprint: what all objects of a Gateway share, and the small ones of them. */
#include "provision/blueprint.h"

#include "base/panic.h"
#include "codec/json_tree.h"
#include "provision/blueprint_internal.h"

#define INJECT_LABEL "heddle.dev/inject" /* Gateways are no part of the mesh: docs/injection.md */
#define GATEWAY_VERSION "gateway.networking.k8s.io/v1"
#define IDENTITY_TYPE "heddle.dev/identity" /* of the Secret: not one for listeners */

static void set(json_t *object, struct str key, json_t *value)
{
    json_object_setn_new(object, key.ptr, key.len, value);
}

static bool wants_autoscaler(const struct drafter *drafter)
{
    return drafter->question->ir->parameters->max_replicas > 0;
}

/* --- metadata -------------------------------------------------------------------------------- */

json_t *blueprint_selector(const struct drafter *drafter)
{
    const struct gateway *gateway = drafter->question->gateway;
    json_t *labels = json_object();
    set(labels, STR(PART_GATEWAY_LABEL),
        json_tree_string(part_label(drafter->arena, gateway->object.meta.name)));
    set(labels, STR(PART_CLASS_LABEL),
        json_tree_string(part_label(drafter->arena, gateway->class)));
    set(labels, STR(PART_MANAGER_LABEL), json_string(PART_MANAGER));
    return labels;
}

/* heddle's own count more than those that somebody wishes for. */
json_t *blueprint_labels(const struct drafter *drafter)
{
    const struct gateway_infrastructure *wishes = drafter->question->gateway->infrastructure;
    json_t *labels = json_object();
    for (size_t i = 0; wishes != NULL && i < wishes->labels.len; i++) {
        set(labels, wishes->labels.items[i].key, json_tree_string(wishes->labels.items[i].value));
    }
    json_object_update_new(labels, blueprint_selector(drafter));
    set(labels, STR(INJECT_LABEL), json_string("disabled"));
    return labels;
}

static void annotate(json_t *metadata, struct str key, struct str value)
{
    json_t *annotations = json_object_get(metadata, "annotations");
    if (annotations == NULL) {
        annotations = json_object();
        json_object_set_new(metadata, "annotations", annotations);
    }
    set(annotations, key, json_tree_string(value));
}

void blueprint_annotate(const struct drafter *drafter, json_t *metadata)
{
    const struct gateway_infrastructure *wishes = drafter->question->gateway->infrastructure;
    for (size_t i = 0; wishes != NULL && i < wishes->annotations.len; i++) {
        annotate(metadata, wishes->annotations.items[i].key, wishes->annotations.items[i].value);
    }
}

/* Whom the objects follow: Kubernetes' garbage collector deletes them after the Gateway. */
static json_t *owners(const struct drafter *drafter)
{
    const struct meta *meta = &drafter->question->gateway->object.meta;
    json_t *owner = json_pack("{s:s, s:s, s:b}", "apiVersion", GATEWAY_VERSION, "kind", "Gateway",
                              "controller", 1);
    set(owner, STR("name"), json_tree_string(meta->name));
    set(owner, STR("uid"), json_tree_string(drafter->question->uid));
    return json_pack("[o]", owner);
}

static json_t *object_of(const struct drafter *drafter, enum part part)
{
    const struct part_info *info = part_info(part);
    const struct meta *meta = &drafter->question->gateway->object.meta;
    json_t *metadata = json_pack("{s:o, s:o}", "labels", blueprint_labels(drafter),
                                 "ownerReferences", owners(drafter));
    blueprint_annotate(drafter, metadata);
    set(metadata, STR("name"),
        json_tree_string(part_name(drafter->arena, part, drafter->blueprint->stem)));
    set(metadata, STR("namespace"), json_tree_string(meta->ns));
    struct str version = arena_printf(drafter->arena, "%s%s%s", info->group,
                                      info->group[0] != '\0' ? "/" : "", info->version);
    return json_pack("{s:o, s:s, s:o}", "apiVersion", json_tree_string(version), "kind", info->kind,
                     "metadata", metadata);
}

/* --- the parts ------------------------------------------------------------------------------- */

/* Envoy asks the API server for nothing. */
static void fill_account(const struct drafter *drafter, json_t *object)
{
    (void)drafter;
    json_object_set_new(object, "automountServiceAccountToken", json_false());
}

static void fill_identity(const struct drafter *drafter, json_t *object)
{
    annotate(json_object_get(object, "metadata"), STR(BLUEPRINT_IDENTITY_ANNOTATION),
             drafter->blueprint->identity);
    json_object_set_new(object, "type", json_string(IDENTITY_TYPE));
}

static void fill_service(const struct drafter *drafter, json_t *object)
{
    json_object_set_new(object, "spec", blueprint_service(drafter));
}

static void fill_deployment(const struct drafter *drafter, json_t *object)
{
    json_object_set_new(object, "spec", blueprint_deployment(drafter));
}

/* Pods that are not ready keep nobody from draining a node. */
static void fill_budget(const struct drafter *drafter, json_t *object)
{
    json_object_set_new(object, "spec",
                        json_pack("{s:i, s:s, s:{s:o}}", "maxUnavailable", 1,
                                  "unhealthyPodEvictionPolicy", "AlwaysAllow", "selector",
                                  "matchLabels", blueprint_selector(drafter)));
}

static void fill_autoscaler(const struct drafter *drafter, json_t *object)
{
    const struct ir_parameters *parameters = drafter->question->ir->parameters;
    int32_t least = parameters->replicas, most = parameters->max_replicas;
    json_t *target = json_pack("{s:s, s:s, s:o}", "apiVersion", "apps/v1", "kind",
                               part_info(PART_DEPLOYMENT)->kind, "name",
                               json_tree_string(drafter->blueprint->stem));
    json_t *metric =
        json_pack("{s:s, s:{s:s, s:{s:s, s:i}}}", "type", "Resource", "resource", "name", "cpu",
                  "target", "type", "Utilization", "averageUtilization", parameters->target_cpu);
    json_object_set_new(object, "spec",
                        json_pack("{s:o, s:i, s:i, s:[o]}", "scaleTargetRef", target, "minReplicas",
                                  least, "maxReplicas", most > least ? most : least, "metrics",
                                  metric));
}

static const struct part_maker {
    void (*fill)(const struct drafter *drafter, json_t *object);
    bool (*wanted)(const struct drafter *drafter); /* NULL: always */
} makers[PART_COUNT] = {
    [PART_ACCOUNT] = {fill_account, NULL}, [PART_IDENTITY] = {fill_identity, NULL},
    [PART_SERVICE] = {fill_service, NULL}, [PART_DEPLOYMENT] = {fill_deployment, NULL},
    [PART_BUDGET] = {fill_budget, NULL},   [PART_AUTOSCALER] = {fill_autoscaler, wants_autoscaler},
};

static struct str make_part(const struct drafter *drafter, enum part part)
{
    if (makers[part].wanted != NULL && !makers[part].wanted(drafter)) {
        return STR_NULL;
    }
    json_t *object = object_of(drafter, part);
    makers[part].fill(drafter, object);
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    ASSERT(text != NULL);
    struct str copy = arena_str(drafter->arena, str_from(text));
    free(text);
    json_decref(object);
    return copy;
}

void blueprint_make(struct arena *arena, const struct blueprint_question *question,
                    struct blueprint *ret_blueprint)
{
    const struct meta *meta = &question->gateway->object.meta;
    struct blueprint blueprint = {
        .stem = arena_str(arena, question->stem),
        .identity = arena_printf(arena, "spiffe://%.*s/gateway/%.*s/%.*s",
                                 STR_FMT(question->settings->trust_domain), STR_FMT(meta->ns),
                                 STR_FMT(meta->name)),
    };
    const struct drafter drafter = {question, arena, &blueprint};
    for (unsigned i = 0; i < PART_COUNT; i++) {
        blueprint.part[i] = make_part(&drafter, (enum part)i);
    }
    *ret_blueprint = blueprint;
}
