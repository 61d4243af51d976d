/* SPDX-License-Identifier: Apache-2.0 */
/* blob: shared immutable bytes and their reference count. */
#include "base/blob.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

#define BLOB_MAX ((size_t)1 << 30)

struct blob *blob_alloc(size_t len)
{
    if (len > BLOB_MAX) {
        panic("blob: %zu bytes are more than the %zu allowed", len, BLOB_MAX);
    }
    struct blob *blob = xmalloc(sizeof(*blob) + len);
    atomic_init(&blob->refs, 1);
    blob->len = (uint32_t)len;
    return blob;
}

struct blob *blob_new(const void *data, size_t len)
{
    struct blob *blob = blob_alloc(len);
    if (len != 0) {
        memcpy(blob->data, data, len);
    }
    return blob;
}

struct blob *blob_ref(struct blob *blob)
{
    /* Relaxed: whoever adds a reference holds one, so the blob cannot vanish meanwhile. */
    uint32_t before = atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);
    ASSERT(before != 0 && before != UINT32_MAX);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (blob == NULL) {
        return;
    }
    /* Release our reads before the count falls, acquire everybody's before the memory goes. */
    uint32_t before = atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel);
    ASSERT(before != 0);
    if (before == 1) {
        free(blob);
    }
}

struct str blob_str(const struct blob *blob)
{
    return str_span((const char *)blob->data, blob->len);
}
