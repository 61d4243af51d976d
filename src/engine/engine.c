/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine: what comes in, one turn, and what can be seen from outside between turns.
 */
#include <stdlib.h>

#include "base/panic.h"
#include "engine/engine_internal.h"

/* --- making one ----------------------------------------------------------------------------- */

static void add_source(struct engine *engine, unsigned id, const struct key_source *source)
{
    const struct graph *graph = engine->graph;
    const struct table_spec *spec = &graph->tables[id];
    unsigned table = source->id;
    if (source->from == KEYS_OF_INDEX) {
        if (source->id >= graph->nindexes) {
            panic("table '%s': no index %u to take keys from", spec->name, source->id);
        }
        table = graph->indexes[source->id].table;
    }
    if (table >= graph->ntables) {
        panic("table '%s': no table %u to take keys from", spec->name, table);
    }
    if (graph->tables[table].rank >= spec->rank) {
        panic("table '%s' of rank %u takes keys from '%s' of rank %u", spec->name, spec->rank,
              graph->tables[table].name, graph->tables[table].rank);
    }
    struct id_set *children = source->from == KEYS_OF_INDEX ? &engine->indexes[source->id].children
                                                            : &engine->tables[source->id].children;
    if (id_set_has(children, id)) {
        panic("table '%s': a source is named twice", spec->name);
    }
    id_set_add(children, id);
}

static void add_table(struct engine *engine, unsigned id)
{
    const struct table_spec *spec = &engine->graph->tables[id];
    if (spec->rank > ENGINE_RANK_MAX) {
        panic("table '%s': rank %u is above %d", spec->name, spec->rank, ENGINE_RANK_MAX);
    }
    if (spec->equal == NULL) {
        panic("table '%s': equal is missing", spec->name);
    }
    if ((spec->rank == 0) != (spec->compute == NULL)) {
        panic("table '%s': inputs have rank 0, all others a compute", spec->name);
    }
    if ((spec->rank == 0) != (spec->sources[0].from == KEYS_NONE)) {
        panic("table '%s': inputs have rank 0, all others a source of keys", spec->name);
    }
    for (unsigned i = 0; i < ENGINE_SOURCES_MAX && spec->sources[i].from != KEYS_NONE; i++) {
        add_source(engine, id, &spec->sources[i]);
    }
}

static void add_index(struct engine *engine, unsigned id)
{
    const struct index_spec *spec = &engine->graph->indexes[id];
    if (spec->table >= engine->graph->ntables) {
        panic("index '%s': no table %u", spec->name, spec->table);
    }
    if (spec->groups == NULL) {
        panic("index '%s': groups is missing", spec->name);
    }
    id_set_add(&engine->tables[spec->table].indexes, id);
}

struct engine *engine_new(const struct graph *graph)
{
    ASSERT(graph->ntables <= ENGINE_TABLES_MAX);
    ASSERT(graph->nindexes <= ENGINE_INDEXES_MAX);
    struct engine *engine = xcalloc(1, sizeof(*engine));
    engine->graph = graph;
    arena_init(&engine->scratch);
    for (unsigned i = 0; i < graph->ntables; i++) {
        engine->tables[i].spec = &graph->tables[i];
        add_table(engine, i);
    }
    for (unsigned i = 0; i < graph->nindexes; i++) {
        engine->indexes[i].spec = &graph->indexes[i];
        add_index(engine, i);
    }
    return engine;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    engine_sweep(engine);
    for (unsigned i = 0; i < engine->graph->ntables; i++) {
        table_release(&engine->tables[i]);
    }
    for (unsigned i = 0; i < engine->graph->nindexes; i++) {
        index_release(&engine->indexes[i]);
    }
    for (unsigned rank = 0; rank <= ENGINE_RANK_MAX; rank++) {
        vec_release(&engine->queues[rank].slots);
    }
    vec_release(&engine->idle);
    vec_release(&engine->retired);
    vec_release(&engine->emitted);
    arena_release(&engine->scratch);
    free(engine);
}

const struct graph *engine_graph(const struct engine *engine)
{
    return engine->graph;
}

void engine_set_paranoid(struct engine *engine, bool on)
{
    engine->paranoid = on;
}

/* --- inputs ---------------------------------------------------------------------------------- */

static void set_next(struct engine *engine, struct slot *slot, struct row *row)
{
    row_unref(slot->next, engine->tables[slot->cell.owner].spec->release);
    slot->next = row;
    slot->has_next = true;
    slot_queue(engine, slot);
}

static void assert_input(const struct engine *engine, unsigned table)
{
    ASSERT(table < engine->graph->ntables);
    ASSERT(engine->graph->tables[table].rank == 0);
    ASSERT(!engine->running);
}

