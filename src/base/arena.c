/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: a bump allocator over a chain of chunks.
 *
 *   arena.head ──► chunk (being filled) ──► older chunk or big request ──► … ──► NULL
 *
 * Chunks double from 4 KiB (or what the owner asked for) to 64 KiB. A request too big to share gets
 * a chunk of its own, linked behind the head, so that the head's free tail is not lost.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "base/sanitizer.h"

#ifdef SANITIZER_ADDRESS
#include <sanitizer/asan_interface.h>
#define POISON(ptr, size) __asan_poison_memory_region((ptr), (size))
#define UNPOISON(ptr, size) __asan_unpoison_memory_region((ptr), (size))
#else
#define POISON(ptr, size) ((void)(ptr), (void)(size))
#define UNPOISON(ptr, size) ((void)(ptr), (void)(size))
#endif

#define CHUNK_MIN ((size_t)4 << 10) /* bytes of a chunk, its header included */
#define CHUNK_SMALL ((size_t)128)   /* the least that a sized arena grows by */
#define CHUNK_MAX ((size_t)64 << 10)
#define SHARE_MAX (CHUNK_MAX / 4) /* requests above get a chunk of their own */

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

static struct arena_chunk *chunk_new(size_t size)
{
    struct arena_chunk *chunk = xmalloc(sizeof(*chunk) + size);
    chunk->next = NULL;
    chunk->size = size;
    chunk->used = 0;
    POISON(chunk->data, size);
    return chunk;
}

static void chunk_free(struct arena_chunk *chunk)
{
    UNPOISON(chunk->data, chunk->size);
    free(chunk);
}

static void *chunk_take(struct arena_chunk *chunk, size_t size, size_t rounded)
{
    unsigned char *ptr = chunk->data + chunk->used;
    chunk->used += rounded;
    UNPOISON(ptr, size);
    memset(ptr, 0, size);
    return ptr;
}

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_init_sized(struct arena *arena, size_t first_chunk)
{
    size_t align = alignof(max_align_t);
    arena_init(arena);
    arena->next_chunk = sizeof(struct arena_chunk) + (first_chunk + align - 1) / align * align;
}

void arena_release(struct arena *arena)
{
    for (struct arena_chunk *chunk = arena->head, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        if (arena->wiped) {
            UNPOISON(chunk->data, chunk->size);
            explicit_bzero(chunk->data, chunk->size);
        }
        chunk_free(chunk);
    }
    arena_init(arena);
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *kept = arena->head;
    if (kept == NULL || kept->size > CHUNK_MAX) {
        arena_release(arena);
        return;
    }
    size_t next_chunk = arena->next_chunk;
    arena->head = kept->next;
    arena_release(arena);
    arena->head = kept;
    arena->next_chunk = next_chunk;
    kept->next = NULL;
    kept->used = 0;
    POISON(kept->data, kept->size);
}

/* Makes the head a chunk with room for size bytes (at most SHARE_MAX). */
static void arena_extend(struct arena *arena, size_t size)
{
    size_t whole = arena->next_chunk != 0 ? arena->next_chunk : CHUNK_MIN;
    while (whole - sizeof(struct arena_chunk) < size) {
        whole *= 2;
    }
    struct arena_chunk *chunk = chunk_new(whole - sizeof(*chunk));
    chunk->next = arena->head;
    arena->head = chunk;
    if (whole < CHUNK_MIN) {
        /* Rows: thousands of arenas that were sized well; a doubled chunk would mostly stay empty
         * (3,000 objects: 11.4 MB of chunks for 5.5 MB of contents). */
        size_t half = arena->used / 2 > whole / 2 ? arena->used / 2 : whole / 2;
        arena->next_chunk = half > CHUNK_SMALL ? half : CHUNK_SMALL;
    } else {
        arena->next_chunk = whole < CHUNK_MAX / 2 ? whole * 2 : CHUNK_MAX;
    }
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > PTRDIFF_MAX - CHUNK_MAX) {
        panic("arena: %zu bytes asked for", size);
    }
    size_t align = alignof(max_align_t);
    size_t rounded = (size + (size == 0) + align - 1) / align * align;
    arena->used += rounded;

    struct arena_chunk *head = arena->head;
    if (head != NULL && head->size - head->used >= rounded) {
        return chunk_take(head, size, rounded);
    }
    if (rounded <= SHARE_MAX) {
        arena_extend(arena, rounded);
        return chunk_take(arena->head, size, rounded);
    }
    struct arena_chunk *own = chunk_new(rounded);
    if (head != NULL) {
        own->next = head->next;
        head->next = own;
    } else {
        arena->head = own;
    }
    return chunk_take(own, size, rounded);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        panic("arena: %zu * %zu bytes overflow", count, size);
    }
    return arena_alloc(arena, total);
}

struct str arena_str(struct arena *arena, struct str s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (s.len != 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return str_span(copy, s.len);
}

struct str arena_lower(struct arena *arena, struct str s)
{
    struct str copy = arena_str(arena, s);
    char *bytes = (char *)(uintptr_t)copy.ptr;
    for (size_t i = 0; i < copy.len; i++) {
        if (bytes[i] >= 'A' && bytes[i] <= 'Z') {
            bytes[i] = (char)(bytes[i] - 'A' + 'a');
        }
    }
    return copy;
}

struct str arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ASSERT(len >= 0);
    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return str_span(text, (size_t)len);
}

void arena_steal(struct arena *dst, struct arena *src)
{
    ASSERT(dst != src);
    if (dst->head == NULL) {
        dst->head = src->head;
    } else if (src->head != NULL) {
        struct arena_chunk *last = src->head;
        while (last->next != NULL) {
            last = last->next;
        }
        last->next = dst->head->next;
        dst->head->next = src->head;
    }
    dst->used += src->used;
    dst->wiped = dst->wiped || src->wiped;
    arena_init(src);
}

size_t arena_footprint(const struct arena *arena)
{
    size_t bytes = 0;
    for (const struct arena_chunk *chunk = arena->head; chunk != NULL; chunk = chunk->next) {
        bytes += sizeof(*chunk) + chunk->size;
    }
    return bytes;
}
