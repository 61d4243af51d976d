/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world: a mesh and its streams without sockets or threads, for scenarios.
 *
 *   script ─► mesh ─► changeset ─► streams ─► messages ─► clients ─┐
 *               ▲        (serve/stream.h)                          │
 *               └───────── interest, rejections ◄──────────────────┘
 *
 * world_settle() goes round until nobody has anything to say; the oracle looks at each turn.
 */
#ifndef HEDDLE_TESTS_WORLD_H
#define HEDDLE_TESTS_WORLD_H

#include "base/vec.h"
#include "pipeline/mesh.h"
#include "serve/stream.h"

struct client;

struct world {
    struct mesh *mesh;
    struct stream_env env;
    _Atomic unsigned names; /* on demand */
    VEC(struct client *) clients;
    stream_id last_id;
    uint64_t evaluations; /* before the last step */
};

void world_init(struct world *world);
void world_release(struct world *world);
void world_settle(struct world *world);
/* The next world_evaluations() count from here. */
void world_step(struct world *world);
uint64_t world_evaluations(const struct world *world);
struct client *world_client(const struct world *world, struct str name); /* NULL: no such */

#endif
