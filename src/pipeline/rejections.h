/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rejections: what clients of other replicas reject, so that the status here tells it, too: a
 * client is connected to one replica, and another may be the one that writes.
 *
 *   T_REJECTION of the clients here ─► rejections_tell ─► /replica/rejections ─┐
 *   T_REJECTION of others' clients  ◄─ rejections_hear ◄───────────────────────┘
 *
 * Told is each resource once, with the words of the first client and the number of them all:
 *
 *   {"rejections":[{"type":"rds","name":"shop/cart:80","scope":"envoy","version":"…",
 *                   "node":"sidecar/shop/web","text":"no such thing","clients":2}]}
 *
 * Each answer is the whole truth of its replica and replaces the one before.
 */
#ifndef HEDDLE_PIPELINE_REJECTIONS_H
#define HEDDLE_PIPELINE_REJECTIONS_H

#include "base/buf.h"
#include "base/vec.h"
#include "codec/hash.h"
#include "engine/engine.h"

#define REJECTIONS_TOLD_MAX 500 /* resources; each with as much text as a stream keeps of it */

struct rejections_from {
    char *replica;
    struct hash told; /* its last answer */
    uint64_t told_ms;
    VEC(char *) keys; /* of its rows in T_REJECTION */
};

struct rejections {
    struct engine *engine;
    VEC(struct rejections_from) from;
};

void rejections_init(struct rejections *rejections, struct engine *engine);
void rejections_release(struct rejections *rejections); /* the rows stay */

/* What the clients here reject, as of the last turn. */
void rejections_tell(const struct engine *engine, struct buf *out);
/* What a replica answered; what is no such answer changes nothing. True: there is something to be
 * turned. */
bool rejections_hear(struct rejections *rejections, struct str replica, struct str answer,
                     uint64_t now_ms);
/* Forgets the word of those that have said none since then. True: as above. */
bool rejections_forget(struct rejections *rejections, uint64_t since_ms);
bool rejections_any(const struct rejections *rejections); /* does another replica tell of some? */

#endif
