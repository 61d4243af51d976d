/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elsewhere: what status has to know of clients of other replicas: which kinds of them are
 * connected (T_ELSEWHERE), and what they reject (T_REJECTION). A client is connected to one
 * replica, and another may be the one that writes.
 *
 *   T_VIEW, T_REJECTION of the clients here ─► elsewhere_tell ─► /replica/clients ─┐
 *   T_ELSEWHERE, T_REJECTION of the others' ◄─ elsewhere_hear ◄────────────────────┘
 *
 * Told is each rejected resource once, with the words of the first client and the number of all:
 *
 *   {"scopes":["envoy","sidecar.redirect"],
 *    "rejections":[{"type":"rds","name":"shop/cart:80","scope":"envoy","version":"…",
 *                   "node":"sidecar/shop/web","text":"no such thing","clients":2}]}
 *
 * Each answer is the whole truth of its replica and replaces the one before.
 */
#ifndef HEDDLE_PIPELINE_ELSEWHERE_H
#define HEDDLE_PIPELINE_ELSEWHERE_H

#include "base/buf.h"
#include "base/vec.h"
#include "codec/hash.h"
#include "engine/engine.h"

#define ELSEWHERE_SCOPES_MAX 64
#define ELSEWHERE_REJECTIONS_MAX 500 /* each with as much text as a stream keeps of it */

struct elsewhere_row {
    unsigned table;
    char *key;
};

struct elsewhere_replica {
    char *address;
    struct hash told; /* its last answer */
    uint64_t told_ms;
    size_t rejections; /* of its rows */
    VEC(struct elsewhere_row) rows;
};

struct elsewhere {
    struct engine *engine;
    VEC(struct elsewhere_replica) replicas;
};

void elsewhere_init(struct elsewhere *elsewhere, struct engine *engine);
void elsewhere_release(struct elsewhere *elsewhere); /* the rows stay */

/* Of the clients here, as of the last turn. */
void elsewhere_tell(const struct engine *engine, struct buf *out);
/* What a replica answered; what is no such answer changes nothing. True: there is something to be
 * turned. */
bool elsewhere_hear(struct elsewhere *elsewhere, struct str address, struct str answer,
                    uint64_t now_ms);
/* Forgets those that have said nothing since then. True: as above. */
bool elsewhere_forget(struct elsewhere *elsewhere, uint64_t since_ms);
bool elsewhere_rejects(const struct elsewhere *elsewhere); /* is anything rejected there? */

#endif
