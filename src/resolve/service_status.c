/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_status: the conditions that a Service gets. All is well: none.
 *
 *   heddle.dev/Accepted    False/UnsupportedValue when it cannot be read (fault.h)
 *   heddle.dev/Bound       False/NotLocal when binding sidecars cannot listen on its ClusterIP,
 *                          because it is not an address of this machine (design §10.5);
 *                          False/AddressTaken when another Service has its ClusterIP and port
 *   heddle.dev/Enforced    False/AddressType when slices of it list names, False/ClientPlace when
 *                          it is for the own node alone and clients do not say theirs
 *   heddle.dev/Programmed  False/Rejected when a client rejected its cluster, endpoints or listener
 */
#include "ir/attachment.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/connected.h"
#include "resolve/fault.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/status.h"

#define CONDITIONS_MAX 4

/* Whether sidecars that bind listen on none of the Service's addresses. */
static bool is_not_local(struct eval *ev, const struct service *service)
{
    bool local = service->cluster_ips.len == 0 || service->type == SERVICE_EXTERNAL_NAME ||
                 str_eq(service->cluster_ips.items[0], STR("None"));
    for (size_t i = 0; !local && i < service->cluster_ips.len; i++) {
        local = ir_is_loopback(service->cluster_ips.items[i]);
    }
    return !local && is_connected(ev, STR(SCOPE_BIND));
}

/* Of all ports: a cluster, its endpoints, or a listener (whose address may be taken). */
static bool is_service_rejected(struct eval *ev, struct arena *arena, const struct service *service,
                                struct str *ret_message)
{
    static const enum xds_type types[] = {XDS_EDS, XDS_LDS};
    const struct meta *meta = &service->object.meta;
    for (size_t i = 0; i < service->ports.len; i++) {
        struct str key = port_key_make(eval_scratch(ev), meta->ns, meta->name,
                                       service->ports.items[i].port, STR_NULL);
        if (status_rejected_port(ev, arena, key, STR_NULL, ret_message)) {
            return true;
        }
        for (size_t j = 0; j < sizeof(types) / sizeof(types[0]); j++) {
            if (status_rejected(ev, arena, types[j], key, ret_message)) {
                return true;
            }
        }
    }
    return false;
}

/* Some port of the Service whose address is another Service's; NULL when there is none. */
static const struct ir_port *taken_port(struct eval *ev, const struct service *service)
{
    const struct meta *meta = &service->object.meta;
    for (size_t i = 0; i < service->ports.len; i++) {
        struct str key = port_key_make(eval_scratch(ev), meta->ns, meta->name,
                                       service->ports.items[i].port, STR_NULL);
        const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, key);
        if (port != NULL && port->taken_by.len > 0) {
            return port;
        }
    }
    return NULL;
}

/* Why sidecars do not listen for the Service; false when they do. */
static bool unbound_condition(struct eval *ev, struct arena *arena, const struct service *service,
                              struct condition *ret_condition)
{
    const struct ir_port *taken = taken_port(ev, service);
    if (taken != NULL) {
        ret_condition->id = C_address_taken;
        ret_condition->message =
            arena_printf(arena, "Service '%.*s' has the same ClusterIP and port %d",
                         STR_FMT(taken->taken_by), (int)taken->port);
        return true;
    }
    if (is_not_local(ev, service)) {
        ret_condition->id = C_not_local;
        ret_condition->message =
            arena_printf(arena,
                         "sidecars without interception do not listen on '%.*s', which is not a "
                         "loopback address",
                         STR_FMT(service->cluster_ips.items[0]));
        return true;
    }
    return false;
}

/* Slices of names, which no client can be sent; and endpoints for the own node alone, while clients
 * do not say which that is. One condition, since both are of one type. */
static bool unenforced_condition(struct eval *ev, struct arena *arena,
                                 const struct service *service, struct str key,
                                 struct condition *ret_condition)
{
    struct faults faults = {.arena = arena};
    struct row_span slices = eval_group(ev, X_SLICES_OF_NAMES, key);
    ret_condition->id = slices.len > 0 ? C_names_not_served : C_nodeless;
    for (size_t i = 0; i < slices.len; i++) {
        struct str name = ((const struct object *)slices.rows[i])->meta.name;
        faults_add(&faults, arena_printf(arena,
                                         "EndpointSlice '%.*s' is of addressType FQDN: clients are "
                                         "sent addresses, not names",
                                         STR_FMT(name)));
    }
    if (service->internal_policy == TRAFFIC_LOCAL && is_connected(ev, STR(VIEW_NODELESS))) {
        faults_add(&faults, STR("clients that do not say their node (node.metadata.node_name) are "
                                "sent the endpoints of all nodes"));
    }
    ret_condition->message = faults_text(&faults);
    return faults.len > 0;
}

const struct row *resolve_service_status(struct eval *ev, struct str key)
{
    const struct service *service = (const struct service *)eval_get(ev, T_SERVICE, key);
    const struct fault *fault = fault_of(ev, KIND_SERVICE, key);
    struct arena *scratch = eval_scratch(ev);
    struct condition found[CONDITIONS_MAX];
    size_t len = 0;
    if (fault != NULL) {
        found[len].id = C_service_unreadable;
        found[len++].message = fault_message(scratch, fault, (const struct object *)service);
    }
    if (service != NULL) {
        len += unbound_condition(ev, scratch, service, &found[len]);
        len += unenforced_condition(ev, scratch, service, key, &found[len]);
        found[len].id = C_service_rejected;
        len += is_service_rejected(ev, scratch, service, &found[len].message);
    }
    if (len == 0) {
        return NULL;
    }
    struct status *row = row_new(sizeof(*row), 512);
    struct arena *arena = &row->row.arena;
    row->kind = KIND_SERVICE;
    row->ns = arena_str(arena, fault != NULL ? fault->ns : service->object.meta.ns);
    row->name = arena_str(arena, fault != NULL ? fault->name : service->object.meta.name);
    row->generation = fault != NULL ? fault->generation : service->object.meta.generation;
    row->conditions.items = ARENA_ARRAY(arena, len, struct condition);
    for (size_t i = 0; i < len; i++) {
        row->conditions.items[row->conditions.len++] =
            (struct condition){found[i].id, arena_str(arena, found[i].message)};
    }
    return &row->row;
}
