/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach_backend: which Service ports the backendRefs and mirrors of a route mean.
 *
 * The mesh asks for no ReferenceGrant. Gateways do: "when a namespace different than the local
 * namespace is specified, a ReferenceGrant object is required in the referent namespace"
 * (BackendRef). Without one nothing is told of the object, not even whether it exists.
 */
#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/admit.h"
#include "resolve/app_protocol.h"
#include "resolve/attach.h"
#include "resolve/key.h"
#include "resolve/rule.h"

struct backend { /* a reference, and what becomes of it */
    struct eval *ev;
    struct arena *arena;
    const struct route *route;
    const struct object_ref *ref;
    struct str ns;
    const char *list; /* what the index counts: "backendRefs", "filters" */
    bool gateways;    /* the route has some as parents */
    struct attached_backend *to;
};

/* "rules[0].backendRefs[1]: …" */
static struct str told(const struct backend *backend, struct str message)
{
    return arena_printf(backend->arena, "rules[%d].%s[%d]: %.*s", (int)backend->to->rule,
                        backend->list, (int)backend->to->index, STR_FMT(message));
}

static void fail(const struct backend *backend, enum condition_id why, struct str message)
{
    backend->to->condition = (int)why;
    backend->to->message = told(backend, message);
}

/* Routes of Gateways alone are asked for a grant: of others nobody would read the answer. */
static void check_grant(const struct backend *backend)
{
    const struct reference reference = {
        .from_group = STR(GATEWAY_GROUP),
        .from_kind = str_from(kind_info(backend->route->object.kind)->kind),
        .from_ns = backend->route->object.meta.ns,
        .kind = STR("Service"),
        .ns = backend->ns,
        .name = backend->ref->name,
    };
    if (backend->gateways && !admit_reference(backend->ev, &reference)) {
        backend->to->ungranted =
            told(backend, arena_printf(eval_scratch(backend->ev),
                                       "no ReferenceGrant in namespace '%.*s' lets %.*ss of "
                                       "namespace '%.*s' send to Service '%.*s'",
                                       STR_FMT(backend->ns), STR_FMT(reference.from_kind),
                                       STR_FMT(reference.from_ns), STR_FMT(reference.name)));
    }
}

/* What only a proxy that speaks TLS could send to: Gateways do where a BackendTLSPolicy says how,
 * the mesh does not. Returns whether it is carried by somebody. */
static bool check_protocol(const struct backend *backend, const struct ir_port *port,
                           struct str key)
{
    if (app_protocol_carries(port->app_protocol, backend->route->object.kind)) {
        return true;
    }
    bool encrypted = app_protocol_is_encrypted(port->app_protocol);
    struct str message = arena_printf(
        eval_scratch(backend->ev),
        "Service port '%.*s' has appProtocol '%.*s', to which no %s can send%s", STR_FMT(key),
        STR_FMT(port->app_protocol), kind_info(backend->route->object.kind)->kind,
        encrypted && backend->gateways ? " unless a BackendTLSPolicy targets it" : "");
    if (!encrypted || !backend->gateways || eval_get(backend->ev, T_BACKEND_TLS, key) == NULL) {
        fail(backend, C_unsupported_protocol, message);
        return false;
    }
    backend->to->encrypted =
        told(backend, arena_printf(eval_scratch(backend->ev),
                                   "Service port '%.*s' has appProtocol '%.*s', and only Gateways "
                                   "speak TLS to it",
                                   STR_FMT(key), STR_FMT(port->app_protocol)));
    return true;
}

