/* SPDX-License-Identifier: Apache-2.0 */
/*
 * l4: where the connections to a Service port go.
 *
 *   no route    to the Service's own endpoints
 *   TCPRoute    to the backends of the oldest; the others wait for it to go
 *   TLSRoute    by the server name of the ClientHello. A name that several routes have belongs to
 *               the oldest; of several names that match, an exact one comes first, then the longest
 *               (TLSRouteSpec.hostnames). A connection that no name takes is refused, since routes
 *               replace the default routing (GEP-1294)
 *
 * "Implementations SHOULD NOT infer any functionality from the hostnames field" (GEP-1294) is not
 * followed for TLSRoutes: hostnames are all that a TLSRoute has to tell connections apart,
 * required, and of the layer that it routes; without them it would be a TCPRoute.
 */
#include "resolve/l4.h"

#include "base/map.h"
#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/route.h"
#include "resolve/govern.h"
#include "resolve/rule.h"
#include "resolve/shares.h"

#define ONLY_RULE 0 /* v1 admits one */

static void set_backends(struct arena *arena, const struct route *route,
                         const struct attachment *attachment, struct ir_l4_route *connection)
{
    static const struct sender mesh = {.gateway = NULL};
    struct rule_view rule = route_rule(route, ONLY_RULE);
    connection->rule = arena_printf(arena, "%.*s/%d", STR_FMT(attachment->key), ONLY_RULE);
    connection->backends.len =
        shares_of_rule(arena, &mesh, attachment, &rule, ONLY_RULE, &connection->backends.items);
    if (rule.fault.len > 0) {
        connection->reason = arena_str(arena, rule.fault);
    } else if (connection->backends.len == 0) {
        connection->reason = STR(RULE_WEIGHTLESS);
    }
}

struct str l4_name(struct arena *arena, const struct attachment *attachment, struct str port)
{
    if (attachment->kind != KIND_TLSROUTE) {
        return arena_str(arena, port);
    }
    size_t at = str_index(port, '@');
    return arena_printf(arena, "%.*s/%.*s%.*s", STR_FMT(str_sub(port, 0, at)),
                        STR_FMT(attachment->key), STR_FMT(str_sub(port, at, port.len)));
}

/* --- TLSRoute ------------------------------------------------------------------------------ */

/* The names that no older route has; what is in `owned` is. */
static void take_names(struct arena *arena, const struct route *route, struct map *owned,
                       struct ir_l4_route *connection)
{
    connection->server_names.items = ARENA_ARRAY(arena, route->hostnames.len, struct str);
    for (size_t i = 0; i < route->hostnames.len; i++) {
        struct str name = route->hostnames.items[i];
        if (map_get(owned, name) == NULL) {
            (void)map_put(owned, name, connection);
            connection->server_names.items[connection->server_names.len++] = arena_str(arena, name);
        }
    }
}

static void tls_connections(struct eval *ev, struct row_span attached, struct ir_routing *row)
{
    struct arena *arena = &row->row.arena;
    struct map owned = {.slots = NULL};
    row->connections.items = ARENA_ARRAY(arena, attached.len, struct ir_l4_route);
    for (size_t i = 0; i < attached.len; i++) {
        const struct attachment *attachment = (const struct attachment *)attached.rows[i];
        const struct route *route =
            attachment->kind == KIND_TLSROUTE
                ? (const struct route *)eval_get(ev, T_ROUTE, attachment->key)
                : NULL;
        if (route == NULL) {
            continue;
        }
        struct ir_l4_route *connection = &row->connections.items[row->connections.len];
        take_names(arena, route, &owned, connection);
        if (connection->server_names.len > 0) {
            connection->name = l4_name(arena, attachment, row->name);
            set_backends(arena, route, attachment, connection);
            row->connections.len++;
        }
    }
    map_release(&owned);
}

/* --- TCPRoute ------------------------------------------------------------------------------ */

static void tcp_connections(struct eval *ev, struct row_span attached, struct ir_routing *row)
{
    struct arena *arena = &row->row.arena;
    row->connections.items = ARENA_NEW(arena, struct ir_l4_route);
    for (size_t i = 0; i < attached.len && row->connections.len == 0; i++) {
        const struct attachment *attachment = (const struct attachment *)attached.rows[i];
        const struct route *route =
            attachment->kind == KIND_TCPROUTE
                ? (const struct route *)eval_get(ev, T_ROUTE, attachment->key)
                : NULL;
        if (route != NULL) {
            struct ir_l4_route *connection = &row->connections.items[row->connections.len++];
            connection->name = l4_name(arena, attachment, row->name);
            set_backends(arena, route, attachment, connection);
        }
    }
}

/* --- both ---------------------------------------------------------------------------------- */

