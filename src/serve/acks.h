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
 * Watches are counted from nothing, by the subscribers of their names: one after the other, in
 * steps of about ACKS_LOOKS looks at a stream, so that a thousand watches of all streams (after a
 * start) keep nobody waiting. When: acks_timer.h.
 */
#ifndef HEDDLE_SERVE_ACKS_H
#define HEDDLE_SERVE_ACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bitmap.h"
#include "base/vec.h"
#include "serve/letter.h"
#include "serve/stream.h"

#define ACKS_LOOKS 10000 /* half a millisecond */

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
    size_t next;  /* those before it are counted; 0: no count is under way */
    size_t looks; /* in this step */
    struct bitmap concerned, behind, rejected; /* scratch: slots */
};

void acks_init(struct acks_watches *watches, struct stream_env *env);
void acks_release(struct acks_watches *watches); /* while the env still is */
void acks_watch(struct acks_watches *watches, watch_id id, const struct acks_name *names,
                size_t len);
void acks_unwatch(struct acks_watches *watches, watch_id id);
/* One step: those whose count is another than when it was told last; NULL: none. The letter is to
 * be sent. */
struct letter *acks_count(struct acks_watches *watches);
bool acks_is_counting(const struct acks_watches *watches); /* the next step goes on with it */

#endif
