/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bitmap: a set of small integers that grows as needed; absent words read as 0.
 *
 * Per-stream state (what is subscribed, dirty, known) is kept in these: 1,000 streams over 10,000
 * resources are megabytes, not gigabytes.
 */
#ifndef HEDDLE_BASE_BITMAP_H
#define HEDDLE_BASE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bitmap {
    uint64_t *words;
    uint32_t nwords;
    uint32_t count; /* bits set */
};

#define BITMAP_END UINT32_MAX

/* Zero-initialised is empty and valid. */
void bitmap_release(struct bitmap *bm);
void bitmap_clear_all(struct bitmap *bm);           /* keeps the memory */
bool bitmap_set(struct bitmap *bm, uint32_t bit);   /* true: it was not set before */
bool bitmap_clear(struct bitmap *bm, uint32_t bit); /* true: it was set before */
/* bitmap_clear() of a set that is empty most of the time, and keeps no memory then. */
void bitmap_drop(struct bitmap *bm, uint32_t bit);
/* First set bit >= from, or BITMAP_END. */
uint32_t bitmap_next(const struct bitmap *bm, uint32_t from);
/* First bit >= from that is set in both, or BITMAP_END. */
uint32_t bitmap_next_and(const struct bitmap *a, const struct bitmap *b, uint32_t from);

static inline bool bitmap_test(const struct bitmap *bm, uint32_t bit)
{
    return bit / 64 < bm->nwords && ((bm->words[bit / 64] >> (bit % 64)) & 1) != 0;
}

#define bitmap_for_each(bit, bm)                                                                   \
    for (uint32_t bit = bitmap_next((bm), 0); bit != BITMAP_END; bit = bitmap_next((bm), bit + 1))

#endif
