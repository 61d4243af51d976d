/* SPDX-License-Identifier: Apache-2.0 */
/* acks_timer: when a worker counts its watches (acks.h): after something by which another stream
 * may have acknowledged, or be concerned, and in steps that delay nobody else for long. */
#ifndef HEDDLE_SERVE_ACKS_TIMER_H
#define HEDDLE_SERVE_ACKS_TIMER_H

#include "net/loop.h"
#include "serve/acks.h"

#define ACKS_PAUSE_MS 50 /* between two counts */
#define ACKS_REST 9      /* after a step, this many times what it took */

struct acks_timer {
    struct acks_watches watches;
    struct loop *loop;
    uv_timer_t due;
    uint64_t from; /* loop time: no new count before that */
    bool stirred;  /* something happened since the present count began */
    void (*tell)(void *user, struct letter *letter); /* takes the letter */
    void *user;
};

void acks_timer_init(struct acks_timer *timer, struct loop *loop, struct stream_env *env,
                     void (*tell)(void *user, struct letter *letter), void *user);
void acks_timer_stir(struct acks_timer *timer);
void acks_timer_close(struct acks_timer *timer); /* the watches stay until acks_release() */

#endif