void engine_put(struct engine *engine, unsigned table, struct str key, struct row *row)
{
    assert_input(engine, table);
    ASSERT(row != NULL);
    set_next(engine, table_slot(engine, table, key), row);
}

void engine_delete(struct engine *engine, unsigned table, struct str key)
{
    assert_input(engine, table);
    struct slot *slot = table_find(engine, table, key);
    if (slot != NULL && (slot->row != NULL || slot->has_next)) {
        set_next(engine, slot, NULL);
    }
}

/* --- one turn -------------------------------------------------------------------------------- */

static void take_input(struct engine *engine, struct slot *slot)
{
    const struct table_spec *spec = engine->tables[slot->cell.owner].spec;
    struct row *next = slot->next;
    slot->next = NULL;
    slot->has_next = false;
    bool same =
        slot->row == next || (slot->row != NULL && next != NULL && spec->equal(slot->row, next));
    if (same) {
        row_unref(next, spec->release);
    } else {
        slot_set_row(engine, slot, next);
    }
    if (slot->row == NULL) {
        cell_may_be_idle(engine, &slot->cell);
    }
}

/* Reads and key sources go to lower ranks only, so nothing joins the queue meanwhile. */
static size_t run_rank(struct engine *engine, unsigned rank)
{
    size_t evaluations = 0;
    size_t len = engine->queues[rank].slots.len;
    for (size_t i = 0; i < len; i++) {
        struct slot *slot = engine->queues[rank].slots.items[i];
        slot->queued = false;
        if (rank == 0) {
            take_input(engine, slot);
        } else if (slot_evaluate(engine, slot)) {
            evaluations++;
        }
    }
    ASSERT(engine->queues[rank].slots.len == len);
    vec_clear(&engine->queues[rank].slots);
    return evaluations;
}

static int compare_changes(const void *a, const void *b)
{
    const struct row_change *left = a;
    const struct row_change *right = b;
    return str_cmp(left->key, right->key);
}

size_t engine_run(struct engine *engine)
{
    ASSERT(!engine->running);
    engine_sweep(engine);
    for (unsigned i = 0; i < engine->graph->ntables; i++) {
        vec_clear(&engine->tables[i].changes);
    }
    engine->running = true;
    size_t evaluations = 0;
    for (unsigned rank = 0; rank <= ENGINE_RANK_MAX; rank++) {
        evaluations += run_rank(engine, rank);
    }
    engine->running = false;
    for (unsigned i = 0; i < engine->graph->ntables; i++) {
        struct table *table = &engine->tables[i];
        if (table->changes.len > 1) {
            qsort(table->changes.items, table->changes.len, sizeof(struct row_change),
                  compare_changes);
        }
    }
    engine->evaluations += evaluations;
    return evaluations;
}

/* --- from outside ---------------------------------------------------------------------------- */

struct row_changes engine_changes(const struct engine *engine, unsigned table)
{
    ASSERT(table < engine->graph->ntables);
    ASSERT(engine->graph->tables[table].published);
    return (struct row_changes){
        .items = engine->tables[table].changes.items,
        .len = engine->tables[table].changes.len,
    };
}

const struct row *engine_get(const struct engine *engine, unsigned table, struct str key)
{
    const struct slot *slot = table_find(engine, table, key);
    return slot != NULL ? slot->row : NULL;
}

const struct row *engine_latest(const struct engine *engine, unsigned table, struct str key)
{
    const struct slot *slot = table_find(engine, table, key);
    return slot == NULL ? NULL : slot->has_next ? slot->next : slot->row;
}

struct row_span engine_group(const struct engine *engine, unsigned index, struct str key)
{
    const struct group *group = index_find(engine, index, key);
    if (group == NULL) {
        return (struct row_span){.rows = NULL, .len = 0};
    }
    return (struct row_span){.rows = group->rows.items, .len = group->rows.len};
}

size_t engine_count(const struct engine *engine, unsigned table)
{
    ASSERT(table < engine->graph->ntables);
    return engine->tables[table].stats.rows;
}

void engine_each(const struct engine *engine, unsigned table, row_visit_fn *visit, void *user)
{
    ASSERT(table < engine->graph->ntables);
    size_t len;
    struct slot **slots = table_sorted(&engine->tables[table], &len);
    for (size_t i = 0; i < len; i++) {
        visit(user, slots[i]->key, slots[i]->row);
    }
    free(slots);
}

void engine_each_unordered(const struct engine *engine, unsigned table, row_visit_fn *visit,
                           void *user)
{
    ASSERT(table < engine->graph->ntables);
    const struct map *slots = &engine->tables[table].slots;
    for (size_t i = map_next(slots, 0); i < slots->cap; i = map_next(slots, i + 1)) {
        const struct slot *slot = slots->slots[i].value;
        if (slot->row != NULL) {
            visit(user, slot->key, slot->row);
        }
    }
}