static void default_connection(struct ir_routing *row)
{
    struct arena *arena = &row->row.arena;
    row->connections.items = ARENA_NEW(arena, struct ir_l4_route);
    row->connections.items[0].backends.len =
        shares_of_port(arena, row->name, &row->connections.items[0].backends.items);
    row->connections.len = 1;
}

/* A client that knows nothing but requests, a proxyless one, follows a TCPRoute with each of them.
 * It cannot follow a TLSRoute. */
static void set_requests(struct ir_routing *row)
{
    struct arena *arena = &row->row.arena;
    struct ir_route *route = ARENA_NEW(arena, struct ir_route);
    const struct ir_l4_route *connection = &row->connections.items[0];
    row->routes.items = route;
    row->routes.len = 1;
    if (connection->server_names.len > 0) {
        route->backends.len = shares_of_port(arena, row->name, &route->backends.items);
        return;
    }
    route->rule = connection->rule;
    route->action = connection->backends.len > 0 ? IR_FORWARD : IR_ERROR;
    route->reason = connection->reason;
    route->backends.items = connection->backends.items;
    route->backends.len = connection->backends.len;
}

void l4_routing(struct eval *ev, struct row_span attached, enum kind_id kind,
                struct ir_routing *row)
{
    if (kind == KIND_TLSROUTE) {
        tls_connections(ev, attached, row);
    } else if (kind == KIND_TCPROUTE) {
        tcp_connections(ev, attached, row);
    } else {
        default_connection(row);
    }
    set_requests(row);
}

/* --- older routes -------------------------------------------------------------------------- */

static struct str route_of(const struct ir_l4_route *connection)
{
    return str_sub(connection->rule, 0, str_rindex(connection->rule, '/'));
}

static const struct ir_l4_route *connection_of(const struct ir_routing *routing, struct str route)
{
    for (size_t i = 0; i < routing->connections.len; i++) {
        if (str_eq(route_of(&routing->connections.items[i]), route)) {
            return &routing->connections.items[i];
        }
    }
    return NULL;
}

static bool has_name(const struct ir_l4_route *connection, struct str name)
{
    for (size_t i = 0; connection != NULL && i < connection->server_names.len; i++) {
        if (str_eq(connection->server_names.items[i], name)) {
            return true;
        }
    }
    return false;
}

/* How many of the hostnames `mine` lacks; it has the others in their order. */
static size_t names_lost(const struct route *route, const struct ir_l4_route *mine,
                         struct str *ret_first)
{
    size_t next = 0;
    size_t lost = 0;
    for (size_t i = 0; i < route->hostnames.len; i++) {
        struct str name = route->hostnames.items[i];
        if (mine != NULL && next < mine->server_names.len &&
            str_eq(mine->server_names.items[next], name)) {
            next++;
        } else if (!has_name(mine, name) && lost++ == 0) {
            *ret_first = name;
        }
    }
    return lost;
}

static struct str outranked_names(struct arena *arena, const struct route *route,
                                  const struct ir_routing *routing, const struct ir_l4_route *mine)
{
    struct str first;
    size_t lost = names_lost(route, mine, &first);
    if (lost == 0) {
        return STR_NULL;
    }
    size_t i = 0;
    while (!has_name(&routing->connections.items[i], first)) {
        i++;
    }
    struct str owner = route_of(&routing->connections.items[i]);
    struct str more = lost > 1 ? arena_printf(arena, "; %zu more of its hostnames %s taken, too",
                                              lost - 1, lost == 2 ? "is" : "are")
                               : STR_NULL;
    return arena_printf(arena, "'%.*s' on '%.*s' belongs to %.*s, which is older%.*s",
                        STR_FMT(first), STR_FMT(routing->name), STR_FMT(owner), STR_FMT(more));
}

static struct str outranked_on(struct arena *arena, const struct route *route, struct str key,
                               const struct ir_routing *routing)
{
    const struct ir_l4_route *mine = connection_of(routing, key);
    if (route->object.kind == KIND_TLSROUTE) {
        return outranked_names(arena, route, routing, mine);
    }
    return mine != NULL ? STR_NULL
                        : arena_printf(arena, "%.*s, which is older, has the connections to '%.*s'",
                                       STR_FMT(route_of(&routing->connections.items[0])),
                                       STR_FMT(routing->name));
}

struct str l4_outranked(struct eval *ev, struct arena *arena, const struct route *route,
                        const struct attachment *attachment, const struct attached_parent *parent)
{
    struct str kind = str_from(kind_info(route->object.kind)->kind);
    bool l4 = govern_of_connections(route->object.kind);
    struct str text = STR_NULL;
    for (size_t i = 0; l4 && text.len == 0 && i < parent->ports.len; i++) {
        const struct ir_routing *routing =
            (const struct ir_routing *)eval_get(ev, T_ROUTING, parent->ports.items[i]);
        if (routing != NULL && str_eq(routing->kind, kind)) {
            text = outranked_on(arena, route, attachment->key, routing);
        }
    }
    return text;
}
