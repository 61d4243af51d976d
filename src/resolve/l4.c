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
#include "resolve/attach.h"
#include "resolve/govern.h"
#include "resolve/key.h"
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

/* The oldest TLSRoute of the port that has the name; empty: it is the route itself. */
static struct str name_owner(struct eval *ev, const struct attachment *attachment, struct str port,
                             struct str name)
{
    struct row_span having =
        eval_group(ev, X_ATTACHED_NAMES, attach_name(eval_scratch(ev), port, name));
    struct str owner =
        having.len > 0 ? ((const struct attachment *)having.rows[0])->key : attachment->key;
    return str_eq(owner, attachment->key) ? STR_NULL : owner;
}

static struct str outranked_names(struct eval *ev, struct arena *arena,
                                  const struct attachment *attachment, struct str port)
{
    struct str first = STR_NULL;
    struct str owner = STR_NULL;
    size_t lost = 0;
    for (size_t i = 0; i < attachment->names.len; i++) {
        struct str other = name_owner(ev, attachment, port, attachment->names.items[i]);
        if (other.len > 0 && lost++ == 0) {
            first = attachment->names.items[i];
            owner = other;
        }
    }
    if (lost == 0) {
        return STR_NULL;
    }
    struct str more = lost > 1 ? arena_printf(arena, "; %zu more of its hostnames %s taken, too",
                                              lost - 1, lost == 2 ? "is" : "are")
                               : STR_NULL;
    return arena_printf(arena, "'%.*s' on '%.*s' belongs to %.*s, which is older%.*s",
                        STR_FMT(first), STR_FMT(port_key_parse(port).port_key), STR_FMT(owner),
                        STR_FMT(more));
}

static struct str outranked_on(struct eval *ev, struct arena *arena,
                               const struct attachment *attachment, struct str port)
{
    struct str kind = str_from(kind_info((enum kind_id)attachment->kind)->kind);
    const struct ir_standings *standings =
        (const struct ir_standings *)eval_get(ev, T_STANDINGS, port);
    if (standings != NULL && standings->kind.len > 0 && !str_eq(standings->kind, kind)) {
        return STR_NULL; /* it has no say there at all */
    }
    if (attachment->kind == KIND_TLSROUTE) {
        return outranked_names(ev, arena, attachment, port);
    }
    return standings == NULL || str_eq(standings->first, attachment->key)
               ? STR_NULL
               : arena_printf(arena, "%.*s, which is older, has the connections to '%.*s'",
                              STR_FMT(standings->first), STR_FMT(port_key_parse(port).port_key));
}

struct str l4_outranked(struct eval *ev, struct arena *arena, const struct attachment *attachment,
                        const struct attached_parent *parent)
{
    bool l4 = govern_of_connections((enum kind_id)attachment->kind);
    struct str text = STR_NULL;
    for (size_t i = 0; l4 && text.len == 0 && i < parent->ports.len; i++) {
        text = outranked_on(ev, arena, attachment, parent->ports.items[i]);
    }
    return text;
}
