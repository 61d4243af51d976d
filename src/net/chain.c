/* SPDX-License-Identifier: Apache-2.0 */
/* chain: how outgoing bytes are kept, moved and described to writev(). */
#include "net/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

#define CHAIN_KEEP_BYTES 1024 /* memory an empty chain may keep for the next message */
#define CHAIN_KEEP_SEGS 32
#define CHAIN_COPIED_MIN 128

void chain_release(struct chain *chain)
{
    for (size_t i = chain->first; i < chain->segs.len; i++) {
        blob_unref(chain->segs.items[i].blob);
    }
    vec_release(&chain->segs);
    free(chain->copied);
    *chain = (struct chain){.len = 0};
}

/* All is consumed: start over at the front, and give large memory back. */
static void chain_rewind(struct chain *chain)
{
    chain->first = chain->segs.len = 0;
    chain->copied_from = chain->copied_len = 0;
    if (chain->copied_cap > CHAIN_KEEP_BYTES) {
        free(chain->copied);
        chain->copied = NULL;
        chain->copied_cap = 0;
    }
    if (chain->segs.cap > CHAIN_KEEP_SEGS) {
        vec_release(&chain->segs);
    }
}

void chain_clear(struct chain *chain)
{
    chain_consume(chain, chain->len);
}

/* Room for one more seg at the end; reuses the consumed front before it grows. */
static struct chain_seg *chain_new_seg(struct chain *chain)
{
    if (chain->segs.len == chain->segs.cap && chain->first > chain->segs.len / 2) {
        chain->segs.len -= chain->first;
        memmove(chain->segs.items, chain->segs.items + chain->first,
                chain->segs.len * sizeof(*chain->segs.items));
        chain->first = 0;
    }
    vec_push(&chain->segs, ((struct chain_seg){.len = 0}));
    return &chain->segs.items[chain->segs.len - 1];
}

/* Room for len more copied bytes at copied + copied_len. */
static void chain_reserve_copied(struct chain *chain, size_t len)
{
    if (chain->copied_cap - chain->copied_len >= len) {
        return;
    }
    size_t live = chain->copied_len - chain->copied_from;
    if (chain->copied_from > 0 && live > 0) {
        memmove(chain->copied, chain->copied + chain->copied_from, live);
    }
    chain->copied_from = 0;
    chain->copied_len = live;
    if (chain->copied_cap - live >= len) {
        return;
    }
    size_t cap = chain->copied_cap + chain->copied_cap / 2;
    if (cap < live + len) {
        cap = live + len;
    }
    if (cap < CHAIN_COPIED_MIN) {
        cap = CHAIN_COPIED_MIN;
    }
    chain->copied = xrealloc(chain->copied, cap);
    chain->copied_cap = cap;
}

void chain_add_copy(struct chain *chain, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    ASSERT(data != NULL);
    chain_reserve_copied(chain, len);
    memcpy(chain->copied + chain->copied_len, data, len);
    chain->copied_len += len;
    chain->len += len;
    if (chain->segs.len > chain->first) {
        struct chain_seg *last = &chain->segs.items[chain->segs.len - 1];
        if (last->blob == NULL) {
            last->len += len;
            return;
        }
    }
    chain_new_seg(chain)->len = len;
}

/* Takes over the reference. */
static void chain_add_slice(struct chain *chain, struct blob *blob, const uint8_t *data, size_t len)
{
    struct chain_seg *seg = chain_new_seg(chain);
    seg->blob = blob;
    seg->data = data;
    seg->len = len;
    chain->len += len;
}

void chain_add_piece(struct chain *chain, const struct piece *piece)
{
    if (piece->bytes.len == 0) {
        return;
    }
    if (piece->blob == NULL) {
        chain_add_copy(chain, piece->bytes.ptr, piece->bytes.len);
        return;
    }
    const uint8_t *data = (const uint8_t *)piece->bytes.ptr;
    ASSERT(data >= piece->blob->data &&
           data + piece->bytes.len <= piece->blob->data + piece->blob->len);
    chain_add_slice(chain, blob_ref(piece->blob), data, piece->bytes.len);
}

/* The first segment changes hands whole, with its reference: counting is what costs most here,
 * since all threads count in the same blobs. */
static void chain_pass(struct chain *dst, struct chain *src)
{
    const struct chain_seg *seg = &src->segs.items[src->first++];
    src->len -= seg->len;
    chain_add_slice(dst, seg->blob, seg->data, seg->len);
    if (src->len == 0) {
        chain_rewind(src);
    }
}

void chain_move(struct chain *dst, struct chain *src, size_t len)
{
    ASSERT(len <= src->len);
    if (dst->len == 0 && len == src->len) {
        chain_swap(dst, src);
        return;
    }
    while (len > 0) {
        ASSERT(src->segs.items != NULL);
        struct chain_seg *seg = &src->segs.items[src->first];
        size_t part = seg->len < len ? seg->len : len;
        len -= part;
        if (seg->blob != NULL && part == seg->len) {
            chain_pass(dst, src);
            continue;
        }
        if (seg->blob == NULL) {
            chain_add_copy(dst, src->copied + src->copied_from, part);
        } else {
            chain_add_slice(dst, blob_ref(seg->blob), seg->data, part);
        }
        chain_consume(src, part);
    }
}

void chain_swap(struct chain *a, struct chain *b)
{
    struct chain old_a = *a;
    *a = *b;
    *b = old_a;
}

void chain_consume(struct chain *chain, size_t len)
{
    ASSERT(len <= chain->len);
    chain->len -= len;
    while (len > 0) {
        struct chain_seg *seg = &chain->segs.items[chain->first];
        size_t part = seg->len < len ? seg->len : len;
        if (seg->blob == NULL) {
            chain->copied_from += part;
        } else {
            seg->data += part;
        }
        seg->len -= part;
        len -= part;
        if (seg->len == 0) {
            blob_unref(seg->blob);
            chain->first++;
        }
    }
    if (chain->len == 0) {
        chain_rewind(chain);
    }
}

/* Where the copied bytes that are not consumed begin; NULL when nothing was ever copied. */
static uint8_t *chain_copied(const struct chain *chain)
{
    return chain->copied != NULL ? chain->copied + chain->copied_from : NULL;
}

size_t chain_bufs(const struct chain *chain, uv_buf_t *ret_bufs, size_t max)
{
    size_t count = 0;
    uint8_t *copied = chain_copied(chain);
    for (size_t i = chain->first; i < chain->segs.len && count < max; i++, count++) {
        const struct chain_seg *seg = &chain->segs.items[i];
        uint8_t *data;
        if (seg->blob == NULL) {
            data = copied;
            copied += seg->len;
        } else {
            data = seg->blob->data + (seg->data - seg->blob->data);
        }
        ret_bufs[count] = (uv_buf_t){.base = (char *)data, .len = seg->len};
    }
    return count;
}

size_t chain_peek(const struct chain *chain, void *ret_data, size_t len)
{
    uint8_t *out = ret_data;
    size_t done = 0;
    const uint8_t *copied = chain_copied(chain);
    for (size_t i = chain->first; i < chain->segs.len && done < len; i++) {
        const struct chain_seg *seg = &chain->segs.items[i];
        size_t part = seg->len < len - done ? seg->len : len - done;
        memcpy(out + done, seg->blob == NULL ? copied : seg->data, part);
        done += part;
        if (seg->blob == NULL) {
            copied += seg->len;
        }
    }
    return done;
}
