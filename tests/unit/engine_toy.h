/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_toy: a mesh in miniature on which the engine is tried (unit tests and fuzz target).
 *
 *   service ──► cluster (1) ─────────────────────────┐ reads
 *      └─ keys ───────────────────────► vhost (2) ◄──┘       vhost ──► resource (3, published)
 *   route ───► attach (1) ─ index host ── keys ──┘ reads
 *
 * A service says "number" (its port) and "text" (a note nobody else looks at). A route says
 * "hosts" (comma separated), "ref" (a service) and "number" (its precedence, highest first).
 */
#ifndef HEDDLE_TESTS_UNIT_ENGINE_TOY_H
#define HEDDLE_TESTS_UNIT_ENGINE_TOY_H

#include "base/arena.h"
#include "base/panic.h"
#include "engine/engine.h"

enum toy_table { TOY_SERVICE, TOY_ROUTE, TOY_CLUSTER, TOY_ATTACH, TOY_VHOST, TOY_RESOURCE };
enum toy_index { TOY_HOST };

#define TOY_HOSTS_MAX 16 /* of a route; the rest is ignored */

struct toy {
    struct row head;
    uint32_t number;
    struct str hosts;
    struct str ref;
    struct str text;
};

static inline const struct toy *toy_of(const struct row *row)
{
    return (const struct toy *)(const void *)row;
}

static inline struct toy *toy_new(uint32_t number, struct str hosts, struct str ref,
                                  struct str text)
{
    struct toy *toy = row_new(sizeof(struct toy), hosts.len + ref.len + text.len + 64);
    toy->number = number;
    toy->hosts = arena_str(&toy->head.arena, hosts);
    toy->ref = arena_str(&toy->head.arena, ref);
    toy->text = arena_str(&toy->head.arena, text);
    return toy;
}

static inline bool toy_equal(const struct row *a, const struct row *b)
{
    const struct toy *x = toy_of(a);
    const struct toy *y = toy_of(b);
    return x->number == y->number && str_eq(x->hosts, y->hosts) && str_eq(x->ref, y->ref) &&
           str_eq(x->text, y->text);
}

static inline const struct row *toy_cluster(struct eval *ev, struct str key)
{
    const struct row *service = eval_get(ev, TOY_SERVICE, key);
    if (service == NULL || toy_of(service)->number == 0) {
        return NULL; /* a service without a port has no cluster */
    }
    return &toy_new(toy_of(service)->number, STR_NULL, STR_NULL, key)->head;
}

static inline const struct row *toy_attach(struct eval *ev, struct str key)
{
    const struct toy *route = toy_of(eval_get(ev, TOY_ROUTE, key));
    const struct row *service = eval_get(ev, TOY_SERVICE, route->ref);
    struct str text = service != NULL ? STR("resolved") : STR("missing");
    return &toy_new(route->number, route->hosts, route->ref, text)->head;
}

/* All routes of the host in order, then the service of that name itself. */
static inline const struct row *toy_vhost(struct eval *ev, struct str key)
{
    struct arena *scratch = eval_scratch(ev);
    struct str text = STR_NULL;
    struct row_span routes = eval_group(ev, TOY_HOST, key);
    for (size_t i = 0; i < routes.len; i++) {
        const struct toy *route = toy_of(routes.rows[i]);
        const struct row *cluster = eval_get(ev, TOY_CLUSTER, route->ref);
        uint32_t port = cluster != NULL ? toy_of(cluster)->number : 0;
        text = arena_printf(scratch, "%.*s[%u %.*s:%u %.*s]", STR_FMT(text), route->number,
                            STR_FMT(route->ref), port, STR_FMT(route->text));
    }
    const struct row *own = eval_get(ev, TOY_CLUSTER, key);
    if (own != NULL) {
        text = arena_printf(scratch, "%.*s[default :%u]", STR_FMT(text), toy_of(own)->number);
    }
    return &toy_new((uint32_t)routes.len, STR_NULL, STR_NULL, text)->head;
}

/* Only what has an "encoding": an empty vhost has no resource. */
static inline const struct row *toy_resource(struct eval *ev, struct str key)
{
    const struct toy *vhost = toy_of(eval_get(ev, TOY_VHOST, key));
    if (vhost->text.len == 0) {
        return NULL;
    }
    struct toy *resource = toy_new(0, STR_NULL, STR_NULL, STR_NULL);
    resource->text = arena_printf(&resource->head.arena, "<%.*s>", STR_FMT(vhost->text));
    return &resource->head;
}

static inline void toy_hosts(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    struct str rest = toy_of(row)->hosts;
    for (unsigned i = 0; i < TOY_HOSTS_MAX && rest.ptr != NULL; i++) {
        struct str host = str_cut(&rest, ',');
        if (host.len > 0) {
            group_emit(emit, host);
        }
    }
}

static inline int toy_order(const struct row *a, const struct row *b)
{
    uint32_t left = toy_of(a)->number;
    uint32_t right = toy_of(b)->number;
    return left > right ? -1 : left < right;
}

static const struct table_spec toy_tables[] = {
    [TOY_SERVICE] = {.name = "service", .equal = toy_equal},
    [TOY_ROUTE] = {.name = "route", .equal = toy_equal},
    [TOY_CLUSTER] = {.name = "cluster",
                     .rank = 1,
                     .compute = toy_cluster,
                     .equal = toy_equal,
                     .sources = {{KEYS_OF_TABLE, TOY_SERVICE}}},
    [TOY_ATTACH] = {.name = "attach",
                    .rank = 1,
                    .compute = toy_attach,
                    .equal = toy_equal,
                    .sources = {{KEYS_OF_TABLE, TOY_ROUTE}}},
    [TOY_VHOST] = {.name = "vhost",
                   .rank = 2,
                   .compute = toy_vhost,
                   .equal = toy_equal,
                   .sources = {{KEYS_OF_INDEX, TOY_HOST}, {KEYS_OF_TABLE, TOY_SERVICE}}},
    [TOY_RESOURCE] = {.name = "resource",
                      .rank = 3,
                      .compute = toy_resource,
                      .equal = toy_equal,
                      .sources = {{KEYS_OF_TABLE, TOY_VHOST}},
                      .published = true},
};

static const struct index_spec toy_indexes[] = {
    [TOY_HOST] = {.name = "host", .table = TOY_ATTACH, .groups = toy_hosts, .order = toy_order},
};

static const struct graph toy_graph = {
    .tables = toy_tables,
    .ntables = sizeof(toy_tables) / sizeof(toy_tables[0]),
    .indexes = toy_indexes,
    .nindexes = sizeof(toy_indexes) / sizeof(toy_indexes[0]),
};

static inline void toy_put_service(struct engine *engine, struct str key, uint32_t port,
                                   struct str note)
{
    engine_put(engine, TOY_SERVICE, key, &toy_new(port, STR_NULL, STR_NULL, note)->head);
}

static inline void toy_put_route(struct engine *engine, struct str key, struct str hosts,
                                 struct str ref, uint32_t precedence)
{
    engine_put(engine, TOY_ROUTE, key, &toy_new(precedence, hosts, ref, STR_NULL)->head);
}

/* Panics with the differences when the engine and a rebuild disagree. */
static inline void toy_check(const struct engine *engine)
{
    struct buf diff;
    buf_init(&diff, BUF_UNLIMITED);
    if (!engine_check(engine, &diff)) {
        panic("the engine and a rebuild disagree:\n%.*s", STR_FMT(buf_str(&diff)));
    }
    buf_release(&diff);
}

#endif
