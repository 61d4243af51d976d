/* SPDX-License-Identifier: Apache-2.0 */
/* near: see near.h. */
#include "resolve/near.h"

#define RANKS 3 /* the node, its zone, all others */

struct nearness {
    struct str node; /* empty: the place is a zone */
    struct str zone; /* empty: unknown */
    bool by_node_hints, by_zone_hints;
};

static bool is_node(struct str place, struct str *ret_name)
{
    struct str rest = place;
    struct str kind = str_cut(&rest, '/');
    *ret_name = rest;
    return str_eq(kind, STR("node"));
}

size_t near_keep_node(struct served *all, size_t len, struct str place)
{
    struct str node;
    size_t kept = 0;
    (void)is_node(place, &node);
    for (size_t i = 0; i < len; i++) {
        if (str_eq(all[i].endpoint->node_name, node)) {
            all[kept++] = all[i];
        }
    }
    return kept;
}

/* The zone of a node is the one of the endpoints on it. */
static struct str zone_of(const struct served *all, size_t len, struct str node)
{
    for (size_t i = 0; i < len; i++) {
        if (str_eq(all[i].endpoint->node_name, node) && all[i].endpoint->zone.len > 0) {
            return all[i].endpoint->zone;
        }
    }
    return STR_NULL;
}

static const struct endpoint_hints *hints_of(const struct endpoint *endpoint)
{
    static const struct endpoint_hints none;
    return endpoint->hints != NULL ? endpoint->hints : &none;
}

static struct nearness nearness_of(const struct served *all, size_t len, struct str place)
{
    struct nearness near = {.by_node_hints = true, .by_zone_hints = true};
    struct str name;
    if (is_node(place, &name)) {
        near.node = name;
        near.zone = zone_of(all, len, name);
    } else {
        near.zone = name;
    }
    for (size_t i = 0; i < len; i++) {
        if (all[i].ready) {
            const struct endpoint_hints *hints = hints_of(all[i].endpoint);
            near.by_node_hints = near.by_node_hints && hints->nodes.len > 0;
            near.by_zone_hints = near.by_zone_hints && hints->zones.len > 0;
        }
    }
    return near;
}

static bool hinted(const struct endpoint_hint *hints, size_t len, struct str name)
{
    for (size_t i = 0; i < len; i++) {
        if (str_eq(hints[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* 0 is nearest. */
static unsigned rank_of(const struct nearness *near, const struct endpoint *endpoint)
{
    const struct endpoint_hints *hints = hints_of(endpoint);
    bool on_node = near->by_node_hints ? hinted(hints->nodes.items, hints->nodes.len, near->node)
                                       : str_eq(endpoint->node_name, near->node);
    if (near->node.len > 0 && on_node) {
        return 0;
    }
    bool in_zone = near->by_zone_hints ? hinted(hints->zones.items, hints->zones.len, near->zone)
                                       : str_eq(endpoint->zone, near->zone);
    return near->zone.len > 0 && in_zone ? 1 : 2;
}

bool near_rank(struct served *all, size_t len, struct str place)
{
    struct nearness near = nearness_of(all, len, place);
    bool used[RANKS] = {false}; /* by something that is ready */
    for (size_t i = 0; i < len; i++) {
        unsigned rank = rank_of(&near, all[i].endpoint);
        used[rank] = used[rank] || all[i].ready;
    }
    if (!used[near.node.len > 0 ? 0 : 1]) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned rank = rank_of(&near, all[i].endpoint);
        for (unsigned nearer = 0; nearer < rank; nearer++) {
            all[i].priority += used[nearer];
        }
    }
    return true;
}
