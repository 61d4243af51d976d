/* SPDX-License-Identifier: Apache-2.0 */
/* replica: entries and their variants, and which slots a changeset concerns. */
#include "snapshot/replica.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

/* --- variants -------------------------------------------------------------------------------- */

static void variants_put(struct replica_variants *v, struct replica_scope *scope,
                         struct resource *resource)
{
    v->items = xrealloc(v->items, (v->len + 1) * sizeof(*v->items));
    v->items[v->len++] = (struct replica_variant){scope, resource};
}

static uint32_t variants_find(const struct replica_variants *v, struct str scope)
{
    for (uint32_t i = 0; i < v->len; i++) {
        if (str_eq(v->items[i].scope->name, scope)) {
            return i;
        }
    }
    return REPLICA_NONE;
}

static struct replica_variant variants_take(struct replica_variants *v, uint32_t at)
{
    struct replica_variant taken = v->items[at];
    v->items[at] = v->items[--v->len];
    if (v->len == 0) {
        free(v->items);
        v->items = NULL;
    }
    return taken;
}

static void variant_release(struct replica *replica, struct replica_variant *variant)
{
    resource_unref(variant->resource);
    replica_scope_unref(replica, variant->scope);
}

static void variants_release(struct replica *replica, struct replica_variants *v)
{
    for (uint32_t i = 0; i < v->len; i++) {
        variant_release(replica, &v->items[i]);
    }
    free(v->items);
    *v = (struct replica_variants){NULL, 0};
}

static struct replica_variants variants_copy(const struct replica_variants *v)
{
    struct replica_variants copy = {NULL, 0};
    for (uint32_t i = 0; i < v->len; i++) {
        v->items[i].scope->refs++;
        variants_put(&copy, v->items[i].scope, resource_ref(v->items[i].resource));
    }
    return copy;
}

/* --- entries --------------------------------------------------------------------------------- */

static struct replica_entry *entry_at(const struct replica *replica, enum xds_type type,
                                      uint32_t id)
{
    const struct replica_type *rt = &replica->types[type];
    ASSERT(id < rt->by_id.len && rt->by_id.items[id] != NULL);
    return rt->by_id.items[id];
}

static struct replica_entry *entry_get(struct replica *replica, enum xds_type type, struct str name)
{
    struct replica_type *rt = &replica->types[type];
    struct replica_entry *entry = map_get(&rt->by_name, name);
    if (entry != NULL) {
        return entry;
    }
    entry = xcalloc(1, sizeof(*entry));
    entry->name = str_span(str_dup(name), name.len);
    if (rt->free_ids.len > 0) {
        entry->id = vec_pop(&rt->free_ids);
        rt->by_id.items[entry->id] = entry;
    } else {
        entry->id = (uint32_t)rt->by_id.len;
        vec_push(&rt->by_id, entry);
    }
    (void)map_put(&rt->by_name, entry->name, entry);
    return entry;
}

static void entry_free(struct replica *replica, struct replica_entry *entry)
{
    variants_release(replica, &entry->live);
    variants_release(replica, &entry->gone);
    bitmap_release(&entry->subscribers);
    free((void *)(uintptr_t)entry->name.ptr);
    free(entry);
}

/* Frees what nobody needs any more: tombstones, then the entry with its id. */
static void entry_settle(struct replica *replica, enum xds_type type, struct replica_entry *entry)
{
    if (entry->touched != 0) {
        return;
    }
    if (entry->removing == 0 && entry->gone.len > 0) {
        variants_release(replica, &entry->gone);
    }
    if (entry->live.len > 0 || entry->gone.len > 0 || entry->holds > 0 || entry->removing > 0 ||
        entry->subscribers.count > 0) {
        return;
    }
    struct replica_type *rt = &replica->types[type];
    rt->by_id.items[entry->id] = NULL;
    vec_push(&rt->free_ids, entry->id);
    (void)map_remove(&rt->by_name, entry->name);
    entry_free(replica, entry);
}

uint32_t replica_find(const struct replica *replica, enum xds_type type, struct str name)
{
    const struct replica_entry *entry = map_get(&replica->types[type].by_name, name);
    return entry != NULL ? entry->id : REPLICA_NONE;
}

uint32_t replica_intern(struct replica *replica, enum xds_type type, struct str name)
{
    struct replica_entry *entry = entry_get(replica, type, name);
    entry->holds++;
    return entry->id;
}

void replica_hold(struct replica *replica, enum xds_type type, uint32_t id)
{
    entry_at(replica, type, id)->holds++;
}

void replica_drop(struct replica *replica, enum xds_type type, uint32_t id)
{
    struct replica_entry *entry = entry_at(replica, type, id);
    ASSERT(entry->holds > 0);
    entry->holds--;
    entry_settle(replica, type, entry);
}

void replica_removal_begin(struct replica *replica, enum xds_type type, uint32_t id)
{
    entry_at(replica, type, id)->removing++;
}

