/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec: a typed growable array. `VEC(struct foo)` is an anonymous struct type {items, len, cap};
 * name it by putting it into a struct member. Zero-initialised is empty and valid.
 */
#ifndef HEDDLE_BASE_VEC_H
#define HEDDLE_BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

#include "base/panic.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t len;                                                                                \
        size_t cap;                                                                                \
    }

/* Returns the grown block; *cap is updated. Growth by half, at least 8 items. */
void *vec_grow(void *items, size_t item_size, size_t need, size_t *cap);

#define vec_reserve(v, n)                                                                          \
    do {                                                                                           \
        if ((v)->cap < (n)) {                                                                      \
            (v)->items = vec_grow((v)->items, sizeof(*(v)->items), (n), &(v)->cap);                \
        }                                                                                          \
    } while (0)
#define vec_push(v, item)                                                                          \
    do {                                                                                           \
        vec_reserve((v), (v)->len + 1);                                                            \
        (v)->items[(v)->len++] = (item);                                                           \
    } while (0)
#define vec_pop(v) ((v)->items[--(v)->len])
/* O(1), the last item takes the place of item i */
#define vec_swap_remove(v, i) ((void)((v)->items[(i)] = (v)->items[--(v)->len]))
#define vec_clear(v) ((void)((v)->len = 0))
#define vec_release(v)                                                                             \
    do {                                                                                           \
        free((v)->items);                                                                          \
        (v)->items = NULL;                                                                         \
        (v)->len = (v)->cap = 0;                                                                   \
    } while (0)

#endif
