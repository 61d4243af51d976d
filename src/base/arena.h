/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: memory that is freed all at once.
 *
 * A bump allocator over a chain of chunks. Rows own one (everything a row points to lives and
 * dies with it); each thread has a scratch arena that is reset at the end of a turn.
 * Not thread safe. Under ASan the unused tail is poisoned.
 */
#ifndef HEDDLE_BASE_ARENA_H
#define HEDDLE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *head; /* newest chunk first; NULL while nothing was allocated */
    size_t used;              /* bytes handed out, for accounting */
    size_t next_chunk;        /* size of the chunk that will be taken next, at most 64 KiB */
    bool wiped; /* set by the owner of secrets: chunks are overwritten before they are freed */
};

void arena_init(struct arena *arena); /* first chunk 4 KiB */
/* For many small owners (rows): the first chunk holds `first_chunk` bytes; up to 4 KiB the arena
 * then grows by half of what it holds, beyond that chunks double. */
void arena_init_sized(struct arena *arena, size_t first_chunk);
void arena_release(struct arena *arena); /* frees everything; the arena can be used again */
void arena_reset(struct arena *arena);   /* like release, but keeps one chunk for the next turn */
/* Never NULL; aligned for any type; contents zeroed. */
void *arena_alloc(struct arena *arena, size_t size);
/* count * size, panics on overflow. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
/* Copies s; the copy is NUL-terminated (the NUL is not counted in len). */
struct str arena_str(struct arena *arena, struct str s);
struct str arena_lower(struct arena *arena, struct str s); /* ASCII letters only */
struct str arena_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Moves all chunks of src to dst; src is empty afterwards. */
void arena_steal(struct arena *dst, struct arena *src);
size_t arena_footprint(const struct arena *arena); /* bytes taken from malloc */

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

#endif