void replica_removal_end(struct replica *replica, enum xds_type type, uint32_t id)
{
    struct replica_entry *entry = entry_at(replica, type, id);
    ASSERT(entry->removing > 0);
    entry->removing--;
    entry_settle(replica, type, entry);
}

struct str replica_name(const struct replica *replica, enum xds_type type, uint32_t id)
{
    return entry_at(replica, type, id)->name;
}

uint32_t replica_ids(const struct replica *replica, enum xds_type type)
{
    return (uint32_t)replica->types[type].by_id.len;
}

void replica_subscribe(struct replica *replica, uint32_t slot, enum xds_type type, uint32_t id)
{
    (void)bitmap_set(&entry_at(replica, type, id)->subscribers, slot);
}

void replica_unsubscribe(struct replica *replica, uint32_t slot, enum xds_type type, uint32_t id)
{
    struct replica_entry *entry = entry_at(replica, type, id);
    (void)bitmap_clear(&entry->subscribers, slot);
    if (entry->subscribers.count == 0) {
        bitmap_release(&entry->subscribers);
    }
    entry_settle(replica, type, entry);
}

void replica_set_wildcard(struct replica *replica, uint32_t slot, enum xds_type type, bool on)
{
    if (on) {
        (void)bitmap_set(&replica->types[type].wildcard, slot);
    } else {
        (void)bitmap_clear(&replica->types[type].wildcard, slot);
    }
}

uint32_t replica_next_asking(const struct replica *replica, enum xds_type type, uint32_t id,
                             uint32_t from)
{
    uint32_t named = bitmap_next(&entry_at(replica, type, id)->subscribers, from);
    uint32_t wildcard = bitmap_next(&replica->types[type].wildcard, from);
    return named < wildcard ? named : wildcard;
}

/* What `variants` of this entry mean to the slot, if it asked for the entry at all. */
static struct resource *entry_wanted(const struct replica *replica, uint32_t slot,
                                     enum xds_type type, const struct replica_entry *entry,
                                     const struct replica_variants *variants)
{
    bool named = bitmap_test(&entry->subscribers, slot);
    if (!named && !bitmap_test(&replica->types[type].wildcard, slot)) {
        return NULL;
    }
    return replica_resolve(&replica->slots.items[slot], type, variants, named);
}

struct resource *replica_wanted(const struct replica *replica, uint32_t slot, enum xds_type type,
                                uint32_t id)
{
    const struct replica_type *rt = &replica->types[type];
    if (id >= rt->by_id.len || rt->by_id.items[id] == NULL) {
        return NULL;
    }
    const struct replica_entry *entry = rt->by_id.items[id];
    return entry_wanted(replica, slot, type, entry, &entry->live);
}

struct resource *replica_last(const struct replica *replica, uint32_t slot, enum xds_type type,
                              uint32_t id)
{
    struct resource *now = replica_wanted(replica, slot, type, id);
    if (now != NULL) {
        return now;
    }
    const struct replica_entry *entry = entry_at(replica, type, id);
    return entry_wanted(replica, slot, type, entry, &entry->gone);
}

struct resource *replica_visible(const struct replica *replica, uint32_t slot, enum xds_type type,
                                 uint32_t id)
{
    const struct replica_entry *entry = entry_at(replica, type, id);
    return replica_resolve(&replica->slots.items[slot], type, &entry->live, true);
}

bool replica_exists(const struct replica *replica, enum xds_type type, uint32_t id)
{
    const struct replica_type *rt = &replica->types[type];
    return id < rt->by_id.len && rt->by_id.items[id] != NULL;
}

/* --- changesets ------------------------------------------------------------------------------ */

static struct replica_entry *touch(struct replica *replica, enum xds_type type, struct str name)
{
    struct replica_entry *entry = entry_get(replica, type, name);
    if (entry->touched == 0) {
        vec_push(&replica->touched,
                 ((struct replica_touched){type, entry, variants_copy(&entry->live)}));
        entry->touched = (uint32_t)replica->touched.len;
    }
    return entry;
}

static void apply_put(struct replica *replica, struct resource *put)
{
    struct replica_entry *entry = touch(replica, put->type, put->name);
    uint32_t gone = variants_find(&entry->gone, put->scope);
    if (gone != REPLICA_NONE) {
        struct replica_variant old = variants_take(&entry->gone, gone);
        variant_release(replica, &old);
    }
    uint32_t at = variants_find(&entry->live, put->scope);
    if (at != REPLICA_NONE) {
        resource_unref(entry->live.items[at].resource);
        entry->live.items[at].resource = resource_ref(put);
    } else {
        variants_put(&entry->live, replica_scope_get(replica, put->scope), resource_ref(put));
    }
}

