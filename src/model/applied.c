/* SPDX-License-Identifier: Apache-2.0 */
/* applied: see applied.h. Source: the Service strategy of Kubernetes (addresses stay), API concepts
 * (creationTimestamp and generation are the server's). */
#include "model/applied.h"

#include "model/service.h"

static void copy_texts(struct arena *arena, const struct str *from, size_t len, struct str *to)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = arena_str(arena, from[i]);
    }
}

/* Addresses are given once, and stay while the Service has any. */
static void keep_addresses(struct service *service, const struct service *before)
{
    struct arena *arena = &service->object.row.arena;
    bool any = service->type != SERVICE_EXTERNAL_NAME && before->type != SERVICE_EXTERNAL_NAME;
    if (any && service->cluster_ip.len == 0) {
        service->cluster_ip = arena_str(arena, before->cluster_ip);
        service->cluster_ips.len = before->cluster_ips.len;
        service->cluster_ips.items = ARENA_ARRAY(arena, before->cluster_ips.len, struct str);
        copy_texts(arena, before->cluster_ips.items, before->cluster_ips.len,
                   service->cluster_ips.items);
    }
    if (any && service->ip_families.len == 0) {
        service->ip_families.len = before->ip_families.len;
        service->ip_families.items = ARENA_ARRAY(arena, before->ip_families.len, struct str);
        copy_texts(arena, before->ip_families.items, before->ip_families.len,
                   service->ip_families.items);
    }
}

static void fill_service(struct service *service, const struct service *before)
{
    for (size_t i = 0; i < service->ports.len; i++) {
        struct service_port *port = &service->ports.items[i];
        if (!port->has_target_port) {
            port->has_target_port = true;
            port->target_port = (struct int_or_str){.is_int = true, .number = port->port};
        }
    }
    if (before != NULL) {
        keep_addresses(service, before);
    }
}

void applied_fill(struct object *object, const struct object *before, int64_t now)
{
    if (object->meta.created == 0) {
        object->meta.created = before != NULL ? before->meta.created : now;
    }
    if (object->kind == KIND_SERVICE) {
        fill_service((struct service *)object, (const struct service *)before);
    }
    if (before != NULL) {
        object->meta.generation = before->meta.generation;
        object->meta.generation += object_equal(&object->row, &before->row) ? 0 : 1;
    }
}
