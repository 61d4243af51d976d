/* SPDX-License-Identifier: Apache-2.0 */
/* world: the same inputs in another engine, and what was put in their place. */
#include "pipeline/world.h"

#include <string.h>

#include "base/panic.h"
#include "pipeline/graph.h"

struct taking {
    struct world *world;
    unsigned table;
};

static void take_row(void *user, struct str key, const struct row *row)
{
    struct taking *taking = user;
    struct world *world = taking->world;
    struct world_input input = {taking->table, arena_str(&world->arena, key), row_ref(row)};
    vec_push(&world->inputs, input);
}

void world_take(struct world *world, const struct engine *engine)
{
    const struct graph *graph = engine_graph(engine);
    memset(world, 0, sizeof(*world));
    arena_init(&world->arena);
    for (unsigned i = 0; i < graph->ntables; i++) {
        struct taking taking = {world, i};
        if (graph->tables[i].rank == 0) {
            ASSERT(graph->tables[i].release == NULL); /* world_release() calls none */
            engine_each_unordered(engine, i, take_row, &taking);
        }
    }
}

void world_start(struct world *world)
{
    world->engine = engine_new(&heddle_graph);
    for (size_t i = 0; i < world->inputs.len; i++) {
        const struct world_input *input = &world->inputs.items[i];
        engine_put(world->engine, input->table, input->key, row_ref(input->row));
    }
}

static void remember(struct world *world, unsigned table, struct str key)
{
    const struct row *row = engine_get(world->engine, table, key);
    struct world_input input = {table, arena_str(&world->arena, key),
                                row != NULL ? row_ref(row) : NULL};
    vec_push(&world->replaced, input);
}

void world_put(struct world *world, unsigned table, struct str key, struct row *row)
{
    remember(world, table, key);
    engine_put(world->engine, table, key, row);
}

void world_remove(struct world *world, unsigned table, struct str key)
{
    remember(world, table, key);
    engine_delete(world->engine, table, key);
}

void world_back(struct world *world)
{
    while (world->replaced.len > 0) {
        struct world_input input = vec_pop(&world->replaced);
        if (input.row != NULL) {
            engine_put(world->engine, input.table, input.key, input.row);
        } else {
            engine_delete(world->engine, input.table, input.key);
        }
    }
}

void world_release(struct world *world)
{
    for (size_t i = 0; i < world->replaced.len; i++) {
        row_unref(world->replaced.items[i].row, NULL);
    }
    for (size_t i = 0; i < world->inputs.len; i++) {
        row_unref(world->inputs.items[i].row, NULL);
    }
    vec_release(&world->replaced);
    vec_release(&world->inputs);
    engine_free(world->engine);
    arena_release(&world->arena);
}
