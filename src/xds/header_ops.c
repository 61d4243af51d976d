/* SPDX-License-Identifier: Apache-2.0 */
/* header_ops: two steps of header operations as one. */
#include "xds/header_ops.h"

/* Whether what was done to the header before is lost. */
static bool replaces(const struct ir_header_ops *ops, struct str name)
{
    for (size_t i = 0; i < ops->set.len; i++) {
        if (str_eq_nocase(ops->set.items[i].name, name)) {
            return true;
        }
    }
    for (size_t i = 0; i < ops->remove.len; i++) {
        if (str_eq_nocase(ops->remove.items[i], name)) {
            return true;
        }
    }
    return false;
}

static size_t join_headers(struct arena *arena, const struct ir_header *first, size_t first_len,
                           const struct ir_header *then, size_t then_len,
                           const struct ir_header_ops *last, struct ir_header **ret_items)
{
    struct ir_header *items = ARENA_ARRAY(arena, first_len + then_len, struct ir_header);
    size_t len = 0;
    for (size_t i = 0; i < first_len; i++) {
        if (!replaces(last, first[i].name)) {
            items[len++] = first[i];
        }
    }
    for (size_t i = 0; i < then_len; i++) {
        items[len++] = then[i];
    }
    *ret_items = items;
    return len;
}

const struct ir_header_ops *xds_header_ops_join(struct arena *arena,
                                                const struct ir_header_ops *first,
                                                const struct ir_header_ops *then)
{
    if (first == NULL || then == NULL) {
        return first == NULL ? then : first;
    }
    struct ir_header_ops *ops = ARENA_NEW(arena, struct ir_header_ops);
    ops->set.len = join_headers(arena, first->set.items, first->set.len, then->set.items,
                                then->set.len, then, &ops->set.items);
    ops->add.len = join_headers(arena, first->add.items, first->add.len, then->add.items,
                                then->add.len, then, &ops->add.items);
    ops->remove.items = ARENA_ARRAY(arena, first->remove.len + then->remove.len, struct str);
    for (size_t i = 0; i < first->remove.len; i++) {
        ops->remove.items[ops->remove.len++] = first->remove.items[i];
    }
    for (size_t i = 0; i < then->remove.len; i++) {
        ops->remove.items[ops->remove.len++] = then->remove.items[i]; /* twice does no harm */
    }
    return ops;
}
