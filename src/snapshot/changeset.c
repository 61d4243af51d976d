/* SPDX-License-Identifier: Apache-2.0 */
/* changeset: life of what one turn published. */
#include "snapshot/changeset.h"

#include <stdlib.h>

#include "base/panic.h"

struct changeset *changeset_new(uint64_t seq, struct change *items, size_t len)
{
    struct changeset *cs = xmalloc(sizeof(*cs));
    atomic_init(&cs->refs, 1);
    cs->seq = seq;
    cs->len = len;
    cs->items = items;
    return cs;
}

struct changeset *changeset_ref(struct changeset *cs)
{
    atomic_fetch_add_explicit(&cs->refs, 1, memory_order_relaxed);
    return cs;
}

void changeset_unref(struct changeset *cs)
{
    if (cs == NULL || atomic_fetch_sub_explicit(&cs->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < cs->len; i++) {
        resource_unref(cs->items[i].put);
        resource_unref(cs->items[i].removed);
    }
    free(cs->items);
    free(cs);
}
