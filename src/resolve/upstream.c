/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream: the clusters of a gateway.
 *
 *   ns/svc:port        the endpoints of the port
 *   ns/svc:port#h2     the same by HTTP/2: what GRPCRoutes send to a port that says no protocol
 *   ns/svc:port#raw    the same without the port's BackendTLSPolicy: for TLS that passes through
 *   mesh|ns/svc:port   the routes of the Service decide (parameter mesh-routes, gateway-api#1478)
 *
 * A backend that a BackendTLSPolicy governs is spoken TLS to, and to nobody in plain text: where
 * the policy is of no use the share is an error.
 */
#include "resolve/upstream.h"

#include "ir/gateway.h"
#include "ir/graph.h"
#include "resolve/excerpt.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/policy.h"
#include "resolve/resolve.h"

struct mesh_routes {
    struct row_span attached;
    enum kind_id kind; /* of those that govern; of the others nothing is applied */
};

/* The routes of requests of the Service port for clients of the Gateway's namespace; empty: there
 * are none to apply. */
static struct mesh_routes mesh_routes(struct eval *ev, struct str port, struct str client_ns)
{
    struct str own = arena_printf(eval_scratch(ev), "%.*s@%.*s", STR_FMT(port), STR_FMT(client_ns));
    struct row_span attached = eval_group(ev, X_ATTACHED, own);
    if (attached.len == 0) {
        attached = eval_group(ev, X_ATTACHED, port);
    }
    enum kind_id kind = govern_kind(attached);
    bool requests = kind != KIND_COUNT && !govern_of_connections(kind);
    return (struct mesh_routes){requests ? attached : (struct row_span){.len = 0}, kind};
}

/* The clusters to which routes of the mesh send are the mesh's, which speaks no TLS: what a
 * BackendTLSPolicy governs must not be sent to in plain text by way of them. Empty: nothing is. */
static struct str mesh_encrypted(struct eval *ev, const struct mesh_routes *routes)
{
    for (size_t i = 0; i < routes->attached.len; i++) {
        const struct attachment *attachment = (const struct attachment *)routes->attached.rows[i];
        bool applied = attachment->kind == (int)routes->kind;
        for (size_t j = 0; applied && j < attachment->backends.len + attachment->mirrors.len; j++) {
            const struct attached_backend *backend =
                j < attachment->backends.len
                    ? &attachment->backends.items[j]
                    : &attachment->mirrors.items[j - attachment->backends.len];
            if (backend->cluster.len > 0 && eval_get(ev, T_BACKEND_TLS, backend->cluster) != NULL) {
                return backend->cluster;
            }
        }
    }
    return STR_NULL;
}

/* By way of the mesh's routes. False: there are none. */
static bool choose_mesh(struct arena *arena, const struct sender *sender, struct str port_key,
                        struct str *ret_name, struct str *ret_reason)
{
    struct mesh_routes routes = {.attached = {.len = 0}};
    if (sender->requests && sender->gateway->parameters->mesh_routes) {
        routes = mesh_routes(sender->ev, port_key, sender->gateway->ns);
    }
    struct str encrypted = mesh_encrypted(sender->ev, &routes);
    *ret_name = STR_NULL;
    if (encrypted.len > 0) {
        *ret_reason = arena_printf(arena,
                                   "routes of Service port '%.*s' send to '%.*s', which a "
                                   "BackendTLSPolicy governs: with mesh-routes 'apply' that would "
                                   "be plain text",
                                   STR_FMT(port_key), STR_FMT(encrypted));
    } else if (routes.attached.len > 0) {
        *ret_name = arena_printf(arena, "mesh|%.*s", STR_FMT(port_key));
    }
    return routes.attached.len > 0;
}

struct str upstream_choose(struct arena *arena, const struct sender *sender,
                           const struct attached_backend *backend, struct str *ret_reason)
{
    struct eval *ev = sender->ev;
    struct str port_key = backend->cluster;
    *ret_reason = backend->ungranted.len > 0 ? backend->ungranted : backend->message;
    if (backend->ungranted.len > 0 || port_key.len == 0) {
        return STR_NULL;
    }
    const struct ir_backend_tls *tls =
        (const struct ir_backend_tls *)eval_get(ev, T_BACKEND_TLS, port_key);
    if (tls != NULL && sender->passthrough) {
        return arena_printf(arena, "%.*s#raw", STR_FMT(port_key));
    }
    if (tls != NULL && tls->fault.len > 0) {
        *ret_reason = tls->fault;
        return STR_NULL;
    }
    struct str mesh;
    if (choose_mesh(arena, sender, port_key, &mesh, ret_reason)) {
        return mesh;
    }
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, port_key);
    bool http2 = sender->grpc && port != NULL && port->protocol != IR_HTTP2;
    return http2 ? arena_printf(arena, "%.*s#h2", STR_FMT(port_key)) : arena_str(arena, port_key);
}

/* --- T_GATEWAY_CLUSTER ---------------------------------------------------------------------- */

