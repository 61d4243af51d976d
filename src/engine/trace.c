/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: what the engine has done so far, in numbers and as a picture.
 */
#include "base/panic.h"
#include "engine/engine_internal.h"

struct table_stats engine_stats(const struct engine *engine, unsigned table)
{
    ASSERT(table < engine->graph->ntables);
    return engine->tables[table].stats;
}

uint64_t engine_evaluations(const struct engine *engine)
{
    return engine->evaluations;
}

static void dot_table(const struct engine *engine, unsigned id, struct buf *out)
{
    const struct table *table = &engine->tables[id];
    buf_printf(out, "  t%u [shape=box,label=\"%s\\n%zu rows, %zu bytes", id, table->spec->name,
               table->stats.rows, table->stats.bytes);
    if (table->spec->compute != NULL) {
        buf_printf(out, "\\n%llu evaluations, %llu cut off, %llu us",
                   (unsigned long long)table->stats.evaluations,
                   (unsigned long long)table->stats.cutoffs,
                   (unsigned long long)(table->stats.nanoseconds / 1000));
    }
    buf_printf(out, "\"%s];\n", table->spec->published ? ",peripheries=2" : "");
}

/* Solid arrows carry keys, dashed ones are reads that have been seen. */
static void dot_edges(const struct engine *engine, unsigned id, struct buf *out)
{
    const struct table *table = &engine->tables[id];
    id_set_for_each (i, &table->children) {
        buf_printf(out, "  t%u -> t%u;\n", id, i);
    }
    id_set_for_each (i, &table->read_tables) {
        buf_printf(out, "  t%u -> t%u [style=dashed];\n", i, id);
    }
    id_set_for_each (i, &table->read_indexes) {
        buf_printf(out, "  i%u -> t%u [style=dashed];\n", i, id);
    }
}

static void dot_index(const struct engine *engine, unsigned id, struct buf *out)
{
    const struct index *index = &engine->indexes[id];
    buf_printf(out, "  i%u [shape=ellipse,label=\"%s\\n%zu groups\"];\n", id, index->spec->name,
               index->groups.len);
    buf_printf(out, "  t%u -> i%u;\n", index->spec->table, id);
    id_set_for_each (i, &index->children) {
        buf_printf(out, "  i%u -> t%u;\n", id, i);
    }
}

static void dot_rank(const struct engine *engine, unsigned rank, struct buf *out)
{
    buf_add_text(out, "  { rank=same;");
    for (unsigned i = 0; i < engine->graph->ntables; i++) {
        if (engine->graph->tables[i].rank == rank) {
            buf_printf(out, " t%u;", i);
        }
    }
    buf_add_text(out, " }\n");
}

void engine_dot(const struct engine *engine, struct buf *out)
{
    buf_add_text(out, "digraph engine {\n  rankdir=LR;\n");
    for (unsigned i = 0; i < engine->graph->ntables; i++) {
        dot_table(engine, i, out);
    }
    for (unsigned i = 0; i < engine->graph->nindexes; i++) {
        dot_index(engine, i, out);
    }
    for (unsigned i = 0; i < engine->graph->ntables; i++) {
        dot_edges(engine, i, out);
    }
    for (unsigned rank = 0; rank <= ENGINE_RANK_MAX; rank++) {
        dot_rank(engine, rank, out);
    }
    buf_add_text(out, "}\n");
}
