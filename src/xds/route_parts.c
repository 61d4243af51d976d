/* SPDX-License-Identifier: Apache-2.0 */
/* route_parts: see route_parts.h. */
#include "xds/route_parts.h"

#include "base/panic.h"

struct parts {
    struct arena *arena;
    const struct ir_route *ir;
    struct route_part *items;
    size_t len;
    int64_t sum;  /* of all weights */
    int64_t gone; /* of those that have their slice */
};

static uint32_t of_a_million(const struct parts *parts, int64_t weight)
{
    return (uint32_t)((weight * FRACTION_MILLION + parts->sum / 2) / parts->sum);
}

/* The rule for some backends of it, which have `weight` together. */
static struct ir_route *add_part(struct parts *parts, int64_t weight, size_t room)
{
    struct route_part *part = &parts->items[parts->len++];
    part->route = *parts->ir;
    part->route.backends.items = ARENA_ARRAY(parts->arena, room, struct ir_backend);
    part->route.backends.len = 0;
    part->slice.from = of_a_million(parts, parts->gone);
    parts->gone += weight;
    part->slice.to = of_a_million(parts, parts->gone);
    return &part->route;
}

/* A backend's own path in place of the rule's. */
static void add_moved(struct parts *parts, const struct ir_backend *backend)
{
    struct ir_route *route = add_part(parts, backend->weight, 1);
    route->backends.items[route->backends.len++] = *backend;
    struct ir_rewrite *rewrite = ARENA_NEW(parts->arena, struct ir_rewrite);
    rewrite->hostname = parts->ir->rewrite != NULL ? parts->ir->rewrite->hostname : STR_NULL;
    rewrite->path_change = backend->path_change;
    rewrite->path = backend->path;
    route->rewrite = rewrite;
}

static void add_rest(struct parts *parts)
{
    struct ir_route *route = add_part(parts, parts->sum - parts->gone, parts->ir->backends.len);
    for (size_t i = 0; i < parts->ir->backends.len; i++) {
        const struct ir_backend *backend = &parts->ir->backends.items[i];
        if (backend->cluster.len > 0 && backend->path_change == IR_PATH_KEEP) {
            route->backends.items[route->backends.len++] = *backend;
        }
    }
}

size_t xds_route_parts(struct arena *arena, const struct ir_route *ir,
                       struct route_part **ret_parts)
{
    struct parts parts = {.arena = arena, .ir = ir};
    parts.items = ARENA_ARRAY(arena, ir->backends.len, struct route_part);
    for (size_t i = 0; i < ir->backends.len; i++) {
        const struct ir_backend *backend = &ir->backends.items[i];
        parts.sum += backend->weight;
        parts.gone += backend->cluster.len == 0 ? backend->weight : 0;
    }
    for (size_t i = 0; i < ir->backends.len; i++) {
        const struct ir_backend *backend = &ir->backends.items[i];
        if (backend->cluster.len > 0 && backend->path_change != IR_PATH_KEEP) {
            add_moved(&parts, backend);
        }
    }
    if (parts.gone < parts.sum) {
        add_rest(&parts);
    }
    ASSERT(parts.len > 0);
    *ret_parts = parts.items;
    return parts.len;
}
