/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine: tables of immutable rows, computed by pure functions whose reads are recorded.
 *
 *   input table ──put/delete──► rows ──┐
 *                                      ├─ eval_get / eval_group (recorded) ──► compute ──► row
 *   index: row -> group keys ──────────┘                                        │
 *          (select, group-by, join)      an equal result stops the wave ◄───────┘
 *
 * Three nouns:
 *   table    key -> row. Rank 0 tables are inputs; every other table has a compute function, and
 *            its set of keys is the union of the keys of its `sources` (tables and indexes of lower
 *            rank): a key that no source has any more loses its row.
 *   index    groups the rows of a table by keys that a function derives from each row; a group's
 *            members stand in a fixed order, so readers merge without sorting.
 *   compute  key -> row or NULL ("no such row"). Pure: no globals, no clock, no I/O; everything it
 *            looks at comes through eval_get() and eval_group(), which record it, also when it was
 *            absent. Time, randomness and what clients say enter as input rows.
 *
 * engine_run() recomputes the rows whose reads changed, rank by rank: each at most once a run.
 * A compute may only read lower ranks (asserted), so there are no cycles and no glitches.
 * Because one function serves one row and all rows, engine_check() can prove at any time that the
 * incremental state equals a rebuild from nothing; every test asserts it after every step.
 *
 * Thread: one (thread 0). Rows are const once returned.
 * The idea of recorded reads over keyed collections is known from salsa and Istio's krt; the oracle
 * habit from OVN's tests.
 */
#ifndef HEDDLE_ENGINE_ENGINE_H
#define HEDDLE_ENGINE_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define ENGINE_TABLES_MAX 128
#define ENGINE_INDEXES_MAX 128
#define ENGINE_RANK_MAX 15
#define ENGINE_SOURCES_MAX 6

/* The head of every row; put it first in the row's struct. The row and all it points to live in
 * its arena. Rows that must share bigger things hold references and give them back in `release`.
 * An engine belongs to one thread, but its rows may be read, and held, by others too: what is
 * planned is computed elsewhere (pipeline/world.h). */
struct row {
    struct arena arena;
    _Atomic uint32_t refs;
};

/* A zeroed row of `size` bytes (sizeof the whole struct) with one reference. `hint` is the number
 * of bytes that will probably be needed in its arena beside the struct itself. */
void *row_new(size_t size, size_t hint);
typedef void row_release_fn(struct row *row); /* gives back what is not in the arena */
/* For those who keep rows beside the engine (a source's last good objects). Any thread. */
struct row *row_ref(const struct row *row);
void row_unref(struct row *row, row_release_fn *release); /* NULL is fine, for both */

struct eval;

typedef const struct row *compute_fn(struct eval *ev, struct str key);
typedef bool row_equal_fn(const struct row *a, const struct row *b);

/* Where a derived table's keys come from. */
struct key_source {
    enum { KEYS_NONE, KEYS_OF_TABLE, KEYS_OF_INDEX } from;
    unsigned id;
};

struct table_spec {
    const char *name;
    unsigned rank;                                 /* 0: input */
    compute_fn *compute;                           /* NULL for inputs */
    row_equal_fn *equal;                           /* never NULL */
    row_release_fn *release;                       /* may be NULL */
    struct key_source sources[ENGINE_SOURCES_MAX]; /* up to the first KEYS_NONE */
    bool published;                                /* collect changes for engine_changes() */
};

struct group_emit; /* where an index function puts the group keys of a row */
void group_emit(struct group_emit *emit, struct str group); /* the key is copied; twice is once */

typedef void group_fn(const struct row *row, struct str key, struct group_emit *emit);
/* Total up to ties, which the engine breaks by key. NULL: by key alone. */
typedef int row_order_fn(const struct row *a, const struct row *b);

struct index_spec {
    const char *name;
    unsigned table; /* whose rows are grouped */
    group_fn *groups;
    row_order_fn *order;
};

/* Ids are positions in these arrays, which must outlive the engine. */
struct graph {
    const struct table_spec *tables;
    unsigned ntables;
    const struct index_spec *indexes;
    unsigned nindexes;
};

struct engine;

/* Panics when the graph is wrong (a source of equal or higher rank, a missing compute, …). */
struct engine *engine_new(const struct graph *graph);
void engine_free(struct engine *engine);
const struct graph *engine_graph(const struct engine *engine);

/* --- inputs ------------------------------------------------------------------------------ */
/* Takes the reference. A row equal to the present one is dropped and wakes nobody. The key is
 * copied. Takes effect in the next engine_run(). */
void engine_put(struct engine *engine, unsigned table, struct str key, struct row *row);
void engine_delete(struct engine *engine, unsigned table, struct str key);

/* --- one turn ---------------------------------------------------------------------------- */
/* Returns the number of evaluations. Forgets the changes of the run before. */
size_t engine_run(struct engine *engine);

/* What the last run changed in a published table: one entry for each key whose row differs,
 * sorted by key. before or after is NULL for a row that came or went. Valid until the next run. */
struct row_change {
    struct str key;
    const struct row *before;
    const struct row *after;
};
struct row_changes {
    const struct row_change *items;
    size_t len;
};
struct row_changes engine_changes(const struct engine *engine, unsigned table);

/* --- reading, inside compute (recorded) ---------------------------------------------------- */
const struct row *eval_get(struct eval *ev, unsigned table, struct str key);
struct row_span {
    const struct row *const *rows;
    size_t len;
};
/* The members of a group in index order; empty when there is no such group. */
struct row_span eval_group(struct eval *ev, unsigned index, struct str key);
/* For temporary memory: reset after this evaluation. */
struct arena *eval_scratch(struct eval *ev);

/* --- reading from outside (between runs, not recorded) ------------------------------------- */
const struct row *engine_get(const struct engine *engine, unsigned table, struct str key);
/* Of an input, what it is from the next run on. */
const struct row *engine_latest(const struct engine *engine, unsigned table, struct str key);
struct row_span engine_group(const struct engine *engine, unsigned index, struct str key);
size_t engine_count(const struct engine *engine, unsigned table); /* rows, not empty slots */
/* Calls visit for every row, in key order. */
typedef void row_visit_fn(void *user, struct str key, const struct row *row);
void engine_each(const struct engine *engine, unsigned table, row_visit_fn *visit, void *user);
/* In no order, which must not be seen in anything: for copies. Saves the sorting. */
void engine_each_unordered(const struct engine *engine, unsigned table, row_visit_fn *visit,
                           void *user);

/* --- the oracle ---------------------------------------------------------------------------- */
/* Recomputes everything from the input rows in a fresh engine and compares every table and
 * group. Returns true when equal; else describes the differences (table, key) in ret_diff. */
bool engine_check(const struct engine *engine, struct buf *ret_diff);
/* When on, each compute runs twice and the results must be equal: catches impurity. */
void engine_set_paranoid(struct engine *engine, bool on);

/* --- what it did (trace.c) ----------------------------------------------------------------- */
struct table_stats {
    uint64_t evaluations;
    uint64_t cutoffs; /* evaluations with an equal result */
    uint64_t nanoseconds;
    size_t rows;
    size_t bytes; /* arena footprint of the rows */
};
struct table_stats engine_stats(const struct engine *engine, unsigned table);
uint64_t engine_evaluations(const struct engine *engine); /* since the start, all tables */
/* The graph in Graphviz' DOT, with the counters. */
void engine_dot(const struct engine *engine, struct buf *out);

#endif
