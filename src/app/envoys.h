/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envoys: how many of a Gateway's Envoys have acknowledged what `why` tells, over all replicas.
 *
 *   counted here ─► /replica/envoys of each other ─► the sum
 *
 * Another replica answers the same question from what it serves itself. Where it would tell
 * something else it is behind, and so are its Envoys, whatever they have acknowledged. Thread 0.
 */
#ifndef HEDDLE_APP_ENVOYS_H
#define HEDDLE_APP_ENVOYS_H

#include "codec/hash.h"
#include "codec/json.h"
#include "serve/serve.h"

struct daemon;

struct envoys_question {
    struct daemon *daemon;
    const struct resource *want; /* what they should have; NULL: nobody here has asked for it */
    struct hash told;            /* of what is told */
    struct str query;            /* of /api/why */
    bool here;                   /* only those of this replica */
};

struct envoys; /* the counts */
typedef void envoys_done_fn(void *user, const struct envoys *envoys);
/* done is called once, perhaps from within. */
void envoys_count(const struct envoys_question *question, envoys_done_fn *done, void *user);
/* The members connected, acknowledged, rejected, behind: some node ids of those that are; replicas:
 * how many were counted; silent: addresses of those that did not answer; of one replica told. */
void envoys_tell(const struct envoys *envoys, struct json *json);

#endif
