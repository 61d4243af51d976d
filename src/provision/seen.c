/* SPDX-License-Identifier: Apache-2.0 */
/* seen: reads objects as the API server tells of them. */
#include "provision/seen.h"

#include "provision/blueprint.h"

#define ADDRESSES_MAX 16 /* maxItems of Gateway.status.addresses */

static struct str copy_text(struct seen *seen, const struct doc_node *node, struct str key)
{
    return arena_str(&seen->arena, doc_text(node, key));
}

static int32_t number_of(const struct doc_node *node, struct str key)
{
    const struct doc_node *value = doc_get(node, key);
    bool fits = value != NULL && value->type == DOC_INT && value->integer >= 0 &&
                value->integer <= INT32_MAX;
    return fits ? (int32_t)value->integer : 0;
}

static uint32_t items_of(const struct doc_node *list)
{
    return list != NULL && list->type == DOC_SEQUENCE ? list->len : 0;
}

/* --- metadata -------------------------------------------------------------------------------- */

static void read_owner(struct seen *seen, const struct doc_node *owners)
{
    for (uint32_t i = 0; i < items_of(owners); i++) {
        const struct doc_node *owner = owners->items[i];
        if (str_eq(doc_text(owner, STR("kind")), STR("Gateway")) &&
            str_starts_with(doc_text(owner, STR("apiVersion")),
                            STR("gateway.networking.k8s.io/"))) {
            seen->owner = copy_text(seen, owner, STR("name"));
            seen->owner_uid = copy_text(seen, owner, STR("uid"));
        }
    }
}

/* Of those that heddle applied to the object itself, not to a subresource. */
static void read_fields(struct seen *seen, const struct doc_node *entries)
{
    for (uint32_t i = 0; i < items_of(entries); i++) {
        const struct doc_node *entry = entries->items[i];
        if (!str_eq(doc_text(entry, STR("manager")), STR(PART_MANAGER)) ||
            !str_eq(doc_text(entry, STR("operation")), STR("Apply")) ||
            doc_text(entry, STR("subresource")).len > 0) {
            continue;
        }
        const struct doc_node *fields = doc_get(entry, STR("fieldsV1"));
        struct buf text;
        buf_init(&text, BUF_UNLIMITED);
        if (fields != NULL) {
            doc_to_json(fields, &text);
        }
        seen->fields = hash_bytes(buf_str(&text));
        seen->replicas_ours = doc_get(doc_get(fields, STR("f:spec")), STR("f:replicas")) != NULL;
        buf_release(&text);
    }
}

static void read_meta(struct seen *seen, const struct doc_node *meta)
{
    const struct doc_node *labels = doc_get(meta, STR("labels"));
    seen->version = copy_text(seen, meta, STR("resourceVersion"));
    seen->uid = copy_text(seen, meta, STR("uid"));
    seen->deleting = doc_get(meta, STR("deletionTimestamp")) != NULL;
    seen->manager = copy_text(seen, labels, STR(PART_MANAGER_LABEL));
    seen->gateway = copy_text(seen, labels, STR(PART_GATEWAY_LABEL));
    seen->class = copy_text(seen, labels, STR(PART_CLASS_LABEL));
    seen->identity_of =
        copy_text(seen, doc_get(meta, STR("annotations")), STR(BLUEPRINT_IDENTITY_ANNOTATION));
    read_owner(seen, doc_get(meta, STR("ownerReferences")));
    read_fields(seen, doc_get(meta, STR("managedFields")));
}

/* --- what it says ---------------------------------------------------------------------------- */

static void add_address(struct seen *seen, struct str type, struct str value)
{
    if (value.len > 0 && !str_eq(value, STR("None")) && seen->addresses.len < ADDRESSES_MAX) {
        seen->addresses.items[seen->addresses.len++] =
            (struct ir_address){type, arena_str(&seen->arena, value)};
    }
}

/* A load balancer's addresses; of a Service without one its own, which the cluster reaches. */
static void read_service(struct seen *seen, const struct doc_node *object)
{
    const struct doc_node *spec = doc_get(object, STR("spec"));
    const struct doc_node *given =
        doc_get(doc_get(doc_get(object, STR("status")), STR("loadBalancer")), STR("ingress"));
    const struct doc_node *own = doc_get(spec, STR("clusterIPs"));
    seen->addresses.items = ARENA_ARRAY(&seen->arena, ADDRESSES_MAX, struct ir_address);
    if (!str_eq(doc_text(spec, STR("type")), STR("LoadBalancer"))) {
        for (uint32_t i = 0; i < items_of(own); i++) {
            add_address(seen, STR("IPAddress"), own->items[i]->text);
        }
        return;
    }
    for (uint32_t i = 0; i < items_of(given); i++) {
        add_address(seen, STR("IPAddress"), doc_text(given->items[i], STR("ip")));
        add_address(seen, STR("Hostname"), doc_text(given->items[i], STR("hostname")));
    }
}

static void read_conditions(struct seen *seen, const struct doc_node *list)
{
    for (uint32_t i = 0; i < items_of(list); i++) {
        struct str type = doc_text(list->items[i], STR("type"));
        bool is_true = str_eq(doc_text(list->items[i], STR("status")), STR("True"));
        if (str_eq(type, STR("Progressing")) && !is_true) {
            seen->settled = seen->gave_up = true;
        } else if (str_eq(type, STR("ReplicaFailure")) && is_true) {
            seen->trouble = copy_text(seen, list->items[i], STR("message"));
        }
    }
}

/* As kubectl rollout status has it. */
static void read_deployment(struct seen *seen, const struct doc_node *object)
{
    const struct doc_node *status = doc_get(object, STR("status"));
    int32_t updated = number_of(status, STR("updatedReplicas"));
    seen->generation = number_of(doc_get(object, STR("metadata")), STR("generation"));
    seen->available = number_of(status, STR("availableReplicas"));
    seen->replicas = number_of(doc_get(object, STR("spec")), STR("replicas"));
    seen->settled = number_of(status, STR("observedGeneration")) >= seen->generation &&
                    updated >= seen->replicas && seen->available >= updated &&
                    number_of(status, STR("replicas")) <= updated;
    read_conditions(seen, doc_get(status, STR("conditions")));
}

void seen_read(enum part part, const struct doc_node *object, struct seen *ret_seen)
{
    struct seen seen = {.there = true};
    arena_init_sized(&seen.arena, 512);
    read_meta(&seen, doc_get(object, STR("metadata")));
    if (part == PART_SERVICE) {
        read_service(&seen, object);
    } else if (part == PART_DEPLOYMENT) {
        read_deployment(&seen, object);
    } else if (part == PART_IDENTITY) {
        seen.identity = identity_read(doc_get(object, STR("data")));
    }
    *ret_seen = seen;
}

void seen_release(struct seen *seen)
{
    arena_release(&seen->arena);
    *seen = (struct seen){.there = false};
}
