/* SPDX-License-Identifier: Apache-2.0 */
/* samples: many durations, and which of them is the p-th of a hundred. */
#ifndef HEDDLE_BENCH_SAMPLES_H
#define HEDDLE_BENCH_SAMPLES_H

#include <stdint.h>

#include "base/vec.h"

struct samples {
    VEC(uint64_t) ns; /* zero-initialised is empty and valid */
};

void samples_add(struct samples *samples, uint64_t ns);
void samples_release(struct samples *samples);
/* Nearest rank, in milliseconds; 0 when there are none. Sorts. */
double samples_ms(struct samples *samples, unsigned percentile);

#endif
