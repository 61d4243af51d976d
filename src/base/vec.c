/* SPDX-License-Identifier: Apache-2.0 */
/* vec: how far a vector grows. */
#include "base/vec.h"

#define VEC_CAP_MIN 8

void *vec_grow(void *items, size_t item_size, size_t need, size_t *cap)
{
    size_t grown = *cap + *cap / 2;
    grown = grown < VEC_CAP_MIN ? VEC_CAP_MIN : grown;
    grown = grown < need ? need : grown;
    size_t bytes;
    if (__builtin_mul_overflow(grown, item_size, &bytes)) {
        panic("vec: %zu items of %zu bytes overflow", grown, item_size);
    }
    items = xrealloc(items, bytes);
    *cap = grown;
    return items;
}
