/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing: the ordered routes of one Service port for one set of clients.
 *
 *   attachments of the port (oldest first) ─► all their matches ─► by the spec's precedence
 *                                                                ─► ir_route each
 *
 * - Of the kinds of routes on one port a single one is applied (govern.h).
 * - Producer and consumer routes are never merged: they are different rows.
 * - What finds no room is left out (room.h).
 * - No attachment: the Service's default routing, which is its own endpoints.
 * - TCPRoutes, TLSRoutes, and ports that do not speak HTTP: l4.c.
 */
#include "ir/attachment.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "resolve/candidates.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/l4.h"
#include "resolve/policy.h"
#include "resolve/resolve.h"
#include "resolve/room.h"
#include "resolve/shares.h"

/* The attached routes of one kind, as far as there is room; the others are left out. */
static const struct attachment **find_room(struct eval *ev, struct row_span attached,
                                           enum kind_id kind, const struct ir_port *port)
{
    const struct attachment **chosen =
        ARENA_ARRAY(eval_scratch(ev), attached.len, const struct attachment *);
    struct room left;
    room_init(&left, port->service_ports);
    for (size_t i = 0; i < attached.len; i++) {
        const struct attachment *attachment = (const struct attachment *)attached.rows[i];
        bool fits = attachment->kind == (int)kind && room_take(&left, attachment);
        chosen[i] = fits ? attachment : NULL;
    }
    return chosen;
}

/* Everything to the Service's own endpoints. */
static void default_route(struct ir_routing *row)
{
    struct arena *arena = &row->row.arena;
    row->routes.items = ARENA_NEW(arena, struct ir_route);
    row->routes.items[0].backends.len =
        shares_of_port(arena, row->name, &row->routes.items[0].backends.items);
    row->routes.len = 1;
}

static void request_routes(struct eval *ev, struct candidates candidates,
                           const struct ir_port *port, struct ir_routing *row)
{
    struct arena *arena = &row->row.arena;
    const struct arrival arrival = {
        .port = port->port, .sender = {.ev = ev}, .own_cluster = row->name};
    row->routes.items = ARENA_ARRAY(arena, candidates.len, struct ir_route);
    for (size_t i = 0; i < candidates.len; i++) {
        candidate_route(arena, &candidates.items[i], &arrival,
                        &row->routes.items[row->routes.len++]);
    }
}

static bool speaks_http(const struct ir_port *port)
{
    return port->protocol == IR_HTTP || port->protocol == IR_HTTP2;
}

const struct row *resolve_routing(struct eval *ev, struct str key)
{
    struct port_key parts = port_key_parse(key);
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, parts.port_key);
    struct row_span attached = eval_group(ev, X_ATTACHED, key);
    if (port == NULL || !port->backend || parts.udp ||
        (attached.len == 0 && parts.client_ns.len > 0)) {
        return NULL;
    }
    enum kind_id kind = govern_kind(attached);
    struct candidates candidates = {.len = 0};
    if (!govern_of_connections(kind)) {
        candidates = candidates_of(ev, find_room(ev, attached, kind, port), attached.len);
    }
    struct ir_routing *row =
        row_new(sizeof(*row), 64 + candidates.len * (sizeof(struct ir_route) + ROUTE_HINT));
    struct arena *arena = &row->row.arena;
    row->name = arena_str(arena, parts.port_key);
    row->client_ns = arena_str(arena, parts.client_ns);
    row->kind = kind < KIND_COUNT ? str_from(kind_info(kind)->kind) : STR_NULL;
    row->http = kind < KIND_COUNT ? !govern_of_connections(kind) : speaks_http(port);
    if (!row->http) {
        l4_routing(ev, attached, kind, row);
        return &row->row;
    }
    if (attached.len == 0) {
        default_route(row);
    } else {
        request_routes(ev, candidates, port, row);
    }
    policy_sessions(ev, row);
    return &row->row;
}
