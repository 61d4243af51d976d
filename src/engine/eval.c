/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval: one evaluation: runs a compute and keeps a record of what it read.
 *
 * Most evaluations read the same cells in the same order as the one before, so the record is
 * compared with the old one while it is made: only from the first difference on are edges cut and
 * made anew.
 */
#include "base/clock.h"
#include "base/panic.h"
#include "engine/engine_internal.h"

/* --- the record ----------------------------------------------------------------------------- */

static void cut_read(struct engine *engine, struct slot *slot, size_t nth)
{
    struct cell *cell = slot->reads.items[nth].cell;
    size_t at = slot->reads.items[nth].at;
    vec_swap_remove(&cell->watchers, at);
    if (at < cell->watchers.len) {
        const struct watcher *moved = &cell->watchers.items[at];
        moved->reader->reads.items[moved->nth].at = at;
    }
    cell_may_be_idle(engine, cell);
}

static void keep_reads(struct engine *engine, struct slot *slot, size_t nreads)
{
    while (slot->reads.len > nreads) {
        cut_read(engine, slot, slot->reads.len - 1);
        slot->reads.len--;
    }
}

static void add_read(struct slot *slot, struct cell *cell)
{
    struct read read = {.cell = cell, .at = cell->watchers.len};
    struct watcher watcher = {.reader = slot, .nth = slot->reads.len};
    vec_push(&cell->watchers, watcher);
    vec_push(&slot->reads, read);
}

static void record(struct eval *ev, struct cell *cell)
{
    struct slot *slot = ev->slot;
    if (cell->stamp == ev->stamp) {
        return;
    }
    cell->stamp = ev->stamp;
    if (ev->nreads >= slot->reads.len || slot->reads.items[ev->nreads].cell != cell) {
        ev->moved = true;
        keep_reads(ev->engine, slot, ev->nreads);
        add_read(slot, cell);
    }
    ev->nreads++;
}

/* A compute that looked at its own rank or above would see a different world every time. */
static struct table *check_rank(struct eval *ev, unsigned table)
{
    struct table *reader = &ev->engine->tables[ev->slot->cell.owner];
    const struct table_spec *read = ev->engine->tables[table].spec;
    if (read->rank >= reader->spec->rank) {
        panic("table '%s' of rank %u reads table '%s' of rank %u", reader->spec->name,
              reader->spec->rank, read->name, read->rank);
    }
    return reader;
}

const struct row *eval_get(struct eval *ev, unsigned table, struct str key)
{
    struct slot *slot = table_slot(ev->engine, table, key);
    id_set_add(&check_rank(ev, table)->read_tables, table);
    record(ev, &slot->cell);
    return slot->row;
}

struct row_span eval_group(struct eval *ev, unsigned index, struct str key)
{
    struct group *group = index_group(ev->engine, index, key);
    unsigned table = ev->engine->indexes[index].spec->table;
    id_set_add(&check_rank(ev, table)->read_indexes, index);
    record(ev, &group->cell);
    return (struct row_span){.rows = group->rows.items, .len = group->rows.len};
}

struct arena *eval_scratch(struct eval *ev)
{
    return &ev->engine->scratch;
}

/* --- the evaluation -------------------------------------------------------------------------- */

static struct row *compute_once(struct eval *ev, const struct table *table)
{
    ev->stamp = ++ev->engine->stamp;
    ev->nreads = 0;
    ev->moved = false;
    const struct row *row = table->spec->compute(ev, ev->slot->key);
    if (ev->nreads < ev->slot->reads.len) {
        ev->moved = true;
        keep_reads(ev->engine, ev->slot, ev->nreads);
    }
    arena_reset(&ev->engine->scratch);
    return (struct row *)row;
}

static bool rows_equal(const struct table *table, const struct row *a, const struct row *b)
{
    return a == b || (a != NULL && b != NULL && table->spec->equal(a, b));
}

static void compute_again(struct eval *ev, const struct table *table, const struct row *first)
{
    struct row *second = compute_once(ev, table);
    if (ev->moved || !rows_equal(table, first, second)) {
        panic("table '%s': compute is not pure: two evaluations of '%.*s' %s", table->spec->name,
              STR_FMT(ev->slot->key), ev->moved ? "read different rows" : "differ");
    }
    row_unref(second, table->spec->release);
}

bool slot_evaluate(struct engine *engine, struct slot *slot)
{
    struct table *table = &engine->tables[slot->cell.owner];
    if (slot->sources == 0) {
        keep_reads(engine, slot, 0);
        slot->stale = true;
        if (slot->row != NULL) {
            slot_set_row(engine, slot, NULL);
        }
        cell_may_be_idle(engine, &slot->cell);
        return false;
    }
    if (!slot->stale) {
        return false; /* its key went and came back within the run */
    }
    slot->stale = false;
    uint64_t start = clock_mono_ns();
    struct eval ev = {.engine = engine, .slot = slot};
    struct row *row = compute_once(&ev, table);
    if (engine->paranoid) {
        compute_again(&ev, table, row);
    }
    if (rows_equal(table, slot->row, row)) {
        ASSERT(row == NULL || row != slot->row);
        row_unref(row, table->spec->release);
        table->stats.cutoffs++;
    } else {
        slot_set_row(engine, slot, row);
    }
    table->stats.evaluations++;
    table->stats.nanoseconds += clock_mono_ns() - start;
    return true;
}
