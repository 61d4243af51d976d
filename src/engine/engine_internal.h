/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_internal: what tables, indexes and evaluations are made of.
 *
 *   table ── map ──► slot {key, row, reads[]}          index ── map ──► group {key, rows[]}
 *                     │ cell ◄── watchers[] ──┐                          │ cell ◄── watchers[]
 *                     │                       │
 *                     └─ reads[nth] = {cell, at}  ◄──►  cell->watchers[at] = {reader, nth}
 *
 * A cell is a thing that can be read: a slot or a group, whether it holds something or not. An
 * edge is stored at both ends, and each end knows its place in the other, so that a link is cut in
 * O(1) by letting the last watcher take the place: a Service that 5,000 routes read costs none of
 * them a search.
 *
 * A slot lives while it has a row, a watcher, a source or work to do; a group while it has a
 * member or a watcher. What may have become superfluous goes to engine->idle and is looked at when
 * the next run begins; replaced rows go to engine->retired and are freed there too. So whatever
 * the outside was handed stays valid between two runs.
 */
#ifndef HEDDLE_ENGINE_ENGINE_INTERNAL_H
#define HEDDLE_ENGINE_ENGINE_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "engine/engine.h"

struct slot;

struct watcher {
    struct slot *reader;
    size_t nth; /* reader->reads.items[nth] is the other end */
};

struct cell {
    VEC(struct watcher) watchers;
    uint64_t stamp; /* the evaluation that read it last: a second read is not recorded */
    uint32_t owner; /* id of the table or index */
    bool is_group;
    bool idle_listed; /* stands in engine->idle */
};

struct read {
    struct cell *cell;
    size_t at; /* cell->watchers.items[at] is the other end */
};

struct slot {
    struct cell cell; /* first: cell_slot() casts */
    struct str key;   /* NUL-terminated, in the same allocation */
    struct row *row;  /* NULL: none */
    struct row *next; /* inputs: the row to take at the next run, if has_next; NULL deletes */
    bool has_next;
    bool queued;            /* stands in its rank's queue */
    bool stale;             /* a read changed, or it was never computed since its key appeared */
    uint32_t sources;       /* how many of the table's key sources have this key */
    VEC(struct read) reads; /* of the last evaluation, in its order */
    VEC(struct group *) groups; /* where the row is a member, over all indexes of the table */
};

struct group {
    struct cell cell;             /* first: cell_group() casts */
    struct str key;               /* NUL-terminated, in the same allocation */
    uint64_t mark;                /* what index_update() is doing with it */
    VEC(const struct row *) rows; /* in order; handed out as a row_span */
    VEC(struct slot *) members;   /* members.items[i] holds rows.items[i] */
};

/* A set of tables, or of indexes. */
#define ID_SET_WORDS 2
struct id_set {
    uint64_t words[ID_SET_WORDS];
};

struct table {
    const struct table_spec *spec;
    struct map slots;          /* key -> struct slot */
    struct id_set indexes;     /* that group these rows */
    struct id_set children;    /* tables that take their keys from here */
    struct id_set read_tables; /* that a compute of this table has read (for the DOT) */
    struct id_set read_indexes;
    struct table_stats stats;
    VEC(struct row_change) changes; /* of the last run; published tables only */
};

struct index {
    const struct index_spec *spec;
    struct map groups;      /* key -> struct group */
    struct id_set children; /* tables that take their keys from here */
};

struct retired {
    struct row *row;
    row_release_fn *release;
};

struct engine {
    const struct graph *graph;
    struct table tables[ENGINE_TABLES_MAX];
    struct index indexes[ENGINE_INDEXES_MAX];
    struct {
        VEC(struct slot *) slots;
    } queues[ENGINE_RANK_MAX + 1]; /* queues[0]: puts and deletes since the last run */
    VEC(struct cell *) idle;
    VEC(struct retired) retired;
    VEC(struct group *) emitted; /* by the index functions of the row at hand */
    struct arena scratch;
    uint64_t stamp; /* the last one given out; never repeats */
    uint64_t evaluations;
    bool running;
    bool paranoid;
};

struct eval {
    struct engine *engine;
    struct slot *slot;
    uint64_t stamp;
    size_t nreads; /* reads recorded so far: slot->reads.items[0..nreads) are of this evaluation */
    bool moved;    /* the sequence of reads differs from the evaluation before */
};

static inline struct slot *cell_slot(struct cell *cell)
{
    return (struct slot *)(void *)cell;
}

static inline struct group *cell_group(struct cell *cell)
{
    return (struct group *)(void *)cell;
}

/* --- id_set --------------------------------------------------------------------------------- */
#define IDS_END (ID_SET_WORDS * 64u)
_Static_assert(ENGINE_TABLES_MAX <= IDS_END && ENGINE_INDEXES_MAX <= IDS_END, "they fit");

static inline void id_set_add(struct id_set *set, unsigned id)
{
    set->words[id / 64] |= UINT64_C(1) << id % 64;
}

/* The first that is `from` or greater; IDS_END: there is none. */
static inline unsigned id_set_next(const struct id_set *set, unsigned from)
{
    for (unsigned id = from; id < IDS_END; id = (id / 64 + 1) * 64) {
        uint64_t left = set->words[id / 64] >> id % 64;
        if (left != 0) {
            return id + (unsigned)__builtin_ctzll(left);
        }
    }
    return IDS_END;
}

static inline bool id_set_has(const struct id_set *set, unsigned id)
{
    return id_set_next(set, id) == id;
}

#define id_set_for_each(id, set)                                                                   \
    for (unsigned id = id_set_next((set), 0); id < IDS_END; id = id_set_next((set), id + 1))

/* --- table.c: rows, slots, cells ----------------------------------------------------------- */
struct slot *table_find(const struct engine *engine, unsigned table, struct str key);
struct slot *table_slot(struct engine *engine, unsigned table, struct str key); /* or makes it */
/* Puts the slot into the queue of its rank, once. */
void slot_queue(struct engine *engine, struct slot *slot);
/* Gives the slot another row (or none), takes the reference, and tells everyone concerned. The
 * caller knows that it differs from the present one. */
void slot_set_row(struct engine *engine, struct slot *slot, struct row *after);
/* A key came to (or went from) a table or index: `children` are the tables keyed by it. */
void children_gain(struct engine *engine, const struct id_set *children, struct str key);
void children_lose(struct engine *engine, const struct id_set *children, struct str key);
void cell_wake(struct engine *engine, struct cell *cell); /* marks the readers stale */
void cell_may_be_idle(struct engine *engine, struct cell *cell);
void engine_sweep(struct engine *engine); /* frees what is idle or retired */
void table_release(struct table *table);
/* The slots that hold a row, sorted by key; free() it. */
struct slot **table_sorted(const struct table *table, size_t *ret_len);

/* --- index.c -------------------------------------------------------------------------------- */
struct group *index_find(const struct engine *engine, unsigned index, struct str key);
struct group *index_group(struct engine *engine, unsigned index, struct str key); /* or makes it */
/* The slot's row became `slot->row`; it was `before`, which is still alive. */
void index_update(struct engine *engine, struct slot *slot, const struct row *before);
void group_free(struct group *group);
void index_release(struct index *index);
/* The groups that have members, sorted by key; free() it. */
struct group **index_sorted(const struct index *index, size_t *ret_len);

/* --- eval.c --------------------------------------------------------------------------------- */
/* Brings a derived slot up to date; returns whether its compute ran. */
bool slot_evaluate(struct engine *engine, struct slot *slot);

#endif
