/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: bytes on their way out, partly copied, partly slices of shared blobs.
 *
 *   segs:    [copied 14] [blob A 0..700] [copied 9] [blob B 16..4112] ...
 *   copied:  |14 bytes|9 bytes|   copied segments are taken from here in order
 *
 * A message is a few small header bytes around large encoded resources that every stream shares;
 * a chain carries both to writev() without copying the large part. A blob is referenced while a
 * segment names it. Appending keeps the memory of what was consumed before, so that a stream
 * which sends a message now and then does not allocate.
 * Not thread safe (the blobs are).
 */
#ifndef HEDDLE_NET_CHAIN_H
#define HEDDLE_NET_CHAIN_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/blob.h"
#include "base/str.h"
#include "base/vec.h"

/* What callers hand in: bytes to copy (blob NULL), or bytes that lie inside `blob`. */
struct piece {
    struct blob *blob; /* borrowed; the receiver takes its own reference */
    struct str bytes;
};

#define PIECE_COPY(s) ((struct piece){.blob = NULL, .bytes = (s)})
#define PIECE_BLOB(b) ((struct piece){.blob = (b), .bytes = blob_str(b)})

struct chain_seg {
    struct blob *blob;   /* owned reference; NULL: the next `len` of the copied bytes */
    const uint8_t *data; /* inside the blob; NULL for copied bytes */
    size_t len;
};

struct chain {
    VEC(struct chain_seg) segs;
    size_t first; /* segs before this one are consumed */
    uint8_t *copied;
    size_t copied_from; /* copied bytes before this one are consumed */
    size_t copied_len;
    size_t copied_cap;
    size_t len; /* bytes in all */
};

/* Zero-initialised is empty and valid. */
void chain_release(struct chain *chain); /* drops all bytes and the memory */
void chain_clear(struct chain *chain);   /* drops all bytes, keeps a little memory */
void chain_add_copy(struct chain *chain, const void *data, size_t len);
void chain_add_piece(struct chain *chain, const struct piece *piece);
/* Moves the first len bytes of src (at most src->len) to the end of dst. */
void chain_move(struct chain *dst, struct chain *src, size_t len);
void chain_swap(struct chain *a, struct chain *b);
void chain_consume(struct chain *chain, size_t len); /* drops len bytes from the front */
/* Describes the front of the chain in at most max pieces of memory; returns how many were filled.
 * Valid until the chain changes. */
size_t chain_bufs(const struct chain *chain, uv_buf_t *ret_bufs, size_t max);
/* Copies at most len bytes of the front, without consuming; returns how many. */
size_t chain_peek(const struct chain *chain, void *ret_data, size_t len);

#endif
