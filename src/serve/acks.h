/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acks: a worker's part of serve_acks_watch(): which of its streams have acknowledged what they are
 * to have under the names of each watch.
 *
 *   apart          it asked for none of the names, or they mean nothing to it
 *   behind         something is to be sent, on its way, or unanswered
 *   rejected       it said that it does not use one of them
 *   acknowledged   it has them all
 *
 * Watches are counted all at once and from nothing, by the subscribers of their names. That takes
 * as long as there are watched names and streams that ask for them, so it is done no more than
 * every ACKS_PAUSE_MS, and for a tenth of the time at most.
 */
#ifndef HEDDLE_SERVE_ACKS_H
#define HEDDLE_SERVE_ACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bitmap.h"
#include "base/vec.h"
#include "serve/letter.h"
#include "serve/stream.h"

#define ACKS_PAUSE_MS 50 /* between two counts */
#define ACKS_REST 9      /* and this many times what a count took */

struct acks_id {
    enum xds_type type;
    uint32_t id; /* held */
};

struct acks_watched {
    watch_id id;
    bool told; /* `last` is what thread 0 knows */
    struct acks last;
    size_t len;
    struct acks_id *ids;
};

struct acks_watches {
    struct stream_env *env;
    VEC(struct acks_watched) items;
    struct bitmap concerned, behind, rejected; /* scratch: slots */
};

void acks_init(struct acks_watches *watches, struct stream_env *env);
void acks_release(struct acks_watches *watches); /* while the env still is */
void acks_watch(struct acks_watches *watches, watch_id id, const struct acks_name *names,
                size_t len);
void acks_unwatch(struct acks_watches *watches, watch_id id);
/* Those whose count is another than when it was told last; NULL: none. The letter is to be sent. */
struct letter *acks_count(struct acks_watches *watches);

#endif
