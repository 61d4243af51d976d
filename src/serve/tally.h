/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally: thread 0's part of serve_acks_watch(): asks every worker (acks.h) and adds up what they
 * say.
 */
#ifndef HEDDLE_SERVE_TALLY_H
#define HEDDLE_SERVE_TALLY_H

#include "base/map.h"
#include "serve/letter.h"

struct tally {
    struct map by_id; /* the bytes of a watch_id -> struct tally_watch */
    watch_id last_id;
    void (*post)(void *user, unsigned worker, struct letter *letter); /* takes the letter */
    void *user;
};

void tally_release(struct tally *tally);
watch_id tally_watch(struct tally *tally, unsigned nworkers, const struct acks_name *names,
                     size_t len, serve_acks_fn *changed, void *user);
void tally_cancel(struct tally *tally, watch_id id);
/* LETTER_ACKS. */
void tally_add(struct tally *tally, const struct letter *acks);

#endif
