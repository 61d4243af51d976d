/* SPDX-License-Identifier: Apache-2.0 */
/* replica_view: slots, scopes, and what a name means through a chain of scopes. */
#include <stdlib.h>

#include "base/panic.h"
#include "snapshot/replica.h"

struct replica_scope *replica_scope_get(struct replica *replica, struct str name)
{
    struct replica_scope *scope = map_get(&replica->scopes, name);
    if (scope == NULL) {
        scope = xcalloc(1, sizeof(*scope));
        scope->name = str_span(str_dup(name), name.len);
        (void)map_put(&replica->scopes, scope->name, scope);
    }
    scope->refs++;
    return scope;
}

void replica_scope_unref(struct replica *replica, struct replica_scope *scope)
{
    ASSERT(scope->refs > 0);
    if (--scope->refs == 0) {
        (void)map_remove(&replica->scopes, scope->name);
        bitmap_release(&scope->streams);
        free((void *)(uintptr_t)scope->name.ptr);
        free(scope);
    }
}

struct resource *replica_resolve(const struct replica_slot *slot, enum xds_type type,
                                 const struct replica_variants *variants, bool named)
{
    if (variants->len == 0) {
        return NULL;
    }
    for (unsigned i = 0; i < slot->nscopes; i++) {
        if (!named && slot->scopes[i] == slot->on_demand[type]) {
            continue;
        }
        for (uint32_t j = 0; j < variants->len; j++) {
            if (variants->items[j].scope == slot->scopes[i]) {
                return variants->items[j].resource;
            }
        }
    }
    return NULL;
}

uint32_t replica_attach(struct replica *replica)
{
    for (uint32_t i = 0; i < replica->slots.len; i++) {
        if (!replica->slots.items[i].used) {
            replica->slots.items[i] = (struct replica_slot){.used = true};
            return i;
        }
    }
    vec_push(&replica->slots, ((struct replica_slot){.used = true}));
    return (uint32_t)replica->slots.len - 1;
}

static void slot_drop_scopes(struct replica *replica, uint32_t slot, struct replica_slot *was)
{
    const struct replica_slot *now = &replica->slots.items[slot];
    for (unsigned i = 0; i < was->nscopes; i++) {
        bool kept = false;
        for (unsigned j = 0; j < now->nscopes; j++) {
            kept |= now->scopes[j] == was->scopes[i];
        }
        if (!kept) {
            (void)bitmap_clear(&was->scopes[i]->streams, slot);
        }
        replica_scope_unref(replica, was->scopes[i]);
    }
}

void replica_detach(struct replica *replica, uint32_t slot)
{
    struct replica_slot was = replica->slots.items[slot];
    ASSERT(was.used);
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        ASSERT(!bitmap_test(&replica->types[t].wildcard, slot));
    }
    replica->slots.items[slot] = (struct replica_slot){.used = false};
    slot_drop_scopes(replica, slot, &was);
}

static void tell_differences(struct replica *replica, uint32_t slot, enum xds_type type,
                             const struct replica_slot *was)
{
    const struct replica_type *rt = &replica->types[type];
    bool wildcard = bitmap_test(&rt->wildcard, slot);
    for (uint32_t id = 0; id < rt->by_id.len; id++) {
        const struct replica_entry *entry = rt->by_id.items[id];
        if (entry == NULL) {
            continue;
        }
        bool named = bitmap_test(&entry->subscribers, slot);
        if (!named && !wildcard) {
            continue;
        }
        const struct replica_slot *now = &replica->slots.items[slot];
        const struct resource *before = replica_resolve(was, type, &entry->live, named);
        const struct resource *after = replica_resolve(now, type, &entry->live, named);
        if (before != after &&
            (before == NULL || after == NULL || !hash_eq(before->hash, after->hash))) {
            replica->changed(replica->user, slot, type, id, before, after);
        }
    }
}

void replica_set_view(struct replica *replica, uint32_t slot, const struct replica_view *view)
{
    ASSERT(view->nscopes <= REPLICA_SCOPES_MAX);
    struct replica_slot was = replica->slots.items[slot];
    struct replica_slot *now = &replica->slots.items[slot];
    ASSERT(was.used);
    *now = (struct replica_slot){.used = true, .nscopes = view->nscopes};
    for (unsigned i = 0; i < view->nscopes; i++) {
        now->scopes[i] = replica_scope_get(replica, view->scopes[i]);
        (void)bitmap_set(&now->scopes[i]->streams, slot);
    }
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        int at = view->on_demand[t];
        ASSERT(at < (int)view->nscopes);
        now->on_demand[t] = at >= 0 ? now->scopes[at] : NULL;
    }
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        tell_differences(replica, slot, (enum xds_type)t, &was);
    }
    slot_drop_scopes(replica, slot, &was);
}
