/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places: from where do the endpoints of a Service port look different?
 *
 *   trafficDistribution       a row of endpoints for each zone, or zone and node, with clients
 *   internalTrafficPolicy     Local: one for each node with clients
 *   neither                   none: everybody shares one
 *
 * A client has the scopes of its zone and node (ir/client.h) and reads the row of the nearest place
 * that has one.
 */
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "resolve/resolve.h"

/* Of one port. Clients name their zone and node themselves; those of further places, by name, read
 * the row that is for everybody. */
#define PLACES_MAX 8192

static const struct str zones = STR("zone");
static const struct str nodes = STR("node");

void resolve_places_of_clients(const struct row *row, struct str key, struct group_emit *emit)
{
    struct str scope = ((const struct view_row *)row)->scope;
    (void)key;
    if (str_starts_with(scope, STR(SCOPE_ZONE))) {
        group_emit(emit, zones);
    } else if (str_starts_with(scope, STR(SCOPE_NODE))) {
        group_emit(emit, nodes);
    }
}

void resolve_endpoints_of_places(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct ir_places *places = (const struct ir_places *)row;
    (void)key;
    for (size_t i = 0; i < places->keys.len; i++) {
        group_emit(emit, places->keys.items[i]);
    }
}

static void add(struct ir_places *places, struct str port, struct row_span views)
{
    for (size_t i = 0; i < views.len && places->keys.len < PLACES_MAX; i++) {
        struct str scope = ((const struct view_row *)views.rows[i])->scope;
        struct str place = str_sub(scope, sizeof(SCOPE_ALL) - 1, scope.len);
        places->keys.items[places->keys.len++] =
            arena_printf(&places->row.arena, "%.*s%.*s", STR_FMT(port), STR_FMT(place));
    }
}

const struct row *resolve_places(struct eval *ev, struct str key)
{
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, key);
    if (port == NULL || !port->backend || port->nearness == IR_ANYWHERE) {
        return NULL;
    }
    struct row_span none = {.len = 0};
    struct row_span in_zones =
        port->nearness != IR_ONLY_NODE ? eval_group(ev, X_PLACES_OF_CLIENTS, zones) : none;
    struct row_span on_nodes =
        port->nearness != IR_PREFER_ZONE ? eval_group(ev, X_PLACES_OF_CLIENTS, nodes) : none;
    size_t all = in_zones.len + on_nodes.len;
    size_t len = all < PLACES_MAX ? all : PLACES_MAX;
    struct ir_places *places = row_new(sizeof(*places), len * (key.len + 64));
    places->keys.items = ARENA_ARRAY(&places->row.arena, len, struct str);
    add(places, key, in_zones);
    add(places, key, on_nodes);
    return &places->row;
}
