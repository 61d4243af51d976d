/* SPDX-License-Identifier: Apache-2.0 */
/* bitmap: a growing set of small integers. */
#include "base/bitmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

#define WORD_BITS 64

void bitmap_release(struct bitmap *bm)
{
    free(bm->words);
    *bm = (struct bitmap){0};
}

void bitmap_clear_all(struct bitmap *bm)
{
    if (bm->nwords != 0) {
        memset(bm->words, 0, bm->nwords * sizeof(*bm->words));
    }
    bm->count = 0;
}

static void bitmap_grow(struct bitmap *bm, uint32_t need)
{
    uint32_t nwords = bm->nwords + bm->nwords / 2;
    nwords = nwords < need ? need : nwords;
    bm->words = xrealloc(bm->words, nwords * sizeof(*bm->words));
    memset(bm->words + bm->nwords, 0, (nwords - bm->nwords) * sizeof(*bm->words));
    bm->nwords = nwords;
}

bool bitmap_set(struct bitmap *bm, uint32_t bit)
{
    ASSERT(bit != BITMAP_END);
    uint32_t at = bit / WORD_BITS;
    uint64_t mask = UINT64_C(1) << (bit % WORD_BITS);
    if (at >= bm->nwords) {
        bitmap_grow(bm, at + 1);
    }
    if ((bm->words[at] & mask) != 0) {
        return false;
    }
    bm->words[at] |= mask;
    bm->count++;
    return true;
}

bool bitmap_clear(struct bitmap *bm, uint32_t bit)
{
    if (!bitmap_test(bm, bit)) {
        return false;
    }
    bm->words[bit / WORD_BITS] &= ~(UINT64_C(1) << (bit % WORD_BITS));
    bm->count--;
    return true;
}

/* First bit >= from in the words of a, masked by those of b unless b is NULL. */
static uint32_t scan(const struct bitmap *a, const struct bitmap *b, uint32_t nwords, uint32_t from)
{
    uint64_t keep = UINT64_MAX << (from % WORD_BITS);
    for (uint32_t at = from / WORD_BITS; at < nwords; at++, keep = UINT64_MAX) {
        uint64_t word = a->words[at] & keep;
        if (b != NULL) {
            word &= b->words[at];
        }
        if (word != 0) {
            return at * WORD_BITS + (uint32_t)__builtin_ctzll(word);
        }
    }
    return BITMAP_END;
}

void bitmap_drop(struct bitmap *bm, uint32_t bit)
{
    if (bitmap_clear(bm, bit) && bm->count == 0) {
        bitmap_release(bm);
    }
}

uint32_t bitmap_next(const struct bitmap *bm, uint32_t from)
{
    return scan(bm, NULL, bm->nwords, from);
}

uint32_t bitmap_next_and(const struct bitmap *a, const struct bitmap *b, uint32_t from)
{
    return scan(a, b, a->nwords < b->nwords ? a->nwords : b->nwords, from);
}
