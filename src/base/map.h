/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map: struct str -> pointer, open addressing, hashed with a seed drawn at process start
 * (names come from tenants, so collisions must not be theirs to choose).
 *
 * Keys are borrowed: they live in what the value points to, or at least as long as the entry.
 * Iteration order is arbitrary and must never reach bytes that leave the process.
 */
#ifndef HEDDLE_BASE_MAP_H
#define HEDDLE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct map_slot {
    struct str key;
    uint64_t hash;
    void *value; /* NULL: free slot */
};

struct map {
    struct map_slot *slots; /* cap of them, a power of two; NULL while empty */
    size_t len;
    size_t cap;
};

/* Zero-initialised is empty and valid. */
void map_release(struct map *map);                    /* frees the slots, not the values */
void *map_get(const struct map *map, struct str key); /* NULL when absent */
/* value must not be NULL. Returns the value that stood there before, or NULL; when one did, the
 * slot's key becomes the new key. */
void *map_put(struct map *map, struct str key, void *value);
void *map_remove(struct map *map, struct str key); /* the removed value, or NULL */
void map_clear(struct map *map);
/* for (size_t i = map_next(m, 0); i < m->cap; i = map_next(m, i + 1)) m->slots[i].value
 * The map must not change meanwhile. */
size_t map_next(const struct map *map, size_t from);
uint64_t map_hash(struct str key);

#endif