static void find_port(const struct backend *backend, struct str service)
{
    const struct object_ref *ref = backend->ref;
    struct arena *scratch = eval_scratch(backend->ev);
    bool datagrams = backend->route->object.kind == KIND_UDPROUTE;
    struct str tcp = port_key_make(scratch, backend->ns, ref->name, ref->port, STR_NULL);
    struct str key =
        datagrams ? udp_port_key_make(scratch, backend->ns, ref->name, ref->port) : tcp;
    const struct ir_port *port = (const struct ir_port *)eval_get(backend->ev, T_PORT, key);
    if (port == NULL && datagrams && eval_get(backend->ev, T_PORT, tcp) != NULL) {
        fail(backend, C_unsupported_protocol,
             arena_printf(scratch,
                          "Service port '%.*s' takes no datagrams: the port's protocol is not UDP",
                          STR_FMT(tcp)));
    } else if (port == NULL) {
        fail(backend, C_backend_not_found,
             arena_printf(scratch, "Service '%.*s' has no port %d", STR_FMT(service),
                          (int)ref->port));
    } else if (!port->backend) {
        fail(backend, C_unsupported_protocol,
             arena_printf(scratch, "Service port '%.*s' takes no traffic: %.*s", STR_FMT(key),
                          STR_FMT(port->why_not)));
    } else if (check_protocol(backend, port, key)) {
        backend->to->condition = C_resolved;
        backend->to->cluster = arena_str(backend->arena, key);
    }
}

static void resolve_backend(const struct backend *backend)
{
    const struct object_ref *ref = backend->ref;
    struct arena *scratch = eval_scratch(backend->ev);
    if (ref->group.len > 0 || (ref->kind.len > 0 && !str_eq(ref->kind, STR("Service")))) {
        fail(backend, C_invalid_kind,
             arena_printf(scratch, "kind '%.*s' of group '%.*s' cannot be a backend; Services can",
                          STR_FMT(ref->kind), STR_FMT(ref->group)));
        return;
    }
    check_grant(backend);
    struct str service =
        arena_printf(scratch, "%.*s/%.*s", STR_FMT(backend->ns), STR_FMT(ref->name));
    if (eval_get(backend->ev, T_SERVICE, service) == NULL) {
        fail(backend, C_backend_not_found,
             arena_printf(scratch, "no Service '%.*s' in namespace '%.*s'", STR_FMT(ref->name),
                          STR_FMT(backend->ns)));
        return;
    }
    find_port(backend, service);
}

static struct attached_backend *next_backend(struct attached_backend *items, size_t *len,
                                             size_t rule, size_t index)
{
    struct attached_backend *backend = &items[(*len)++];
    backend->rule = (int32_t)rule;
    backend->index = (int32_t)index;
    return backend;
}

static bool has_gateways(const struct attachment *row)
{
    for (size_t i = 0; i < row->parents.len; i++) {
        if (row->parents.items[i].gateway.len > 0) {
            return true;
        }
    }
    return false;
}

static void resolve_rule(struct backend *backend, size_t index, struct attachment *row)
{
    struct rule_view rule = route_rule(backend->route, index);
    struct str own = backend->route->object.meta.ns;
    backend->list = "backendRefs";
    for (size_t i = 0; i < rule.backends_len; i++) {
        backend->ref = &rule.backends[i].ref;
        backend->ns = backend->ref->ns.len > 0 ? backend->ref->ns : own;
        backend->to = next_backend(row->backends.items, &row->backends.len, index, i);
        resolve_backend(backend);
    }
    backend->list = "filters";
    for (size_t i = 0; i < rule.filters_len; i++) {
        if (rule.filters[i].mirror != NULL) {
            backend->ref = &rule.filters[i].mirror->backend;
            backend->ns = backend->ref->ns.len > 0 ? backend->ref->ns : own;
            backend->to = next_backend(row->mirrors.items, &row->mirrors.len, index, i);
            resolve_backend(backend);
        }
    }
}

void attach_backends(struct eval *ev, const struct route *route, struct attachment *row)
{
    struct arena *arena = &row->row.arena;
    struct backend backend = {
        .ev = ev, .arena = arena, .route = route, .gateways = has_gateways(row)};
    size_t nrules = route_rule_count(route);
    size_t backends = 0;
    size_t filters = 0;
    for (size_t i = 0; i < nrules; i++) {
        backends += route_rule(route, i).backends_len;
        filters += route_rule(route, i).filters_len;
    }
    row->backends.items = ARENA_ARRAY(arena, backends, struct attached_backend);
    row->mirrors.items = ARENA_ARRAY(arena, filters, struct attached_backend);
    for (size_t i = 0; i < nrules; i++) {
        resolve_rule(&backend, i, row);
    }
}
