/* SPDX-License-Identifier: Apache-2.0 */
/* samples: which of many durations is the p-th of a hundred? */
#include "samples.h"

void samples_add(struct samples *samples, uint64_t ns)
{
    vec_push(&samples->ns, ns);
}

void samples_release(struct samples *samples)
{
    vec_release(&samples->ns);
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

double samples_ms(struct samples *samples, unsigned percentile)
{
    size_t len = samples->ns.len;

    if (len == 0) {
        return 0;
    }
    qsort(samples->ns.items, len, sizeof(uint64_t), compare);
    size_t rank = (len * percentile + 99) / 100;
    return (double)samples->ns.items[rank > 0 ? rank - 1 : 0] / 1e6;
}
