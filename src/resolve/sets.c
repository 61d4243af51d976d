/* SPDX-License-Identifier: Apache-2.0 */
/* sets: ListenerSets by their Gateway; which it allows, which are accepted. */
#include "resolve/sets.h"

#include <stdlib.h>

#include "ir/graph.h"
#include "model/route.h"
#include "resolve/admit.h"
#include "resolve/resolve.h"

struct str set_parent(struct arena *arena, const struct listener_set *set)
{
    const struct named_ref *parent = &set->parent;
    if (!str_eq(parent->group, STR(GATEWAY_GROUP)) || !str_eq(parent->kind, STR("Gateway"))) {
        return STR_NULL;
    }
    struct str ns = parent->ns.len > 0 ? parent->ns : set->object.meta.ns;
    return arena_printf(arena, "%.*s/%.*s", STR_FMT(ns), STR_FMT(parent->name));
}

void resolve_sets_of_gateway(const struct row *row, struct str key, struct group_emit *emit)
{
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    (void)key;
    struct str gateway = set_parent(&scratch, (const struct listener_set *)row);
    if (gateway.len > 0) {
        group_emit(emit, gateway);
    }
    arena_release(&scratch);
}

/* "ListenerSet ordered by creation time (oldest first), ordered alphabetically by
 * {namespace}/{name}" (ListenerSetSpec.listeners): the engine breaks ties by key. */
int resolve_sets_order(const struct row *a, const struct row *b)
{
    int64_t created_a = ((const struct object *)a)->meta.created;
    int64_t created_b = ((const struct object *)b)->meta.created;
    return (created_a > created_b) - (created_a < created_b);
}

void sets_collect(struct judging *judging, struct str key)
{
    const struct gateway *gateway = judging->gateway;
    struct row_span sets = eval_group(judging->ev, X_SETS, key);
    struct arena *scratch = eval_scratch(judging->ev);
    struct arena *arena = &judging->row->row.arena;
    struct ir_gateway *row = judging->row;
    struct listener_source *sources = ARENA_ARRAY(scratch, sets.len + 1, struct listener_source);
    sources[judging->nsources++] = (struct listener_source){
        .meta = &gateway->object.meta,
        .kind = "Gateway",
        .items = gateway->listeners.items,
        .len = gateway->listeners.len,
    };
    size_t at = gateway->listeners.len;
    row->sets.items = ARENA_ARRAY(arena, sets.len, struct ir_listener_set);
    for (size_t i = 0; i < sets.len; i++) {
        const struct listener_set *set = (const struct listener_set *)sets.rows[i];
        const struct meta *meta = &set->object.meta;
        struct ir_listener_set *listed = &row->sets.items[row->sets.len++];
        listed->key = arena_printf(arena, "%.*s/%.*s", STR_FMT(meta->ns), STR_FMT(meta->name));
        listed->allowed = admit_namespace(judging->ev, gateway->sets_from, gateway->sets_selector,
                                          gateway->object.meta.ns, meta->ns);
        if (listed->allowed) {
            listed->first = (int32_t)at;
            listed->len = (int32_t)set->listeners.len;
            at += set->listeners.len;
            sources[judging->nsources++] = (struct listener_source){
                .meta = meta,
                .kind = "ListenerSet",
                .set = listed->key,
                .items = set->listeners.items,
                .len = set->listeners.len,
            };
        }
    }
    judging->sources = sources;
}

static size_t count_served(const struct ir_gateway *row, const struct ir_listener_set *set)
{
    size_t served = 0;
    for (int32_t i = set->first; i < set->first + set->len; i++) {
        served += row->listeners.items[i].served;
    }
    return served;
}

static struct condition judge_set(struct arena *arena, const struct ir_listener_set *set,
                                  bool blocked, size_t good)
{
    if (!set->allowed) {
        return (struct condition){C_set_not_allowed,
                                  STR("the Gateway's 'allowedListeners' do not admit ListenerSets "
                                      "of this namespace")};
    }
    if (blocked) {
        return (struct condition){C_set_parent, STR("the Gateway is not accepted")};
    }
    if (good == 0) {
        return (struct condition){C_set_no_listener,
                                  STR("none of its listeners can be served: each says why")};
    }
    size_t all = (size_t)set->len;
    if (good < all) {
        return (struct condition){C_set_partly, arena_printf(arena,
                                                             "%zu of %zu listeners cannot be "
                                                             "served: each says why",
                                                             all - good, all)};
    }
    return (struct condition){C_set_accepted, STR("the ListenerSet is valid")};
}

static int set_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct ir_listener_set *)a)->key,
                   ((const struct ir_listener_set *)b)->key);
}

void sets_conclude(struct judging *judging, bool blocked)
{
    struct ir_gateway *row = judging->row;
    struct arena *arena = &row->row.arena;
    for (size_t i = 0; i < row->sets.len; i++) {
        struct ir_listener_set *set = &row->sets.items[i];
        size_t good = count_served(row, set);
        set->conditions.items = ARENA_ARRAY(arena, 1, struct condition);
        set->conditions.items[set->conditions.len++] = judge_set(arena, set, blocked, good);
        set->accepted = set->allowed && !blocked && good > 0;
    }
    if (row->sets.len > 0) {
        qsort(row->sets.items, row->sets.len, sizeof(*row->sets.items), set_cmp);
    }
}
