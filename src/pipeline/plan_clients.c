/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_clients: the difference between what a client has and what it would have, counted as the
 * protocols send it (docs/xds.md, "The protocol"):
 *
 *   - what is new or changed; a cluster's assignment after it, changed or not
 *   - state of the world: of clusters and listeners all that is subscribed, because omission means
 *     deletion; once more when some are removed, since removals go last
 */
#include "pipeline/plan_clients.h"

#include <stdlib.h>

/* --- who has the same ----------------------------------------------------------------------- */

static struct str group_key(struct arena *arena, const struct view *view, bool sotw,
                            const struct str *listeners, size_t nlisteners)
{
    struct str key = arena_printf(arena, "%d", (int)sotw);
    for (unsigned i = 0; i < view->nscopes; i++) {
        key = arena_printf(arena, "%.*s\n%.*s", STR_FMT(key), STR_FMT(view->scopes[i]));
    }
    for (size_t i = 0; i < nlisteners; i++) {
        key = arena_printf(arena, "%.*s\n\n%.*s", STR_FMT(key), STR_FMT(listeners[i]));
    }
    return key;
}

static struct plan_group *find_group(struct plan_clients *clients, const struct view *view,
                                     bool sotw, const struct str *listeners, size_t nlisteners)
{
    struct arena *arena = &clients->arena;
    struct str key = group_key(arena, view, sotw, listeners, nlisteners);
    struct plan_group *group = map_get(&clients->by_key, key);
    if (group != NULL) {
        return group;
    }
    group = ARENA_NEW(arena, struct plan_group);
    group->view = *view;
    group->sotw = sotw;
    for (unsigned i = 0; i < view->nscopes; i++) {
        group->view.scopes[i] = arena_str(arena, view->scopes[i]);
    }
    struct str *names = ARENA_ARRAY(arena, nlisteners, struct str);
    for (size_t i = 0; i < nlisteners; i++) {
        names[i] = arena_str(arena, listeners[i]);
    }
    group->listeners = names;
    group->nlisteners = nlisteners;
    map_put(&clients->by_key, key, group);
    vec_push(&clients->groups, group);
    return group;
}

void plan_clients_add(struct plan_clients *clients, const struct mesh_client *client,
                      enum stream_protocol protocol, const struct str *listeners, size_t nlisteners)
{
    struct plan_client item = {.node = arena_str(&clients->arena, client->node->id)};
    item.group = find_group(clients, &client->view, protocol == STREAM_SOTW, listeners, nlisteners);
    item.group->proxyless = client->class.role == ROLE_PROXYLESS;
    vec_push(&clients->items, item);
}

/* --- what it has ---------------------------------------------------------------------------- */

static void hold(const struct plan_group *group, const struct engine *engine,
                 struct holdings *ret_holdings)
{
    holdings_init(ret_holdings, engine, &group->view);
    for (size_t i = 0; i < group->nlisteners; i++) {
        holdings_want(ret_holdings, XDS_LDS, group->listeners[i]);
    }
    if (!group->proxyless) {
        holdings_want_all(ret_holdings, XDS_CDS);
        holdings_want_all(ret_holdings, XDS_LDS);
    }
}

void plan_clients_before(struct plan_clients *clients, const struct engine *engine)
{
    for (size_t i = 0; i < clients->groups.len; i++) {
        hold(clients->groups.items[i], engine, &clients->groups.items[i]->before);
    }
}

/* --- what it is sent ------------------------------------------------------------------------ */

struct counting {
    struct plan_group *group;
    struct holdings after;
    struct map follows;               /* names of assignments that follow a cluster */
    struct map sent;                  /* names of assignments that are sent in any case */
    bool put[XDS_TYPE_COUNT];         /* something of the type is new or changed */
    uint64_t removed[XDS_TYPE_COUNT]; /* bytes */
    size_t nremoved[XDS_TYPE_COUNT];
    uint64_t whole[XDS_TYPE_COUNT]; /* bytes of all of the type, then */
    size_t nwhole[XDS_TYPE_COUNT];
};

static uint64_t size_of(const struct counting *counting, const struct resource *resource)
{
    return resource->entry->len - (counting->group->sotw ? resource->any_at : 0);
}

/* Whether answers hold all that is subscribed. */
static bool is_whole(const struct counting *counting, unsigned type)
{
    return counting->group->sotw && xds_type_info((enum xds_type)type)->whole_state;
}

static void count_sent(struct counting *counting, const struct resource *resource)
{
    counting->put[resource->type] = true;
    if (resource->type == XDS_EDS) {
        map_put(&counting->sent, resource->name, counting);
    }
    if (resource->follow.len > 0) {
        map_put(&counting->follows, resource->follow, counting);
    }
    if (!is_whole(counting, resource->type)) {
        counting->group->resources++;
        counting->group->bytes += size_of(counting, resource);
    }
}

