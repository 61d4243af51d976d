/* SPDX-License-Identifier: Apache-2.0 */
/* spread: see spread.h. */
#include "pipeline/spread.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/metric.h"
#include "base/panic.h"
#include "base/vec.h"
#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/route.h"
#include "xds/row.h"

/* The tables of resources that routes contribute to, by key of T_ROUTING; of Gateways by entry. */
static const unsigned tables[] = {T_ENVOY_RDS,   T_GRPC_RDS,     T_REDIRECT_LDS,
                                  T_BIND_LDS,    T_ENVOY_ECDS,   T_GATEWAY_RDS,
                                  T_GATEWAY_LDS, T_GATEWAY_ECDS, T_GATEWAY_UDP};

struct names {
    VEC(struct acks_name) items;
    struct arena texts;
};

struct record {
    struct spread *spread;
    char *key; /* "HTTPRoute/ns/name", as in T_ROUTE */
    enum kind_id kind;
    struct str ns, name; /* in key */
    int64_t generation;
    uint64_t turn;                    /* that began it */
    struct names made;                /* what it contributes to now */
    watch_id watch;                   /* 0: none */
    struct spread_count here, others; /* the last counts */
    bool settled;
    uint64_t begun_ms;
    uint64_t since_ms; /* when it was settled, or began not to be */
};

struct spread {
    struct spread_counting counting;
    status_changed_fn *changed;
    void *user;
    bool known;  /* clients can be counted */
    bool others; /* there are other replicas */
    size_t pending;
    uint64_t turn;
    struct map by_key; /* to struct record */
};

/* --- names ----------------------------------------------------------------------------------- */

static void names_init(struct names *names)
{
    *names = (struct names){.items = {NULL, 0, 0}};
    arena_init_sized(&names->texts, 256);
}

static void names_release(struct names *names)
{
    vec_release(&names->items);
    arena_release(&names->texts);
}

static void names_add(struct names *names, enum xds_type type, struct str name)
{
    for (size_t i = 0; i < names->items.len; i++) {
        if (names->items.items[i].type == type && str_eq(names->items.items[i].name, name)) {
            return;
        }
    }
    vec_push(&names->items, ((struct acks_name){type, arena_str(&names->texts, name)}));
}

static void add_rows(struct names *names, const struct engine *engine, struct str key)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        const struct resource_row *row =
            (const struct resource_row *)engine_get(engine, tables[t], key);
        for (size_t i = 0; row != NULL && i < row->len; i++) {
            names_add(names, row->items[i]->type, row->items[i]->name);
        }
    }
}

static void find_names(const struct engine *engine, struct str key, struct names *ret_names)
{
    const struct attachment *attachment =
        (const struct attachment *)engine_get(engine, T_ATTACHMENT, key);
    names_init(ret_names);
    for (size_t i = 0; attachment != NULL && i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->ports.len; j++) {
            add_rows(ret_names, engine, parent->ports.items[j]);
        }
        for (size_t j = 0; j < parent->listeners.len; j++) {
            add_rows(ret_names, engine, parent->listeners.items[j].entry);
        }
    }
}

/* --- counting -------------------------------------------------------------------------------- */

static void tell(const struct record *record)
{
    const struct spread *spread = record->spread;
    if (spread->changed != NULL) {
        spread->changed(spread->user, record->kind, record->ns, record->name);
    }
}

static void set_pending(struct record *record, bool pending)
{
    struct spread *spread = record->spread;
    if (record->settled != pending) {
        return;
    }
    record->settled = !pending;
    if (pending) {
        spread->pending++;
    } else {
        spread->pending--;
    }
    metric_set(M_propagation_pending, (int64_t)spread->pending);
}

static void settle_when_all_have(struct record *record, uint64_t now_ms)
{
    if (record->settled || !record->spread->known || !record->here.settled ||
        (record->spread->others && !record->others.settled)) {
        return;
    }
    set_pending(record, false);
    record->since_ms = now_ms;
    metric_add(M_propagated, 1);
    metric_add(M_propagation_ms, (int64_t)(now_ms - record->begun_ms));
}

