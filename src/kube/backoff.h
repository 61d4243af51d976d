/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff: how long to wait before trying again: doubling, and each time a random part of it
 * shorter, so that many clients of a server that comes back do not all come at once.
 */
#ifndef HEDDLE_KUBE_BACKOFF_H
#define HEDDLE_KUBE_BACKOFF_H

struct backoff {
    unsigned first_ms, max_ms;
    unsigned failures; /* in a row */
};

unsigned backoff_next(struct backoff *backoff); /* one more failure: how long to wait */
void backoff_reset(struct backoff *backoff);
/* ms, less up to a quarter of it. */
unsigned backoff_jitter(unsigned ms);

#endif