static void apply_removal(struct replica *replica, const struct resource *removed)
{
    struct replica_entry *entry = touch(replica, removed->type, removed->name);
    uint32_t at = variants_find(&entry->live, removed->scope);
    if (at == REPLICA_NONE) {
        return; /* was put and removed before this replica began */
    }
    struct replica_variant old = variants_take(&entry->live, at);
    variants_put(&entry->gone, old.scope, old.resource);
}

static const struct resource *variant_in(const struct replica_variants *v,
                                         const struct replica_scope *scope)
{
    for (uint32_t i = 0; i < v->len; i++) {
        if (v->items[i].scope == scope) {
            return v->items[i].resource;
        }
    }
    return NULL;
}

/* Adds to the candidates the slots that look at a scope in which a and b differ. */
static void find_candidates(struct replica *replica, const struct replica_touched *t,
                            const struct replica_variants *a, const struct replica_variants *b)
{
    const struct bitmap *wildcard = &replica->types[t->type].wildcard;
    for (uint32_t i = 0; i < a->len; i++) {
        const struct replica_scope *scope = a->items[i].scope;
        const struct resource *other = variant_in(b, scope);
        if (other != NULL && hash_eq(other->hash, a->items[i].resource->hash)) {
            continue;
        }
        const struct bitmap *streams = &scope->streams;
        const struct bitmap *wanting[] = {&t->entry->subscribers, wildcard};
        for (unsigned k = 0; k < 2; k++) {
            for (uint32_t slot = bitmap_next_and(streams, wanting[k], 0); slot != BITMAP_END;
                 slot = bitmap_next_and(streams, wanting[k], slot + 1)) {
                (void)bitmap_set(&replica->candidates, slot);
            }
        }
    }
}

static void tell_touched(struct replica *replica, const struct replica_touched *t)
{
    find_candidates(replica, t, &t->before, &t->entry->live);
    find_candidates(replica, t, &t->entry->live, &t->before);
    bitmap_for_each (slot, &replica->candidates) {
        const struct resource *before = entry_wanted(replica, slot, t->type, t->entry, &t->before);
        const struct resource *after =
            entry_wanted(replica, slot, t->type, t->entry, &t->entry->live);
        bool same = before == after ||
                    (before != NULL && after != NULL && hash_eq(before->hash, after->hash));
        if (!same) {
            replica->changed(replica->user, slot, t->type, t->entry->id, before, after);
        }
    }
    bitmap_clear_all(&replica->candidates);
}

void replica_apply(struct replica *replica, const struct changeset *changeset)
{
    for (size_t i = 0; i < changeset->len; i++) {
        const struct change *change = &changeset->items[i];
        if (change->put != NULL) {
            apply_put(replica, change->put);
        } else if (change->removed != NULL) {
            apply_removal(replica, change->removed);
        }
    }
    replica->seq = changeset->seq;
    for (size_t i = 0; i < replica->touched.len; i++) {
        tell_touched(replica, &replica->touched.items[i]);
    }
    for (size_t i = 0; i < replica->touched.len; i++) {
        struct replica_touched *t = &replica->touched.items[i];
        variants_release(replica, &t->before);
        t->entry->touched = 0;
        entry_settle(replica, t->type, t->entry);
    }
    vec_clear(&replica->touched);
}

/* --- life ------------------------------------------------------------------------------------ */

void replica_init(struct replica *replica, replica_changed_fn *changed, void *user)
{
    *replica = (struct replica){.changed = changed, .user = user};
}

void replica_release(struct replica *replica)
{
    for (uint32_t slot = 0; slot < replica->slots.len; slot++) {
        ASSERT(!replica->slots.items[slot].used);
    }
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        struct replica_type *rt = &replica->types[t];
        for (size_t id = 0; id < rt->by_id.len; id++) {
            if (rt->by_id.items[id] != NULL) {
                entry_free(replica, rt->by_id.items[id]);
            }
        }
        map_release(&rt->by_name);
        vec_release(&rt->by_id);
        vec_release(&rt->free_ids);
        bitmap_release(&rt->wildcard);
    }
    map_release(&replica->scopes);
    vec_release(&replica->slots);
    vec_release(&replica->touched);
    bitmap_release(&replica->candidates);
}

size_t replica_footprint(const struct replica *replica)
{
    size_t bytes = sizeof(*replica) + replica->slots.cap * sizeof(*replica->slots.items);
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        const struct replica_type *rt = &replica->types[t];
        bytes += rt->by_name.cap * sizeof(struct map_slot) + rt->by_id.cap * sizeof(void *);
        for (size_t id = 0; id < rt->by_id.len; id++) {
            const struct replica_entry *entry = rt->by_id.items[id];
            if (entry != NULL) {
                bytes += sizeof(*entry) + entry->name.len + 1;
                bytes += (entry->live.len + entry->gone.len) * sizeof(struct replica_variant);
                bytes += entry->subscribers.nwords * sizeof(uint64_t);
            }
        }
    }
    return bytes;
}
