/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rivals: HTTPRoutes and GRPCRoutes that want the same hostname of a listener.
 *
 * "If both types of Routes … would result in a request that matches both, … implementations MUST …
 * accept exactly one" (GRPCRoute): the two are never merged. From the oldest on each route is let
 * in, unless some hostname of it meets one of a route of the other kind that was let in before.
 * Routes that are not accepted anyhow, since heddle serves none of their rules, come last: they
 * keep nobody out.
 *
 * Two patterns meet when one covers the other. So that no route is compared with each other one,
 * the hostnames of a kind are kept in two maps: as they are, and under each wildcard that covers
 * them.
 */
#include <stdlib.h>

#include "base/map.h"
#include "ir/attachment.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "model/hostname.h"
#include "resolve/resolve.h"

#define ANY STR("*")

struct taken { /* hostnames of the routes of one kind that were let in; who came first with each */
    struct map names; /* "a.example.com", "*.example.com", "*" */
    struct map above; /* "*.example.com" and "*" of the first; "*" of the second */
};

/* The next wider wildcard: "a.b.c" and "*.b.c" have "*.b.c" and "*.c", those of one label "*"; of
 * "*" there is none. */
static bool widen(struct arena *scratch, struct str *name)
{
    if (hostname_is_any(*name)) {
        return false;
    }
    struct str rest = hostname_is_wildcard(*name) ? str_sub(*name, 2, name->len) : *name;
    size_t dot = str_index(rest, '.');
    *name = dot < rest.len ? arena_printf(scratch, "*%.*s", STR_FMT(str_sub(rest, dot, rest.len)))
                           : ANY;
    return true;
}

static const struct attachment *who_has(struct arena *scratch, const struct taken *taken,
                                        struct str name)
{
    const struct attachment *owner = map_get(&taken->above, name); /* narrower ones */
    struct str wider = name;
    do {
        owner = owner != NULL ? owner : map_get(&taken->names, wider);
    } while (owner == NULL && widen(scratch, &wider));
    return owner;
}

static void put_first(struct map *map, struct str name, const struct attachment *owner)
{
    if (map_get(map, name) == NULL) {
        (void)map_put(map, name, (void *)owner);
    }
}

static void take(struct arena *scratch, struct taken *taken, struct str name,
                 const struct attachment *owner)
{
    put_first(&taken->names, name, owner);
    while (widen(scratch, &name)) {
        put_first(&taken->above, name, owner);
    }
}

struct names {
    LIST(struct str) items;
};

/* What the route asks for of the listener, by whichever of its parentRefs. */
static struct names names_on(struct arena *scratch, const struct attachment *attachment,
                             struct str listener)
{
    struct names names = {.items = {.len = 0}};
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->listeners.len; j++) {
            const struct attached_listener *on = &parent->listeners.items[j];
            if (!str_eq(on->key, listener)) {
                continue;
            }
            struct str *all = ARENA_ARRAY(scratch, names.items.len + on->hosts.len, struct str);
            for (size_t k = 0; k < names.items.len; k++) {
                all[k] = names.items.items[k];
            }
            names.items.items = all;
            for (size_t k = 0; k < on->hosts.len; k++) {
                all[names.items.len++] = on->hosts.items[k].domain;
            }
        }
    }
    return names;
}

/* Lets the route in; else: who is in its way. */
static const struct attachment *let_in(struct arena *scratch, const struct attachment *attachment,
                                       struct str listener, struct taken *own,
                                       const struct taken *other)
{
    struct names names = names_on(scratch, attachment, listener);
    for (size_t i = 0; i < names.items.len; i++) {
        const struct attachment *winner = who_has(scratch, other, names.items.items[i]);
        if (winner != NULL) {
            return winner;
        }
    }
    for (size_t i = 0; i < names.items.len; i++) {
        take(scratch, own, names.items.items[i], attachment);
    }
    return NULL;
}

/* Most listeners have routes of one kind alone, and nothing to decide. */
static bool are_mixed(struct row_span routes)
{
    bool http = false;
    bool grpc = false;
    for (size_t i = 0; i < routes.len; i++) {
        int kind = ((const struct attachment *)routes.rows[i])->kind;
        http = http || kind == KIND_HTTPROUTE;
        grpc = grpc || kind == KIND_GRPCROUTE;
    }
    return http && grpc;
}

static int pair_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct str_pair *)a)->key, ((const struct str_pair *)b)->key);
}

struct contest { /* for one listener */
    struct arena *scratch;
    struct row_span routes; /* oldest first */
    struct str listener;
    struct taken http, grpc;
};

static void let_all_in(struct contest *contest, bool unserved, struct ir_rivals *row)
{
    struct arena *arena = &row->row.arena;
    for (size_t i = 0; i < contest->routes.len; i++) {
        const struct attachment *route = (const struct attachment *)contest->routes.rows[i];
        bool of_http = route->kind == KIND_HTTPROUTE;
        struct taken *own = of_http ? &contest->http : &contest->grpc;
        const struct taken *other = of_http ? &contest->grpc : &contest->http;
        const struct attachment *winner =
            route->unserved == unserved
                ? let_in(contest->scratch, route, contest->listener, own, other)
                : NULL;
        if (winner != NULL) {
            row->losers.items[row->losers.len++] =
                (struct str_pair){arena_str(arena, route->key), arena_str(arena, winner->key)};
        }
    }
}

static void taken_release(struct taken *taken)
{
    map_release(&taken->names);
    map_release(&taken->above);
}

const struct row *resolve_rivals(struct eval *ev, struct str key)
{
    struct contest contest = {
        .scratch = eval_scratch(ev),
        .routes = eval_group(ev, X_LISTENER_ROUTES, key),
        .listener = key,
    };
    if (!are_mixed(contest.routes)) {
        return NULL;
    }
    struct ir_rivals *row = row_new(sizeof(*row), 256);
    row->losers.items = ARENA_ARRAY(&row->row.arena, contest.routes.len, struct str_pair);
    let_all_in(&contest, false, row);
    let_all_in(&contest, true, row);
    qsort(row->losers.items, row->losers.len, sizeof(*row->losers.items), pair_cmp);
    taken_release(&contest.http);
    taken_release(&contest.grpc);
    return &row->row;
}
