/* SPDX-License-Identifier: Apache-2.0 */
/* turn: row changes of the resource tables -> changes of resources. */
#include "pipeline/turn.h"

#include <stdlib.h>

#include "base/vec.h"
#include "pipeline/graph.h"
#include "xds/row.h"

struct change_list {
    VEC(struct change) changes;
};

static const struct resource *identity(const struct change *change)
{
    return change->put != NULL ? change->put : change->removed;
}

static int change_cmp_identity(const void *a, const void *b)
{
    const struct resource *ra = identity(a);
    const struct resource *rb = identity(b);
    if (ra->type != rb->type) {
        return ra->type < rb->type ? -1 : 1;
    }
    int order = str_cmp(ra->scope, rb->scope);
    return order != 0 ? order : str_cmp(ra->name, rb->name);
}

static int change_cmp(const void *a, const void *b)
{
    int order = change_cmp_identity(a, b);
    if (order != 0) {
        return order;
    }
    /* a removal before the put that replaces it */
    return (((const struct change *)a)->put != NULL) - (((const struct change *)b)->put != NULL);
}

static void collect(const struct row *row, bool put, struct change_list *list)
{
    const struct resource_row *resources = (const struct resource_row *)row;
    for (size_t i = 0; resources != NULL && i < resources->len; i++) {
        struct change change = {.put = put ? resource_ref(resources->items[i]) : NULL,
                                .removed = put ? NULL : resource_ref(resources->items[i])};
        vec_push(&list->changes, change);
    }
}

/* Joins removal and put of one resource; drops pairs that are equal. */
static void join(struct change_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->changes.len; i++) {
        struct change *change = &list->changes.items[i];
        struct change *last = kept > 0 ? &list->changes.items[kept - 1] : NULL;
        if (last == NULL || last->put != NULL || change->put == NULL ||
            change_cmp_identity(last, change) != 0) {
            list->changes.items[kept++] = *change;
            continue;
        }
        last->put = change->put;
        if (hash_eq(last->put->hash, last->removed->hash)) {
            resource_unref(last->put);
            resource_unref(last->removed);
            kept--;
        }
    }
    list->changes.len = kept;
}

struct changeset *turn_changeset(const struct engine *engine, uint64_t seq)
{
    struct change_list list = {.changes = {.items = NULL}};
    for (unsigned i = 0; i < resource_tables_len; i++) {
        struct row_changes changes = engine_changes(engine, resource_tables[i]);
        for (size_t j = 0; j < changes.len; j++) {
            collect(changes.items[j].before, false, &list);
            collect(changes.items[j].after, true, &list);
        }
    }
    if (list.changes.len > 0) {
        qsort(list.changes.items, list.changes.len, sizeof(struct change), change_cmp);
        join(&list);
    }
    if (list.changes.len == 0) {
        vec_release(&list.changes);
        return NULL;
    }
    return changeset_new(seq, list.changes.items, list.changes.len);
}
