/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor: how fast could the kernel alone do it?
 *
 * One thread writes the same bytes to each of n loopback sockets, one write(2) each; another reads
 * them with epoll. No server that writes once per stream from one thread can be much faster.
 */
#ifndef HEDDLE_BENCH_FLOOR_H
#define HEDDLE_BENCH_FLOOR_H

#include <stdbool.h>

#include "base/err.h"
#include "samples.h"

#define FLOOR_BYTES_MAX (1u << 20)

struct floor;

bool floor_new(unsigned nsockets, struct floor **ret_floor, struct err *err);
void floor_free(struct floor *floor); /* NULL is fine */
/* One round of `bytes` per socket; adds the time to the receipt of the last byte at each. */
bool floor_round(struct floor *floor, size_t bytes, struct samples *samples, struct err *err);

#endif
