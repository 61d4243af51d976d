/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world: a second engine with the inputs of a first one, in which a change can be tried.
 *
 *   engine of thread 0 ──world_take──► references to its input rows   (no copies: rows are
 * immutable) │ world_start, on any one thread ▼ engine of the world ──world_put, _remove──► as it
 * would be ──world_back──► as it is
 *
 * Going there and back costs what the change costs, since the engine is incremental; being there at
 * all costs one translation of everything.
 */
#ifndef HEDDLE_PIPELINE_WORLD_H
#define HEDDLE_PIPELINE_WORLD_H

#include "base/vec.h"
#include "engine/engine.h"

struct world_input {
    unsigned table;
    struct str key;
    struct row *row; /* a reference; NULL: there is none */
};

struct world {
    struct arena arena; /* the keys */
    VEC(struct world_input) inputs;
    VEC(struct world_input) replaced; /* what stood where something was tried, in that order */
    struct engine *engine;            /* NULL before world_start() */
};

/* On the thread of the engine, between its turns. Costs a reference for each row. */
void world_take(struct world *world, const struct engine *engine);
/* From here on any one thread. Nothing is computed before engine_run(world->engine). */
void world_start(struct world *world);
/* A change to be tried; takes the reference. Takes effect in the next engine_run(). */
void world_put(struct world *world, unsigned table, struct str key, struct row *row);
void world_remove(struct world *world, unsigned table, struct str key);
/* Takes all of it back; the next engine_run() yields what there was. */
void world_back(struct world *world);
void world_release(struct world *world);

#endif
