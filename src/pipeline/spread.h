/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread: how far what each route's present generation made has come (heddle.dev/Propagated).
 *
 *   a turn changed a route ─► the names of all resources that it contributes to, and did before
 *                          ─► a watch of them (serve_acks_watch) ─► N of M clients ─► settled
 *
 * Once all clients concerned have acknowledged all names, the generation is settled, and stays so,
 * whoever connects later and whatever else changes. With several replicas each counts its own
 * clients, and adds what the others say of theirs (spread_others()).
 *
 * Nothing is settled before spread_know(): after a start clients are still coming back, and none
 * would wrongly be all.
 * Thread 0.
 */
#ifndef HEDDLE_PIPELINE_SPREAD_H
#define HEDDLE_PIPELINE_SPREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "serve/serve.h"
#include "status/propagation.h"
#include "status/store.h"

struct spread;

/* Who counts: serve, or a test. */
struct spread_counting {
    void *user;
    watch_id (*watch)(void *user, const struct acks_name *names, size_t len, serve_acks_fn *changed,
                      void *about);
    void (*cancel)(void *user, watch_id id);
};

struct spread *spread_new(const struct spread_counting *counting);
void spread_free(struct spread *spread); /* cancels nothing; NULL is fine */
/* Told whenever spread_of() has another answer. */
void spread_watch(struct spread *spread, status_changed_fn *changed, void *user);

/* After the changeset of a turn was published. */
void spread_turn(struct spread *spread, const struct engine *engine, uint64_t now_ms);
/* Whether all clients are where they can be counted: not at first, nor while those of a replica
 * that went are on their way here. Nothing is settled before; when it turns, what is not is counted
 * anew. */
void spread_know(struct spread *spread, const struct engine *engine, bool known);
/* The hook of status/propagation.h; user: the spread. */
bool spread_of(void *user, enum kind_id kind, struct str ns, struct str name, int64_t generation,
               struct propagated *ret_propagated);

/* --- several replicas ------------------------------------------------------------------------ */
struct spread_count {
    uint64_t clients, acknowledged, rejected;
    bool settled;
};
/* Whether there are other replicas, whose word must be waited for. None at the beginning. */
void spread_set_others(struct spread *spread, bool others);
size_t spread_pending(const struct spread *spread); /* routes that are not settled */
/* In no order. */
typedef void spread_pending_fn(void *user, struct str key, int64_t generation);
void spread_each_pending(const struct spread *spread, spread_pending_fn *visit, void *user);
/* What all other replicas together say; ignored when the generation is another one by now. */
void spread_others(struct spread *spread, struct str key, int64_t generation,
                   const struct spread_count *others, uint64_t now_ms);
/* Of the clients here. False: that generation is not (or no longer) known here. */
bool spread_here(const struct spread *spread, struct str key, int64_t generation,
                 struct spread_count *ret_count);

#endif
