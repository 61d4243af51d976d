/* SPDX-License-Identifier: Apache-2.0 */
/* backoff: see the header. The random part needs no quality, only that processes differ. */
#include "kube/backoff.h"

#include <stdint.h>
#include <uv.h>

#define DOUBLINGS_MAX 16

unsigned backoff_jitter(unsigned ms)
{
    uint32_t drawn = 0;
    if (uv_random(NULL, NULL, &drawn, sizeof(drawn), 0, NULL) != 0) {
        return ms;
    }
    return ms - drawn % (ms / 4 + 1);
}

unsigned backoff_next(struct backoff *backoff)
{
    unsigned doublings = backoff->failures < DOUBLINGS_MAX ? backoff->failures : DOUBLINGS_MAX;
    uint64_t wait = (uint64_t)backoff->first_ms << doublings;
    backoff->failures++;
    return backoff_jitter(wait < backoff->max_ms ? (unsigned)wait : backoff->max_ms);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->failures = 0;
}
