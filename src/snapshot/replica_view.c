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

static uint32_t take_slot(struct replica *replica)
{
    for (uint32_t i = 0; i < replica->slots.len; i++) {
        if (!replica->slots.items[i].used) {
            return i;
        }
    }
    vec_push(&replica->slots, ((struct replica_slot){.used = false}));
    return (uint32_t)replica->slots.len - 1;
}

uint32_t replica_attach(struct replica *replica, const struct replica_view *view)
{
    ASSERT(view->nscopes <= REPLICA_SCOPES_MAX);
    uint32_t slot = take_slot(replica);
    struct replica_slot *s = &replica->slots.items[slot];
    *s = (struct replica_slot){.used = true, .nscopes = view->nscopes};
    for (unsigned i = 0; i < view->nscopes; i++) {
        s->scopes[i] = replica_scope_get(replica, view->scopes[i]);
        (void)bitmap_set(&s->scopes[i]->streams, slot);
    }
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        int at = view->on_demand[t];
        ASSERT(at < (int)view->nscopes);
        s->on_demand[t] = at >= 0 ? s->scopes[at] : NULL;
    }
    return slot;
}

void replica_detach(struct replica *replica, uint32_t slot)
{
    struct replica_slot *s = &replica->slots.items[slot];
    ASSERT(s->used);
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        ASSERT(!bitmap_test(&replica->types[t].wildcard, slot));
    }
    for (unsigned i = 0; i < s->nscopes; i++) {
        (void)bitmap_clear(&s->scopes[i]->streams, slot);
        replica_scope_unref(replica, s->scopes[i]);
    }
    *s = (struct replica_slot){.used = false};
}
