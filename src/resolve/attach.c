/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach: what a route governs: Service ports, listeners (attach_gateway.c); and where it sends
 * (attach_backend.c).
 *
 * GEP-1294: a route attaches to a Service by a parentRef with group "" and kind Service. Without a
 * port it governs every port; `port` and `sectionName` narrow that. In the Service's namespace it
 * is a producer route, for clients everywhere; in another one a consumer route, for clients of the
 * route's namespace only.
 */
#include <stdlib.h>

#include "base/panic.h"
#include "ir/attachment.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/app_protocol.h"
#include "resolve/attach.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/room.h"
#include "resolve/rule.h"

static bool port_selected(const struct service_port *port, const struct parent_ref *ref)
{
    return port->protocol == PROTOCOL_TCP && (ref->port == 0 || ref->port == port->port) &&
           (ref->section_name.len == 0 || str_eq(ref->section_name, port->name));
}

void attach_refuse(struct attached_parent *parent, enum condition_id why, struct str message)
{
    parent->condition = (int)why;
    parent->message = message;
}

/* An HTTPRoute leaves alone what is said to be encrypted, as it does what is UDP. */
static bool port_governed(const struct service_port *port, const struct route *route)
{
    return app_protocol_carries(port->app_protocol, route->object.kind);
}

static void attach_ports(struct arena *arena, const struct route *route,
                         const struct parent_ref *ref, const struct service *service,
                         struct attached_parent *parent)
{
    const struct meta *meta = &service->object.meta;
    struct str consumer =
        str_eq(meta->ns, route->object.meta.ns) ? STR_NULL : route->object.meta.ns;
    parent->ports.items = ARENA_ARRAY(arena, service->ports.len, struct str);
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct service_port *port = &service->ports.items[i];
        if (port_selected(port, ref) && port_governed(port, route)) {
            parent->ports.items[parent->ports.len++] =
                port_key_make(arena, meta->ns, meta->name, port->port, consumer);
        }
    }
}

/* Why no port is attached: the first that the parentRef selects is of another protocol, or there is
 * none. */
static struct str no_port(struct arena *arena, const struct route *route,
                          const struct parent_ref *ref, const struct service *service,
                          struct str key)
{
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct service_port *port = &service->ports.items[i];
        if (port_selected(port, ref)) {
            return arena_printf(arena,
                                "port %d of Service '%.*s' has appProtocol '%.*s', which no %s can "
                                "govern",
                                (int)port->port, STR_FMT(key), STR_FMT(port->app_protocol),
                                kind_info(route->object.kind)->kind);
        }
    }
    if (ref->section_name.len > 0) {
        return arena_printf(arena, "Service '%.*s' has no TCP port named '%.*s'%s", STR_FMT(key),
                            STR_FMT(ref->section_name),
                            ref->port != 0 ? " with the given number" : "");
    }
    return ref->port != 0 ? arena_printf(arena, "Service '%.*s' has no TCP port %d", STR_FMT(key),
                                         (int)ref->port)
                          : arena_printf(arena, "Service '%.*s' has no TCP ports", STR_FMT(key));
}

static void attach_service(struct eval *ev, struct arena *arena, const struct route *route,
                           const struct parent_ref *ref, struct attached_parent *parent)
{
    struct str ns = ref->ns.len > 0 ? ref->ns : route->object.meta.ns;
    struct str key = arena_printf(eval_scratch(ev), "%.*s/%.*s", STR_FMT(ns), STR_FMT(ref->name));
    const struct service *service = (const struct service *)eval_get(ev, T_SERVICE, key);
    parent->condition = C_accepted;
    if (route->object.kind == KIND_UDPROUTE) {
        attach_refuse(parent, C_unsupported_value, STR("UDPRoutes govern no traffic in the mesh"));
        return;
    }
    if (service == NULL) {
        attach_refuse(parent, C_no_matching_parent,
                      arena_printf(arena, "no Service '%.*s' in namespace '%.*s'",
                                   STR_FMT(ref->name), STR_FMT(ns)));
        return;
    }
    if (service->type == SERVICE_EXTERNAL_NAME) {
        attach_refuse(parent, C_unsupported_value,
                      arena_printf(arena,
                                   "Service '%.*s' is of type ExternalName: there is no address "
                                   "whose traffic a route could govern",
                                   STR_FMT(key)));
        return;
    }
    attach_ports(arena, route, ref, service, parent);
    if (parent->ports.len == 0) {
        attach_refuse(parent, C_no_matching_parent, no_port(arena, route, ref, service, key));
    }
}