static void count_removed(struct counting *counting, const struct resource *resource)
{
    counting->nremoved[resource->type]++;
    counting->removed[resource->type] += size_of(counting, resource);
}

/* The next one that is wanted, from i on. */
static size_t skip(const struct holdings *holdings, size_t i)
{
    while (i < holdings->items.len && !holdings->items.items[i].wanted) {
        i++;
    }
    return i;
}

static int cmp(const struct resource *a, const struct resource *b)
{
    return a->type != b->type ? (a->type < b->type ? -1 : 1) : str_cmp(a->name, b->name);
}

static void count_all(struct counting *counting)
{
    const struct holdings *before = &counting->group->before;
    const struct holdings *after = &counting->after;
    size_t i = skip(before, 0);
    size_t j = skip(after, 0);
    while (i < before->items.len || j < after->items.len) {
        const struct resource *old = i < before->items.len ? before->items.items[i].resource : NULL;
        const struct resource *new = j < after->items.len ? after->items.items[j].resource : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : cmp(old, new);
        if (order < 0) {
            count_removed(counting, old);
        } else {
            counting->nwhole[new->type]++;
            counting->whole[new->type] += size_of(counting, new);
            if (order > 0 || !hash_eq(old->hash, new->hash)) {
                count_sent(counting, new);
            }
        }
        i = order <= 0 ? skip(before, i + 1) : i;
        j = order >= 0 ? skip(after, j + 1) : j;
    }
}

static void count_follows(struct counting *counting)
{
    for (size_t i = 0; i < counting->after.items.len; i++) {
        const struct holding *holding = &counting->after.items.items[i];
        const struct resource *resource = holding->resource;
        if (holding->wanted && resource->type == XDS_EDS &&
            map_get(&counting->follows, resource->name) != NULL &&
            map_get(&counting->sent, resource->name) == NULL) {
            counting->group->resources++;
            counting->group->bytes += size_of(counting, resource);
        }
    }
}

static void count_whole(struct counting *counting)
{
    struct plan_group *group = counting->group;
    for (unsigned type = 0; type < XDS_TYPE_COUNT; type++) {
        if (!group->sotw) {
            group->removed += counting->nremoved[type];
        }
        if (!is_whole(counting, type)) {
            continue; /* and in the state of the world nobody is told what is gone */
        }
        if (counting->put[type]) {
            group->resources += counting->nwhole[type] + counting->nremoved[type];
            group->bytes += counting->whole[type] + counting->removed[type];
        }
        /* gRPC clients themselves say when they no longer use a cluster */
        if (counting->nremoved[type] > 0 && !group->proxyless) {
            group->resources += counting->nwhole[type];
            group->bytes += counting->whole[type];
            group->removed += counting->nremoved[type];
        }
    }
}

void plan_clients_after(struct plan_clients *clients, const struct engine *engine)
{
    for (size_t i = 0; i < clients->groups.len; i++) {
        struct counting counting = {.group = clients->groups.items[i]};
        hold(counting.group, engine, &counting.after);
        count_all(&counting);
        count_follows(&counting);
        count_whole(&counting);
        holdings_release(&counting.after);
        map_release(&counting.follows);
        map_release(&counting.sent);
    }
}

/* --- telling -------------------------------------------------------------------------------- */

static int client_cmp(const void *a, const void *b)
{
    const struct plan_client *ca = a;
    const struct plan_client *cb = b;
    int order = str_cmp(ca->node, cb->node);
    return order != 0
               ? order
               : (ca->group->bytes > cb->group->bytes) - (ca->group->bytes < cb->group->bytes);
}

void plan_clients_dump(struct plan_clients *clients, struct json *json)
{
    if (clients->items.len > 0) {
        qsort(clients->items.items, clients->items.len, sizeof(struct plan_client), client_cmp);
    }
    json_key(json, "clients");
    json_open(json, '[');
    for (size_t i = 0; i < clients->items.len; i++) {
        const struct plan_group *group = clients->items.items[i].group;
        if (group->resources == 0 && group->removed == 0) {
            continue;
        }
        json_open(json, '{');
        json_member_str(json, "node", clients->items.items[i].node);
        json_member_uint(json, "resources", group->resources);
        json_member_uint(json, "removed", group->removed);
        json_member_uint(json, "bytes", group->bytes);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_member_uint(json, "connected", clients->items.len);
}

void plan_clients_release(struct plan_clients *clients)
{
    for (size_t i = 0; i < clients->groups.len; i++) {
        holdings_release(&clients->groups.items[i]->before);
    }
    vec_release(&clients->groups);
    vec_release(&clients->items);
    map_release(&clients->by_key);
    arena_release(&clients->arena);
}
