/* SPDX-License-Identifier: Apache-2.0 */
/* waiters: see waiters.h. */
#include "agent/waiters.h"

void waiters_add(struct waiters *waiters, struct h1_reply *reply)
{
    vec_push(&waiters->replies, reply);
}

void waiters_answer(struct waiters *waiters, unsigned status, const char *text)
{
    struct waiters all = *waiters;
    *waiters = (struct waiters){.replies = {.len = 0}}; /* an answer may bring the next question */
    for (size_t i = 0; i < all.replies.len; i++) {
        h1_reply_text(all.replies.items[i], status, text);
    }
    vec_release(&all.replies);
}
