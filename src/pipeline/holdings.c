/* SPDX-License-Identifier: Apache-2.0 */
/* holdings: the resources of a view's scopes, and what leads from one to another. */
#include "pipeline/holdings.h"

#include <stdlib.h>

#include "pipeline/graph.h"
#include "xds/refs.h"
#include "xds/row.h"

struct picking {
    struct holdings *holdings;
    const struct view *view;
};

static unsigned scope_rank(const struct view *view, struct str scope)
{
    unsigned rank = 0;
    while (rank < view->nscopes && !str_eq(view->scopes[rank], scope)) {
        rank++;
    }
    return rank;
}

static void pick(void *user, struct str key, const struct row *row)
{
    const struct picking *picking = user;
    const struct resource_row *resources = (const struct resource_row *)row;
    (void)key;
    for (size_t i = 0; i < resources->len; i++) {
        unsigned rank = scope_rank(picking->view, resources->items[i]->scope);
        if (rank < picking->view->nscopes) {
            struct holding holding = {resource_ref(resources->items[i]), rank, false};
            vec_push(&picking->holdings->items, holding);
        }
    }
}

static int identity_cmp(const struct holding *a, enum xds_type type, struct str name)
{
    if (a->resource->type != type) {
        return a->resource->type < type ? -1 : 1;
    }
    return str_cmp(a->resource->name, name);
}

static int holding_cmp(const void *a, const void *b)
{
    const struct holding *ha = a;
    const struct holding *hb = b;
    int order = identity_cmp(ha, hb->resource->type, hb->resource->name);
    return order != 0 ? order : (ha->rank > hb->rank) - (ha->rank < hb->rank);
}

void holdings_init(struct holdings *holdings, const struct engine *engine, const struct view *view)
{
    struct picking picking = {holdings, view};
    size_t kept = 0;
    *holdings = (struct holdings){.items = {NULL, 0, 0}};
    for (unsigned i = 0; i < resource_tables_len; i++) {
        engine_each(engine, resource_tables[i], pick, &picking);
    }
    if (holdings->items.len > 0) {
        qsort(holdings->items.items, holdings->items.len, sizeof(struct holding), holding_cmp);
    }
    for (size_t i = 0; i < holdings->items.len; i++) {
        const struct holding *holding = &holdings->items.items[i];
        const struct resource *resource = holding->resource;
        if (kept > 0 &&
            identity_cmp(&holdings->items.items[kept - 1], resource->type, resource->name) == 0) {
            resource_unref(holding->resource);
        } else {
            holdings->items.items[kept++] = *holding;
        }
    }
    holdings->items.len = kept;
}

static struct holding *find(const struct holdings *holdings, enum xds_type type, struct str name)
{
    size_t low = 0;
    size_t high = holdings->items.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = identity_cmp(&holdings->items.items[middle], type, name);
        if (order == 0) {
            return &holdings->items.items[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

/* What leads from one to the next is at most four steps long. */
static void want(void *user, enum xds_type type, struct str name)
{
    struct holdings *holdings = user;
    struct holding *holding = find(holdings, type, name);
    if (holding != NULL && !holding->wanted) {
        holding->wanted = true;
        xds_each_ref(holding->resource, want, holdings);
    }
}

void holdings_want(struct holdings *holdings, enum xds_type type, struct str name)
{
    want(holdings, type, name);
}

void holdings_want_all(struct holdings *holdings, enum xds_type type)
{
    for (size_t i = 0; i < holdings->items.len; i++) {
        if (holdings->items.items[i].resource->type == type) {
            want(holdings, type, holdings->items.items[i].resource->name);
        }
    }
}

void holdings_release(struct holdings *holdings)
{
    for (size_t i = 0; i < holdings->items.len; i++) {
        resource_unref(holdings->items.items[i].resource);
    }
    vec_release(&holdings->items);
}
