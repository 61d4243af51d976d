/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table: how rows are held: slots by key, who is told when one changes, and when memory goes.
 */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "engine/engine_internal.h"

/* Rows carry one chunk for the struct and its arena bytes together. */
void *row_new(size_t size, size_t hint)
{
    ASSERT(size >= sizeof(struct row));
    size_t align = alignof(max_align_t);
    struct arena arena;
    arena_init_sized(&arena, (size + align - 1) / align * align + hint);
    struct row *row = arena_alloc(&arena, size);
    row->arena = arena;
    atomic_init(&row->refs, 1);
    return row;
}

struct row *row_ref(const struct row *row)
{
    struct row *mutable = (struct row *)row;
    atomic_fetch_add_explicit(&mutable->refs, 1, memory_order_relaxed);
    return mutable;
}

void row_unref(struct row *row, row_release_fn *release)
{
    if (row == NULL) {
        return;
    }
    /* acq_rel: what other threads read from it happens before the one that frees it. */
    uint32_t before = atomic_fetch_sub_explicit(&row->refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before > 1) {
        return;
    }
    if (release != NULL) {
        release(row);
    }
    struct arena arena = row->arena; /* the row itself lies in it */
    arena_release(&arena);
}

struct slot *table_find(const struct engine *engine, unsigned table, struct str key)
{
    ASSERT(table < engine->graph->ntables);
    return map_get(&engine->tables[table].slots, key);
}

struct slot *table_slot(struct engine *engine, unsigned table, struct str key)
{
    struct slot *slot = table_find(engine, table, key);
    if (slot != NULL) {
        return slot;
    }
    slot = xcalloc(1, sizeof(*slot) + key.len + 1);
    char *copy = (char *)(slot + 1);
    if (key.len > 0) {
        memcpy(copy, key.ptr, key.len);
    }
    slot->key = str_span(copy, key.len);
    slot->cell.owner = table;
    slot->stale = true;
    map_put(&engine->tables[table].slots, slot->key, slot);
    return slot;
}

static void slot_free(struct slot *slot, row_release_fn *release)
{
    row_unref(slot->row, release);
    row_unref(slot->next, release);
    vec_release(&slot->cell.watchers);
    vec_release(&slot->reads);
    vec_release(&slot->groups);
    free(slot);
}

void slot_queue(struct engine *engine, struct slot *slot)
{
    if (!slot->queued) {
        slot->queued = true;
        unsigned rank = engine->tables[slot->cell.owner].spec->rank;
        vec_push(&engine->queues[rank].slots, slot);
    }
}

void cell_wake(struct engine *engine, struct cell *cell)
{
    for (size_t i = 0; i < cell->watchers.len; i++) {
        struct slot *reader = cell->watchers.items[i].reader;
        reader->stale = true;
        slot_queue(engine, reader);
    }
}

void children_gain(struct engine *engine, const struct id_set *children, struct str key)
{
    id_set_for_each (i, children) {
        struct slot *slot = table_slot(engine, i, key);
        slot->sources++;
        if (slot->sources == 1) {
            slot_queue(engine, slot);
        }
    }
}

void children_lose(struct engine *engine, const struct id_set *children, struct str key)
{
    id_set_for_each (i, children) {
        struct slot *slot = table_find(engine, i, key);
        ASSERT(slot != NULL && slot->sources > 0);
        slot->sources--;
        if (slot->sources == 0) {
            slot_queue(engine, slot);
        }
    }
}

static void account(struct table *table, const struct row *before, const struct row *after)
{
    if (before != NULL) {
        table->stats.rows--;
        table->stats.bytes -= arena_footprint(&before->arena);
    }
    if (after != NULL) {
        table->stats.rows++;
        table->stats.bytes += arena_footprint(&after->arena);
    }
}

void slot_set_row(struct engine *engine, struct slot *slot, struct row *after)
{
    struct table *table = &engine->tables[slot->cell.owner];
    struct row *before = slot->row;
    ASSERT(before != after);
    slot->row = after;
    account(table, before, after);
    if (table->spec->published) {
        struct row_change change = {.key = slot->key, .before = before, .after = after};
        vec_push(&table->changes, change);
    }
    cell_wake(engine, &slot->cell);
    if (id_set_next(&table->indexes, 0) != IDS_END) {
        index_update(engine, slot, before);
    }
    if (before == NULL) {
        children_gain(engine, &table->children, slot->key);
    } else if (after == NULL) {
        children_lose(engine, &table->children, slot->key);
    }
    if (before != NULL) {
        struct retired retired = {.row = before, .release = table->spec->release};
        vec_push(&engine->retired, retired);
    }
}

void cell_may_be_idle(struct engine *engine, struct cell *cell)
{
    if (!cell->idle_listed && cell->watchers.len == 0) {
        cell->idle_listed = true;
        vec_push(&engine->idle, cell);
    }
}

static void sweep_slot(struct engine *engine, struct slot *slot)
{
    bool used = slot->row != NULL || slot->has_next || slot->queued || slot->sources > 0 ||
                slot->cell.watchers.len > 0;
    if (!used) {
        ASSERT(slot->reads.len == 0 && slot->groups.len == 0);
        struct table *table = &engine->tables[slot->cell.owner];
        map_remove(&table->slots, slot->key);
        slot_free(slot, table->spec->release);
    }
}

static void sweep_group(struct engine *engine, struct group *group)
{
    if (group->members.len == 0 && group->cell.watchers.len == 0) {
        map_remove(&engine->indexes[group->cell.owner].groups, group->key);
        group_free(group);
    }
}

void engine_sweep(struct engine *engine)
{
    for (size_t i = 0; i < engine->retired.len; i++) {
        row_unref(engine->retired.items[i].row, engine->retired.items[i].release);
    }
    vec_clear(&engine->retired);
    for (size_t i = 0; i < engine->idle.len; i++) {
        struct cell *cell = engine->idle.items[i];
        cell->idle_listed = false;
        if (cell->is_group) {
            sweep_group(engine, cell_group(cell));
        } else {
            sweep_slot(engine, cell_slot(cell));
        }
    }
    vec_clear(&engine->idle);
}

void table_release(struct table *table)
{
    for (size_t i = map_next(&table->slots, 0); i < table->slots.cap;
         i = map_next(&table->slots, i + 1)) {
        slot_free(table->slots.slots[i].value, table->spec->release);
    }
    map_release(&table->slots);
    vec_release(&table->changes);
}

static int compare_slots(const void *a, const void *b)
{
    const struct slot *const *left = a;
    const struct slot *const *right = b;
    return str_cmp((*left)->key, (*right)->key);
}

struct slot **table_sorted(const struct table *table, size_t *ret_len)
{
    struct slot **sorted = xcalloc(table->stats.rows, sizeof(struct slot *));
    size_t len = 0;
    for (size_t i = map_next(&table->slots, 0); i < table->slots.cap;
         i = map_next(&table->slots, i + 1)) {
        struct slot *slot = table->slots.slots[i].value;
        if (slot->row != NULL) {
            ASSERT(len < table->stats.rows);
            sorted[len++] = slot;
        }
    }
    qsort(sorted, len, sizeof(struct slot *), compare_slots);
    *ret_len = len;
    return sorted;
}
