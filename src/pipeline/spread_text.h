/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread_text: how replicas ask each other of their clients (/replica/propagated): a line for each
 * route, words between blanks.
 *
 *   asked     HTTPRoute/ns/name 3
 *   answered  HTTPRoute/ns/name 3 2 1 0 pending      of generation 3, of 2 clients 1 has
 *             HTTPRoute/ns/name 3 2 2 0 settled      acknowledged and 0 have rejected it
 *
 * A generation that the other does not know (yet) has no line in the answer.
 */
#ifndef HEDDLE_PIPELINE_SPREAD_TEXT_H
#define HEDDLE_PIPELINE_SPREAD_TEXT_H

#include "base/buf.h"
#include "base/map.h"
#include "pipeline/spread.h"

#define SPREAD_ROUTES_MAX 2000 /* of one question; more are asked next time */

/* What a round of questions is about, and what was answered so far. */
struct spread_round {
    struct map asked;  /* "HTTPRoute/ns/name 3" -> what all said */
    unsigned replicas; /* that are asked */
};

/* Of all that is not settled; the question's text into out. */
void spread_round_begin(struct spread_round *round, const struct spread *spread, unsigned replicas,
                        struct buf *out);
/* What one replica answered. */
void spread_round_hear(struct spread_round *round, struct str answer);
/* Tells the spread, and releases the round. */
void spread_round_end(struct spread_round *round, struct spread *spread, uint64_t now_ms);
void spread_round_release(struct spread_round *round);

/* Answers a question for the clients here. */
void spread_answer(const struct spread *spread, struct str question, struct buf *out);

#endif