static void copy_tls(const struct ir_gateway *gateway, const struct ir_backend_tls *tls,
                     struct ir_upstream *row)
{
    struct arena *arena = &row->row.arena;
    row->tls = true;
    row->hostname = arena_str(arena, tls->hostname);
    row->system = tls->system;
    row->sans.items = ARENA_ARRAY(arena, tls->sans.len, struct ir_san);
    for (size_t i = 0; i < tls->sans.len; i++) {
        const struct ir_san *san = &tls->sans.items[i];
        row->sans.items[row->sans.len++] = (struct ir_san){san->uri, arena_str(arena, san->value)};
    }
    row->authorities.items = ARENA_ARRAY(arena, tls->authorities.len, struct str);
    for (size_t i = 0; i < tls->authorities.len; i++) {
        row->authorities.items[row->authorities.len++] =
            arena_str(arena, tls->authorities.items[i]);
    }
    row->client_certificate = arena_str(arena, gateway->client_certificate);
}

static bool is_needed(struct eval *ev, const struct ir_gateway *gateway, const struct ir_port *port,
                      const struct upstream_name *name)
{
    if (gateway == NULL || !gateway->accepted || port == NULL) {
        return false;
    }
    if (name->mesh) {
        return gateway->parameters->mesh_routes &&
               mesh_routes(ev, name->port, gateway->ns).attached.len > 0;
    }
    return !name->http2 || port->protocol != IR_HTTP2;
}

const struct row *resolve_upstream(struct eval *ev, struct str key)
{
    struct gateway_part parts = gateway_part_parse(key);
    struct upstream_name name = upstream_name_parse(parts.part);
    const struct ir_gateway *gateway = excerpt_of_parent(ev, parts.gateway, STR_NULL);
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, name.port);
    if (!is_needed(ev, gateway, port, &name)) {
        return NULL;
    }
    const struct ir_backend_tls *tls =
        (const struct ir_backend_tls *)eval_get(ev, T_BACKEND_TLS, name.port);
    if (name.raw ? tls == NULL : tls != NULL && tls->fault.len > 0) {
        return NULL;
    }
    struct ir_upstream *row = row_new(sizeof(*row), 192);
    struct arena *arena = &row->row.arena;
    row->gateway = arena_str(arena, parts.gateway);
    row->name = arena_str(arena, parts.part);
    row->port = arena_str(arena, name.port);
    row->ns = arena_str(arena, port->ns);
    row->service = arena_str(arena, port->service);
    row->protocol = name.http2 ? IR_HTTP2 : port->protocol;
    row->mesh = name.mesh;
    const struct backend_policy *policy = policy_of(ev, port_key_parse(name.port).object);
    if (policy != NULL && policy->retry != NULL) {
        row->retry_budget = policy_budget(arena, policy->retry);
    }
    if (tls != NULL && !name.mesh && !name.raw) {
        copy_tls(gateway, tls, row);
    }
    return &row->row;
}

static void emit_upstreams(struct arena *scratch, struct str gateway,
                           const struct attachment *attachment,
                           const struct attached_backend *backends, size_t len,
                           struct group_emit *emit)
{
    bool requests = !govern_of_connections((enum kind_id)attachment->kind);
    for (size_t i = 0; i < len; i++) {
        struct str port = backends[i].cluster;
        if (port.len == 0 || backends[i].ungranted.len > 0) {
            continue;
        }
        group_emit(emit, arena_printf(scratch, "%.*s|%.*s", STR_FMT(gateway), STR_FMT(port)));
        if (requests) {
            group_emit(emit,
                       arena_printf(scratch, "%.*s|mesh|%.*s", STR_FMT(gateway), STR_FMT(port)));
        }
        if (attachment->kind == KIND_TLSROUTE) {
            group_emit(emit,
                       arena_printf(scratch, "%.*s|%.*s#raw", STR_FMT(gateway), STR_FMT(port)));
        }
        if (attachment->kind == KIND_GRPCROUTE) {
            group_emit(emit,
                       arena_printf(scratch, "%.*s|%.*s#h2", STR_FMT(gateway), STR_FMT(port)));
        }
    }
}

/* All that its routes may come to need; which of them they do, resolve_upstream() knows. */
void resolve_upstreams(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct attachment *attachment = (const struct attachment *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 1024);
    (void)key;
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        if (parent->listeners.len > 0 && attachment->kind != KIND_UDPROUTE) {
            emit_upstreams(&scratch, parent->gateway, attachment, attachment->backends.items,
                           attachment->backends.len, emit);
            emit_upstreams(&scratch, parent->gateway, attachment, attachment->mirrors.items,
                           attachment->mirrors.len, emit);
        }
    }
    arena_release(&scratch);
}

void resolve_upstream_secrets(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct ir_upstream *upstream = (const struct ir_upstream *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    (void)key;
    for (size_t i = 0; i < upstream->authorities.len; i++) {
        group_emit(emit, arena_printf(&scratch, "%.*s|ca/%.*s", STR_FMT(upstream->gateway),
                                      STR_FMT(upstream->authorities.items[i])));
    }
    arena_release(&scratch);
}