static void stop_watch(struct record *record)
{
    if (record->watch != 0) {
        record->spread->counting.cancel(record->spread->counting.user, record->watch);
        record->watch = 0;
    }
}

static void on_acks(void *user, const struct acks *acks)
{
    struct record *record = user;
    record->here = (struct spread_count){.clients = acks->streams,
                                         .acknowledged = acks->acknowledged,
                                         .rejected = acks->rejected,
                                         .settled = acks->acknowledged == acks->streams};
    if (record->here.settled) {
        stop_watch(record);
        settle_when_all_have(record, clock_wall_ms());
    }
    tell(record);
}

/* Watches what it contributes to now and, beside it, what it did before (NULL: nothing). */
static void count_anew(struct record *record, struct names *before)
{
    struct spread *spread = record->spread;
    stop_watch(record);
    record->here = record->others = (struct spread_count){.settled = false};
    set_pending(record, true);
    if (!spread->known) {
        return;
    }
    struct names all;
    names_init(&all);
    const struct names *both[] = {&record->made, before};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; both[i] != NULL && j < both[i]->items.len; j++) {
            names_add(&all, both[i]->items.items[j].type, both[i]->items.items[j].name);
        }
    }
    record->watch = spread->counting.watch(spread->counting.user, all.items.items, all.items.len,
                                           on_acks, record);
    names_release(&all);
}

/* --- records --------------------------------------------------------------------------------- */

static struct record *record_new(struct spread *spread, const struct route *route, struct str key)
{
    struct record *record = xcalloc(1, sizeof(*record));
    record->spread = spread;
    record->key = str_dup(key);
    record->kind = route->object.kind;
    struct str rest = str_from(record->key);
    (void)str_cut(&rest, '/');
    record->ns = str_cut(&rest, '/');
    record->name = rest;
    record->settled = true;
    names_init(&record->made);
    (void)map_put(&spread->by_key, str_from(record->key), record);
    return record;
}

static void record_free(struct record *record)
{
    names_release(&record->made);
    free(record->key);
    free(record);
}

static void forget(struct spread *spread, struct str key)
{
    struct record *record = map_remove(&spread->by_key, key);
    if (record != NULL) {
        stop_watch(record);
        set_pending(record, false);
        record_free(record);
    }
}

static void on_route(struct spread *spread, const struct engine *engine, struct str key,
                     const struct route *route, uint64_t now_ms)
{
    struct record *record = map_get(&spread->by_key, key);
    if (record == NULL) {
        record = record_new(spread, route, key);
    }
    struct names before = record->made;
    find_names(engine, key, &record->made);
    record->generation = route->object.meta.generation;
    record->turn = spread->turn;
    record->begun_ms = record->since_ms = now_ms;
    count_anew(record, &before);
    names_release(&before);
    tell(record);
}

/* Something else made it attach otherwise: that counts as long as nobody has the generation. */
static void on_attachment(struct spread *spread, const struct engine *engine, struct str key)
{
    struct record *record = map_get(&spread->by_key, key);
    if (record == NULL || record->turn == spread->turn) {
        return; /* gone, or counted anew already */
    }
    struct names before = record->made;
    find_names(engine, key, &record->made);
    bool nobody = record->here.clients + record->others.clients == 0;
    if (!record->settled || nobody) {
        count_anew(record, &before);
    }
    names_release(&before);
}

void spread_turn(struct spread *spread, const struct engine *engine, uint64_t now_ms)
{
    spread->turn++;
    struct row_changes routes = engine_changes(engine, T_ROUTE);
    for (size_t i = 0; i < routes.len; i++) {
        const struct route *route = (const struct route *)routes.items[i].after;
        if (route == NULL) {
            forget(spread, routes.items[i].key);
        } else {
            on_route(spread, engine, routes.items[i].key, route, now_ms);
        }
    }
    struct row_changes attachments = engine_changes(engine, T_ATTACHMENT);
    for (size_t i = 0; i < attachments.len; i++) {
        on_attachment(spread, engine, attachments.items[i].key);
    }
}

/* --- life ------------------------------------------------------------------------------------ */

