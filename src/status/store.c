/* SPDX-License-Identifier: Apache-2.0 */
/* store: condition rows with their times. */
#include "status/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/panic.h"
#include "base/vec.h"
#include "ir/attachment.h"

struct transition {
    size_t parent;    /* index of the parent; 0 for conditions of the object itself */
    const char *type; /* of the condition table */
    bool status;
    uint64_t since_ms;
};

struct entry {
    char *key;                /* "HTTPRoute/ns/name" */
    const struct status *row; /* valid: rows live as long as they are in the table */
    VEC(struct transition) transitions;
};

struct status_store {
    struct map entries; /* key -> struct entry */
};

struct status_store *status_store_new(void)
{
    return xcalloc(1, sizeof(struct status_store));
}

static void entry_free(struct entry *entry)
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

static const struct transition *find(const struct entry *entry, size_t parent, const char *type)
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
static void stamp(struct entry *fresh, size_t parent, const struct entry *old, size_t old_parent,
                  const struct condition *conditions, size_t len, uint64_t now_ms)
{
    for (size_t i = 0; i < len; i++) {
        const struct condition_info *info = condition_info((enum condition_id)conditions[i].id);
        const struct transition *before = old != NULL ? find(old, old_parent, info->type) : NULL;
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

static char *entry_key(const struct status *row)
{
    struct buf key;
    buf_init(&key, BUF_UNLIMITED);
    buf_printf(&key, "%s/%.*s/%.*s", kind_info((enum kind_id)row->kind)->kind, STR_FMT(row->ns),
               STR_FMT(row->name));
    return buf_steal(&key, NULL);
}

/* A parentRef is known by what it says, wherever it stands in the list. */
static size_t find_parent(const struct entry *entry, const struct parent_ref *ref)
{
    size_t i = 0;
    while (i < entry->row->parents.len &&
           !parent_ref_equal(&entry->row->parents.items[i].ref, ref)) {
        i++;
    }
    return i;
}

/* The old row is still there: it lives until the run after the one that replaced it. */
static void put(struct status_store *store, const struct status *row, uint64_t now_ms)
{
    struct entry *fresh = xcalloc(1, sizeof(*fresh));
    fresh->key = entry_key(row);
    fresh->row = row;
    struct entry *old = map_put(&store->entries, str_from(fresh->key), fresh);
    stamp(fresh, 0, old, 0, row->conditions.items, row->conditions.len, now_ms);
    for (size_t i = 0; i < row->parents.len; i++) {
        const struct status_parent *parent = &row->parents.items[i];
        size_t before = old != NULL ? find_parent(old, &parent->ref) : 0;
        stamp(fresh, i, old, before, parent->conditions.items, parent->conditions.len, now_ms);
    }
    if (old != NULL) {
        entry_free(old);
    }
}

void status_store_apply(struct status_store *store, struct row_changes changes, uint64_t now_ms)
{
    for (size_t i = 0; i < changes.len; i++) {
        if (changes.items[i].after != NULL) {
            put(store, (const struct status *)changes.items[i].after, now_ms);
            continue;
        }
        char *key = entry_key((const struct status *)changes.items[i].before);
        struct entry *gone = map_remove(&store->entries, str_from(key));
        if (gone != NULL) {
            entry_free(gone);
        }
        free(key);
    }
}

static void render_time(const struct transition *since, struct json *json)
{
    char time[CLOCK_RFC3339_LEN];
    clock_rfc3339(since != NULL ? since->since_ms : 0, time);
    memcpy(time + 19, "Z", 2); /* metav1.Time has whole seconds */
    json_key(json, "lastTransitionTime");
    json_text(json, time);
}

static void render_conditions(const struct entry *entry, size_t parent,
                              const struct condition *conditions, size_t len, bool times,
                              struct json *json)
{
    json_key(json, "conditions");
    json_open(json, '[');
    for (size_t i = 0; i < len; i++) {
        const struct condition_info *info = condition_info((enum condition_id)conditions[i].id);
        json_open(json, '{');
        json_key(json, "type");
        json_text(json, info->type);
        json_key(json, "status");
        json_text(json, info->status ? "True" : "False");
        json_key(json, "observedGeneration");
        json_int(json, entry->row->generation);
        if (times) {
            render_time(find(entry, parent, info->type), json);
        }
        json_key(json, "reason");
        json_text(json, info->reason);
        json_key(json, "message");
        json_str(json, conditions[i].message);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void render_text(struct json *json, const char *key, struct str value)
{
    if (value.len > 0) {
        json_key(json, key);
        json_str(json, value);
    }
}

static void render_ref(const struct parent_ref *ref, const char *key, struct json *json)
{
    json_key(json, key);
    json_open(json, '{');
    json_key(json, "group"); /* always, also when empty: core */
    json_str(json, ref->group);
    json_key(json, "kind");
    json_str(json, ref->kind);
    render_text(json, "namespace", ref->ns);
    render_text(json, "name", ref->name);
    render_text(json, "sectionName", ref->section_name);
    if (ref->port != 0) {
        json_key(json, "port");
        json_int(json, ref->port);
    }
    json_close(json, '}');
}

static void render_status(const struct entry *entry, bool times, struct json *json)
{
    const struct status *row = entry->row;
    json_key(json, "status");
    json_open(json, '{');
    if (row->conditions.len > 0) {
        render_conditions(entry, 0, row->conditions.items, row->conditions.len, times, json);
    }
    if (row->parents.len > 0) {
        json_key(json, row->ancestors ? "ancestors" : "parents");
        json_open(json, '[');
        for (size_t i = 0; i < row->parents.len; i++) {
            const struct status_parent *parent = &row->parents.items[i];
            json_open(json, '{');
            render_ref(&parent->ref, row->ancestors ? "ancestorRef" : "parentRef", json);
            json_key(json, "controllerName");
            json_text(json, CONTROLLER_NAME);
            render_conditions(entry, i, parent->conditions.items, parent->conditions.len, times,
                              json);
            json_close(json, '}');
        }
        json_close(json, ']');
    }
    json_close(json, '}');
}

static void render_entry(const struct entry *entry, bool times, struct json *json)
{
    const struct kind_info *kind = kind_info((enum kind_id)entry->row->kind);
    struct buf version;
    buf_init(&version, 256);
    struct str versions = str_from(kind->versions);
    struct str preferred = str_sub(versions, 0, str_index(versions, ' '));
    buf_printf(&version, "%s%s%.*s", kind->group, kind->group[0] != '\0' ? "/" : "",
               STR_FMT(preferred));
    json_open(json, '{');
    json_key(json, "apiVersion");
    json_str(json, buf_str(&version));
    json_key(json, "kind");
    json_text(json, kind->kind);
    json_key(json, "metadata");
    json_open(json, '{');
    json_key(json, "name");
    json_str(json, entry->row->name);
    json_key(json, "namespace");
    json_str(json, entry->row->ns);
    json_key(json, "generation");
    json_int(json, entry->row->generation);
    json_close(json, '}');
    render_status(entry, times, json);
    json_close(json, '}');
    buf_release(&version);
}

static int entry_cmp(const void *a, const void *b)
{
    const struct entry *const *ea = a;
    const struct entry *const *eb = b;
    return strcmp((*ea)->key, (*eb)->key);
}

void status_store_render(const struct status_store *store, bool times, struct json *json)
{
    const struct map *entries = &store->entries;
    const struct entry **sorted = xcalloc(entries->len, sizeof(*sorted));
    size_t len = 0;
    for (size_t i = map_next(entries, 0); i < entries->cap; i = map_next(entries, i + 1)) {
        sorted[len++] = entries->slots[i].value;
    }
    qsort(sorted, len, sizeof(*sorted), entry_cmp);
    json_open(json, '{');
    json_key(json, "items");
    json_open(json, '[');
    for (size_t i = 0; i < len; i++) {
        render_entry(sorted[i], times, json);
    }
    json_close(json, ']');
    json_close(json, '}');
    free(sorted);
}