static void keep_names(struct arena *arena, const struct route *route, struct attachment *row)
{
    row->names.items = ARENA_ARRAY(arena, route->hostnames.len, struct str);
    for (size_t i = 0; i < route->hostnames.len; i++) {
        row->names.items[row->names.len++] = arena_str(arena, route->hostnames.items[i]);
    }
}

const struct row *resolve_attachment(struct eval *ev, struct str key)
{
    const struct route *route = (const struct route *)eval_get(ev, T_ROUTE, key);
    if (route == NULL) {
        return NULL;
    }
    struct attachment *row = row_new(sizeof(*row), 320);
    struct arena *arena = &row->row.arena;
    row->key = arena_str(arena, key);
    row->kind = (int)route->object.kind;
    row->created = route->object.meta.created;
    row->ns = arena_str(arena, route->object.meta.ns);
    row->name = arena_str(arena, route->object.meta.name);
    row->parents.items = ARENA_ARRAY(arena, route->parents.len, struct attached_parent);
    bool governs = false;
    for (size_t i = 0; i < route->parents.len; i++) {
        const struct parent_ref *ref = &route->parents.items[i];
        struct attached_parent *parent = &row->parents.items[row->parents.len];
        parent->index = (int32_t)i;
        if (parent_ref_is_service(ref)) {
            attach_service(ev, arena, route, ref, parent);
            row->parents.len++;
            governs = governs || parent->ports.len > 0;
        } else if (attach_gateway(ev, arena, route, ref, parent)) {
            row->parents.len++;
        }
    }
    if (governs && route->object.kind == KIND_TLSROUTE) {
        keep_names(arena, route, row);
    }
    row->unserved = route_is_unserved(route, eval_scratch(ev));
    attach_backends(ev, route, row);
    room_measure(ev, route, row);
    return &row->row;
}

void resolve_attached(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct attachment *attachment = (const struct attachment *)row;
    (void)key;
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->ports.len; j++) {
            group_emit(emit, parent->ports.items[j]);
        }
    }
}

void resolve_attached_l4(const struct row *row, struct str key, struct group_emit *emit)
{
    if (govern_of_connections((enum kind_id)((const struct attachment *)row)->kind)) {
        resolve_attached(row, key, emit);
    }
}

struct str attach_name(struct arena *arena, struct str port, struct str hostname)
{
    return arena_printf(arena, "%.*s|%.*s", STR_FMT(port), STR_FMT(hostname));
}

void resolve_attached_names(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct attachment *attachment = (const struct attachment *)row;
    struct arena scratch;
    (void)key;
    arena_init_sized(&scratch, 512);
    for (size_t i = 0; attachment->names.len > 0 && i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->ports.len * attachment->names.len; j++) {
            group_emit(emit, attach_name(&scratch, parent->ports.items[j / attachment->names.len],
                                         attachment->names.items[j % attachment->names.len]));
        }
    }
    arena_release(&scratch);
}

/* "NS/NAME": the key without the kind. */
static struct str full_name(const struct attachment *attachment)
{
    struct str rest = attachment->key;
    (void)str_cut(&rest, '/');
    return rest;
}

/* "The oldest Route based on creation timestamp; the Route appearing first in alphabetical order
 * by {namespace}/{name}" (HTTPRouteRule.matches): of the two as one text. */
int resolve_attached_order(const struct row *a, const struct row *b)
{
    const struct attachment *aa = (const struct attachment *)a;
    const struct attachment *ab = (const struct attachment *)b;
    int order = (aa->created > ab->created) - (aa->created < ab->created);
    return order != 0 ? order : str_cmp(full_name(aa), full_name(ab));
}