struct spread *spread_new(const struct spread_counting *counting)
{
    struct spread *spread = xcalloc(1, sizeof(*spread));
    spread->counting = *counting;
    return spread;
}

void spread_free(struct spread *spread)
{
    if (spread == NULL) {
        return;
    }
    const struct map *by_key = &spread->by_key;
    for (size_t i = map_next(by_key, 0); i < by_key->cap; i = map_next(by_key, i + 1)) {
        stop_watch(by_key->slots[i].value); /* who counts may outlive what is told */
        record_free(by_key->slots[i].value);
    }
    map_release(&spread->by_key);
    free(spread);
}

void spread_watch(struct spread *spread, status_changed_fn *changed, void *user)
{
    spread->changed = changed;
    spread->user = user;
}

void spread_know(struct spread *spread, const struct engine *engine, bool known)
{
    if (spread->known == known) {
        return;
    }
    spread->known = known;
    const struct map *by_key = &spread->by_key;
    for (size_t i = map_next(by_key, 0); known && i < by_key->cap; i = map_next(by_key, i + 1)) {
        struct record *record = by_key->slots[i].value;
        if (!record->settled) {
            names_release(&record->made); /* clients came, and with them resources */
            find_names(engine, str_from(record->key), &record->made);
            count_anew(record, NULL);
        }
    }
}

bool spread_of(void *user, enum kind_id kind, struct str ns, struct str name, int64_t generation,
               struct propagated *ret_propagated)
{
    const struct spread *spread = user;
    struct arena scratch;
    arena_init_sized(&scratch, 256);
    struct str key =
        arena_printf(&scratch, "%s/%.*s/%.*s", kind_info(kind)->kind, STR_FMT(ns), STR_FMT(name));
    const struct record *record = map_get(&spread->by_key, key);
    arena_release(&scratch);
    if (record == NULL || record->generation != generation) {
        return false;
    }
    *ret_propagated = (struct propagated){
        .clients = record->here.clients + record->others.clients,
        .acknowledged = record->here.acknowledged + record->others.acknowledged,
        .settled = record->settled,
        .since_ms = record->since_ms,
    };
    return true;
}

/* --- several replicas ------------------------------------------------------------------------ */

void spread_set_others(struct spread *spread, bool others)
{
    if (spread->others == others) {
        return;
    }
    spread->others = others;
    const struct map *by_key = &spread->by_key;
    for (size_t i = map_next(by_key, 0); !others && i < by_key->cap; i = map_next(by_key, i + 1)) {
        struct record *record = by_key->slots[i].value;
        if (!record->settled) {
            record->others = (struct spread_count){.settled = false};
            settle_when_all_have(record, clock_wall_ms());
            tell(record);
        }
    }
}

size_t spread_pending(const struct spread *spread)
{
    return spread->pending;
}

void spread_each_pending(const struct spread *spread, spread_pending_fn *visit, void *user)
{
    const struct map *by_key = &spread->by_key;
    for (size_t i = map_next(by_key, 0); i < by_key->cap; i = map_next(by_key, i + 1)) {
        const struct record *record = by_key->slots[i].value;
        if (!record->settled) {
            visit(user, str_from(record->key), record->generation);
        }
    }
}

static bool same_count(const struct spread_count *a, const struct spread_count *b)
{
    return a->clients == b->clients && a->acknowledged == b->acknowledged &&
           a->rejected == b->rejected && a->settled == b->settled;
}

void spread_others(struct spread *spread, struct str key, int64_t generation,
                   const struct spread_count *others, uint64_t now_ms)
{
    struct record *record = map_get(&spread->by_key, key);
    if (record == NULL || record->generation != generation || record->settled) {
        return;
    }
    bool same = same_count(&record->others, others);
    record->others = *others;
    settle_when_all_have(record, now_ms);
    if (!same || record->settled) {
        tell(record);
    }
}

bool spread_here(const struct spread *spread, struct str key, int64_t generation,
                 struct spread_count *ret_count)
{
    const struct record *record = map_get(&spread->by_key, key);
    if (record == NULL || record->generation != generation) {
        return false;
    }
    *ret_count = record->here;
    return true;
}
