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
#include <stdlib.h>

#include "ir/attachment.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "model/precedence.h"
#include "resolve/filters.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/l4.h"
#include "resolve/match.h"
#include "resolve/policy.h"
#include "resolve/resolve.h"
#include "resolve/room.h"
#include "resolve/rule.h"
#include "resolve/shares.h"

#define ROUTE_HINT 256 /* bytes of a route's texts and lists */

struct candidate { /* one match of one rule of one attached route */
    const struct http_match *http;
    const struct grpc_match *grpc;
    const struct route *route;
    const struct attachment *attachment;
    size_t age; /* position among the attachments: 0 is the oldest */
    size_t rule;
    size_t match;
};

static int candidate_cmp(const void *a, const void *b)
{
    const struct candidate *ca = a;
    const struct candidate *cb = b;
    int order = 0;
    if (ca->http != NULL && cb->http != NULL) {
        order = http_match_cmp(ca->http, cb->http);
    } else if (ca->http == NULL && cb->http == NULL) {
        order = grpc_match_cmp(ca->grpc, cb->grpc);
    }
    if (order == 0) {
        order = (ca->age > cb->age) - (ca->age < cb->age);
    }
    if (order == 0) {
        order = (ca->rule > cb->rule) - (ca->rule < cb->rule);
    }
    return order != 0 ? order : (ca->match > cb->match) - (ca->match < cb->match);
}

/* False: the match cannot be read, and takes no request. */
static bool fill_candidate(struct candidate *candidate)
{
    if (candidate->route->object.kind == KIND_GRPCROUTE) {
        static const struct grpc_match every = {.method = NULL};
        const struct grpc_rule *rule =
            &((const struct grpc_route *)candidate->route)->rules.items[candidate->rule];
        candidate->grpc = rule->matches.len > 0 ? &rule->matches.items[candidate->match] : &every;
        return candidate->grpc->fault.len == 0;
    } else {
        static const struct http_match every = {.path = {PATH_PREFIX, STR("/")}};
        const struct http_rule *rule =
            &((const struct http_route *)candidate->route)->rules.items[candidate->rule];
        candidate->http = rule->matches.len > 0 ? &rule->matches.items[candidate->match] : &every;
        return candidate->http->fault.len == 0;
    }
}

/* All matches of the attached routes of one kind, as far as there is room. */
static struct candidate *collect(struct eval *ev, struct row_span attached, enum kind_id kind,
                                 const struct ir_port *port, size_t *ret_len)
{
    struct room left;
    room_init(&left, port->service_ports);
    size_t room = 0;
    const struct route **routes = ARENA_ARRAY(eval_scratch(ev), attached.len, const struct route *);
    for (size_t i = 0; i < attached.len; i++) {
        const struct attachment *attachment = (const struct attachment *)attached.rows[i];
        if (attachment->kind != (int)kind || !room_take(&left, attachment)) {
            continue;
        }
        routes[i] = (const struct route *)eval_get(ev, T_ROUTE, attachment->key);
        for (size_t j = 0; routes[i] != NULL && j < route_rule_count(routes[i]); j++) {
            room += route_match_count(routes[i], j);
        }
    }
    struct candidate *all = ARENA_ARRAY(eval_scratch(ev), room, struct candidate);
    size_t len = 0;
    for (size_t i = 0; i < attached.len; i++) {
        for (size_t j = 0; routes[i] != NULL && j < route_rule_count(routes[i]); j++) {
            for (size_t k = 0; k < route_match_count(routes[i], j); k++) {
                all[len] = (struct candidate){
                    .route = routes[i],
                    .attachment = (const struct attachment *)attached.rows[i],
                    .age = i,
                    .rule = j,
                    .match = k,
                };
                len += fill_candidate(&all[len]) ? 1 : 0;
            }
        }
    }
    qsort(all, len, sizeof(*all), candidate_cmp);
    *ret_len = len;
    return all;
}

static void make_error(struct ir_route *route, struct str reason)
{
    route->action = IR_ERROR;
    route->reason = reason;
}

static void forward(struct arena *arena, const struct candidate *from, const struct rule_view *rule,
                    struct str own_cluster, struct ir_route *route)
{
    route->action = IR_FORWARD;
    /* GEP-1686: without backendRefs a mesh route sends to the Service it is attached to. */
    route->backends.len =
        rule->backends_len == 0
            ? shares_of_port(arena, own_cluster, &route->backends.items)
            : shares_of_rule(arena, from->attachment, rule, from->rule, &route->backends.items);
    if (route->backends.len == 0) {
        make_error(route, STR(RULE_WEIGHTLESS));
    }
}

static void make_route(struct arena *arena, const struct candidate *from,
                       const struct ir_port *port, struct str own_cluster, struct ir_route *route)
{
    if (from->http != NULL) {
        match_from_http(arena, from->http, &route->match);
    } else {
        match_from_grpc(arena, from->grpc, &route->match);
    }
    bool grpc = from->route->object.kind == KIND_GRPCROUTE;
    route->error_status = grpc ? 503 : 500;
    route->rule = arena_printf(arena, "%.*s/%zu", STR_FMT(from->attachment->key), from->rule);
    struct str unserved = rule_unserved(from->route, from->rule, arena);
    if (unserved.len > 0) {
        make_error(route, unserved);
        return;
    }
    struct rule_view rule = route_rule(from->route, from->rule);
    filters_of_rule(arena, &rule, from->rule, from->attachment, port->port, route);
    if (route->action != IR_REDIRECT) {
        forward(arena, from, &rule, own_cluster, route);
    }
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

static void request_routes(const struct candidate *candidates, size_t len,
                           const struct ir_port *port, struct ir_routing *row)
{
    struct arena *arena = &row->row.arena;
    row->routes.items = ARENA_ARRAY(arena, len, struct ir_route);
    for (size_t i = 0; i < len; i++) {
        make_route(arena, &candidates[i], port, row->name, &row->routes.items[row->routes.len++]);
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
    if (port == NULL || !port->backend || (attached.len == 0 && parts.client_ns.len > 0)) {
        return NULL;
    }
    enum kind_id kind = govern_kind(attached);
    size_t len = 0;
    const struct candidate *candidates =
        govern_of_connections(kind) ? NULL : collect(ev, attached, kind, port, &len);

    struct ir_routing *row =
        row_new(sizeof(*row), 64 + len * (sizeof(struct ir_route) + ROUTE_HINT));
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
        request_routes(candidates, len, port, row);
    }
    policy_sessions(ev, row);
    return &row->row;
}
