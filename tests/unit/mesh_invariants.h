/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mesh_invariants: what must hold of all resources at any time, whatever the objects say. What one
 * resource names is there for every client that sees the first; what Envoy or gRPC are known to
 * reject does not occur. A breach panics.
 */
#ifndef HEDDLE_TESTS_MESH_INVARIANTS_H
#define HEDDLE_TESTS_MESH_INVARIANTS_H

#include "mesh_references.h"
#include "mesh_room.h"

/* --- endpoints ----------------------------------------------------------------------------- */
#define SEEN_MAX 64

struct seen {
    char addresses[SEEN_MAX][64];
    size_t len;
};

static inline void see_address(struct seen *seen, const struct resource *from,
                               const pb_address *address)
{
    if (seen->len == SEEN_MAX) {
        return;
    }
    char *fresh = seen->addresses[seen->len];
    (void)snprintf(fresh, sizeof(seen->addresses[0]), "%s:%u", address->socket_address->address,
                   address->socket_address->port_value);
    for (size_t i = 0; i < seen->len; i++) {
        if (strcmp(seen->addresses[i], fresh) == 0) {
            BREACH(from, "%s stands twice", fresh);
        }
    }
    seen->len++;
}

static inline void check_assignment(const struct resource *from)
{
    struct str message = resource_message(from);
    pb_load_assignment *a = unpack(&pb_load_assignment_desc, message.ptr, message.len);
    struct seen seen = {.len = 0};
    size_t taking = 0;
    for (size_t i = 0; i < a->n_endpoints; i++) {
        const pb_locality_endpoints *group = a->endpoints[i];
        if (group->locality == NULL || group->load_balancing_weight == NULL ||
            group->load_balancing_weight->value == 0 || group->n_lb_endpoints == 0) {
            BREACH(from, "gRPC wants of every locality a name, a weight and endpoints");
        }
        const pb_locality_endpoints *before = i > 0 ? a->endpoints[i - 1] : NULL;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(a->endpoints[j]->locality->zone, group->locality->zone) == 0 &&
                strcmp(a->endpoints[j]->locality->sub_zone, group->locality->sub_zone) == 0) {
                BREACH(from, "a locality stands twice");
            }
        }
        uint32_t priority = before != NULL ? before->priority : 0;
        if (group->priority > priority + (before != NULL) || group->priority < priority) {
            BREACH(from, "priorities have a gap or are not in order");
        }
        if (before != NULL && group->priority == priority &&
            strcmp(before->locality->zone, group->locality->zone) >= 0) {
            BREACH(from, "zones are not in order or stand twice");
        }
        for (size_t j = 0; j < group->n_lb_endpoints; j++) {
            const pb_endpoint *endpoint = group->lb_endpoints[j]->endpoint;
            taking += group->lb_endpoints[j]->health_status == 0;
            see_address(&seen, from, endpoint->address);
            for (size_t k = 0; k < endpoint->n_additional_addresses; k++) {
                see_address(&seen, from, endpoint->additional_addresses[k]->address);
            }
        }
    }
    if (a->n_endpoints > 0 && taking == 0) {
        BREACH(from, "nobody takes new traffic");
    }
    protobuf_c_message_free_unpacked(&a->base, NULL);
}

/* Envoy rejects a second listener on one address; of servers each has its own. */
struct taken {
    VEC(char *) addresses; /* "scope address:port" */
};

static inline void take_address(struct taken *taken, const struct resource *from,
                                const pb_address *address)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    buf_printf(&text, "%.*s %s:%u", STR_FMT(from->scope), address->socket_address->address,
               address->socket_address->port_value);
    char *fresh = buf_steal(&text, NULL);
    for (size_t i = 0; i < taken->addresses.len; i++) {
        if (strcmp(taken->addresses.items[i], fresh) == 0) {
            BREACH(from, "another listener has '%s', too", fresh);
        }
    }
    vec_push(&taken->addresses, fresh);
}

static inline void check_addresses(const struct rig_resources *all)
{
    struct taken taken = {.addresses = {.len = 0}};
    for (size_t i = 0; i < all->all.len; i++) {
        const struct resource *from = all->all.items[i];
        if (from->type != XDS_LDS || str_starts_with(from->scope, STR("grpc."))) {
            continue;
        }
        struct str message = resource_message(from);
        pb_listener *listener = unpack(&pb_listener_desc, message.ptr, message.len);
        if (listener->address != NULL) {
            take_address(&taken, from, listener->address);
        }
        for (size_t j = 0; j < listener->n_additional_addresses; j++) {
            take_address(&taken, from, listener->additional_addresses[j]->address);
        }
        protobuf_c_message_free_unpacked(&listener->base, NULL);
    }
    for (size_t i = 0; i < taken.addresses.len; i++) {
        free(taken.addresses.items[i]);
    }
    vec_release(&taken.addresses);
}

static inline void check_invariants(const struct mesh *mesh)
{
    static const char *const everybody[] = {SCOPE_ALL, NULL};
    struct rig_resources all;
    rig_collect(mesh, &all);
    for (size_t i = 0; i < all.all.len; i++) {
        const struct resource *resource = all.all.items[i];
        if (i > 0 && rig_resource_cmp(&all.all.items[i - 1], &all.all.items[i]) == 0) {
            BREACH(resource, "it stands twice");
        }
        if (resource->follow.len > 0) {
            char *name = str_dup(resource->follow);
            if (!visible(&all, resource, XDS_EDS, everybody, name)) {
                BREACH(resource, "there is no assignment '%s'", name);
            }
            free(name);
        }
        if (resource->type == XDS_LDS) {
            check_listener(&all, resource);
        } else if (resource->type == XDS_RDS) {
            check_route_config(&all, resource);
        } else if (resource->type == XDS_ECDS) {
            check_extension(&all, resource);
        } else if (resource->type == XDS_EDS) {
            check_assignment(resource);
        }
    }
    check_addresses(&all);
    check_room(mesh);
    vec_release(&all.all);
}

#endif
