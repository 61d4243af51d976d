/* SPDX-License-Identifier: Apache-2.0 */
/* store: condition rows with their times. What they look like: store_render.c. */
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "status/store_internal.h"

struct status_store *status_store_new(void)
{
    return xcalloc(1, sizeof(struct status_store));
}

void status_store_watch(struct status_store *store, status_changed_fn *changed, void *user)
{
    store->changed = changed;
    store->user = user;
}

void status_store_propagation(struct status_store *store, const struct propagation *propagation)
{
    store->propagation = *propagation;
}

static void entry_free(struct status_entry *entry)
{
    vec_release(&entry->transitions);
    free(entry->key);
    free(entry);
}

void status_store_free(struct status_store *store)
{
    struct map *entries = &store->entries;
    for (size_t i = map_next(entries, 0); i < entries->cap; i = map_next(entries, i + 1)) {
        entry_free(entries->slots[i].value);
    }
    map_release(entries);
    free(store);
}

const struct transition *status_entry_find(const struct status_entry *entry, size_t parent,
                                           const char *type)
{
    for (size_t i = 0; i < entry->transitions.len; i++) {
        const struct transition *transition = &entry->transitions.items[i];
        if (transition->parent == parent && strcmp(transition->type, type) == 0) {
            return transition;
        }
    }
    return NULL;
}

/* old_parent: which parent of the old entry the conditions were of. */
static void stamp(struct status_entry *fresh, size_t parent, const struct status_entry *old,
                  size_t old_parent, const struct condition *conditions, size_t len,
                  uint64_t now_ms)
{
    for (size_t i = 0; i < len; i++) {
        const struct condition_info *info = condition_info((enum condition_id)conditions[i].id);
        const struct transition *before =
            old != NULL ? status_entry_find(old, old_parent, info->type) : NULL;
        bool same = before != NULL && before->status == info->status;
        struct transition transition = {
            .parent = parent,
            .type = info->type,
            .status = info->status,
            .since_ms = same ? before->since_ms : now_ms,
        };
        vec_push(&fresh->transitions, transition);
    }
}

char *status_key(enum kind_id kind, struct str ns, struct str name)
{
    struct buf key;
    buf_init(&key, BUF_UNLIMITED);
    buf_printf(&key, "%s/%.*s/%.*s", kind_info(kind)->kind, STR_FMT(ns), STR_FMT(name));
    return buf_steal(&key, NULL);
}

static char *row_key(const struct status *row)
{
    return status_key((enum kind_id)row->kind, row->ns, row->name);
}

/* A parentRef is known by what it says, wherever it stands in the list. */
static size_t find_parent(const struct status_entry *entry, const struct parent_ref *ref)
{
    size_t i = 0;
    while (i < entry->row->parents.len &&
           !parent_ref_equal(&entry->row->parents.items[i].ref, ref)) {
        i++;
    }
    return i;
}

static size_t find_listener(const struct status_entry *entry, struct str name)
{
    size_t i = 0;
    while (i < entry->row->listeners.len && !str_eq(entry->row->listeners.items[i].name, name)) {
        i++;
    }
    return i;
}

/* The old row is still there: it lives until the run after the one that replaced it. */
static void put(struct status_store *store, const struct status *row, uint64_t now_ms)
{
    struct status_entry *fresh = xcalloc(1, sizeof(*fresh));
    fresh->key = row_key(row);
    fresh->row = row;
    struct status_entry *old = map_put(&store->entries, str_from(fresh->key), fresh);
    stamp(fresh, 0, old, 0, row->conditions.items, row->conditions.len, now_ms);
    for (size_t i = 0; i < row->parents.len; i++) {
        const struct status_parent *parent = &row->parents.items[i];
        size_t before = old != NULL ? find_parent(old, &parent->ref) : 0;
        stamp(fresh, i, old, before, parent->conditions.items, parent->conditions.len, now_ms);
    }
    for (size_t i = 0; i < row->listeners.len; i++) {
        const struct status_listener *listener = &row->listeners.items[i];
        size_t before = old != NULL ? find_listener(old, listener->name) : 0;
        stamp(fresh, OF_LISTENER(i), old, OF_LISTENER(before), listener->conditions.items,
              listener->conditions.len, now_ms);
    }
    if (old != NULL) {
        entry_free(old);
    }
}

static void take_away(struct status_store *store, const struct status *row)
{
    char *key = row_key(row);
    struct status_entry *gone = map_remove(&store->entries, str_from(key));
    if (gone != NULL) {
        entry_free(gone);
    }
    free(key);
}

void status_store_apply(struct status_store *store, struct row_changes changes, uint64_t now_ms)
{
    for (size_t i = 0; i < changes.len; i++) {
        const struct status *before = (const struct status *)changes.items[i].before;
        const struct status *after = (const struct status *)changes.items[i].after;
        const struct status *row = after != NULL ? after : before;
        if (after != NULL) {
            put(store, after, now_ms);
        } else {
            take_away(store, before);
        }
        if (store->changed != NULL) {
            store->changed(store->user, (enum kind_id)row->kind, row->ns, row->name);
        }
    }
}
