/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map: linear probing over a power of two of slots, at most three quarters full.
 *
 *   hash & mask ──► [k1][k2][k3][  ]      a run ends at the first free slot
 *
 * Removal closes the gap by moving later members of the run back, so there are no tombstones and
 * a lookup never walks over what is gone.
 */
#define XXH_INLINE_ALL
#include "base/map.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#include "base/panic.h"

#define MAP_CAP_MIN 8

static uint64_t map_seed(void)
{
    static _Atomic uint64_t seed; /* 0: not drawn yet */
    uint64_t present = atomic_load_explicit(&seed, memory_order_relaxed);
    if (present != 0) {
        return present;
    }
    uint64_t drawn;
    if (getrandom(&drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn)) {
        panic("map: the system gives no random bytes");
    }
    drawn |= 1;
    /* Whichever thread comes first decides; the losers take its value. */
    return atomic_compare_exchange_strong(&seed, &present, drawn) ? drawn : present;
}

uint64_t map_hash(struct str key)
{
    return XXH3_64bits_withSeed(key.len != 0 ? key.ptr : "", key.len, map_seed());
}

/* The slot that holds the key, or the free slot that ends its run. Needs cap > len. */
static struct map_slot *map_find(const struct map *map, struct str key, uint64_t hash)
{
    size_t mask = map->cap - 1;
    size_t i = (size_t)hash & mask;
    while (map->slots[i].value != NULL &&
           (map->slots[i].hash != hash || !str_eq(map->slots[i].key, key))) {
        i = (i + 1) & mask;
    }
    return &map->slots[i];
}

static void map_grow(struct map *map)
{
    struct map grown = {.len = map->len, .cap = map->cap != 0 ? map->cap * 2 : MAP_CAP_MIN};
    grown.slots = xcalloc(grown.cap, sizeof(*grown.slots));
    for (size_t i = 0; i < map->cap; i++) {
        if (map->slots[i].value != NULL) {
            *map_find(&grown, map->slots[i].key, map->slots[i].hash) = map->slots[i];
        }
    }
    free(map->slots);
    *map = grown;
}

void map_release(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}

void *map_get(const struct map *map, struct str key)
{
    return map->len != 0 ? map_find(map, key, map_hash(key))->value : NULL;
}

void *map_put(struct map *map, struct str key, void *value)
{
    ASSERT(value != NULL);
    uint64_t hash = map_hash(key);
    struct map_slot *slot = map->cap != 0 ? map_find(map, key, hash) : NULL;
    void *before = slot != NULL ? slot->value : NULL;
    if (before == NULL) {
        if (map->len + 1 > map->cap / 4 * 3) {
            map_grow(map);
            slot = map_find(map, key, hash);
        }
        map->len++;
    }
    *slot = (struct map_slot){.key = key, .hash = hash, .value = value};
    return before;
}

void *map_remove(struct map *map, struct str key)
{
    if (map->len == 0) {
        return NULL;
    }
    struct map_slot *slot = map_find(map, key, map_hash(key));
    void *removed = slot->value;
    if (removed == NULL) {
        return NULL;
    }
    size_t mask = map->cap - 1;
    size_t gap = (size_t)(slot - map->slots);
    for (size_t i = (gap + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
        /* A member may move back unless its home lies after the gap. */
        size_t from_home = (i - (size_t)map->slots[i].hash) & mask;
        if (from_home >= ((i - gap) & mask)) {
            map->slots[gap] = map->slots[i];
            gap = i;
        }
    }
    map->slots[gap] = (struct map_slot){0};
    map->len--;
    return removed;
}

void map_clear(struct map *map)
{
    if (map->cap != 0) {
        memset(map->slots, 0, map->cap * sizeof(*map->slots));
    }
    map->len = 0;
}

size_t map_next(const struct map *map, size_t from)
{
    while (from < map->cap && map->slots[from].value == NULL) {
        from++;
    }
    return from < map->cap ? from : map->cap;
}
