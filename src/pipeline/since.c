/* SPDX-License-Identifier: Apache-2.0 */
/* since: since which change a routing is as it is. */
#include "pipeline/since.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/panic.h"

struct since_entry {
    char *key;
    struct since_change *change;
};

static void change_unref(struct since_change *change)
{
    if (change == NULL || --change->refs > 0) {
        return;
    }
    for (size_t i = 0; i < change->nobjects && i < SINCE_OBJECTS_MAX; i++) {
        free((void *)(uintptr_t)change->objects[i].ptr);
    }
    free(change);
}

static struct since_change *current(struct since *since)
{
    if (since->current == NULL) {
        since->current = xcalloc(1, sizeof(*since->current));
        since->current->refs = 1;
    }
    return since->current;
}

static void entry_free(struct since_entry *entry)
{
    change_unref(entry->change);
    free(entry->key);
    free(entry);
}

void since_release(struct since *since)
{
    const struct map *map = &since->by_routing;
    for (size_t i = map_next(map, 0); i < map->cap; i = map_next(map, i + 1)) {
        entry_free(map->slots[i].value);
    }
    map_release(&since->by_routing);
    change_unref(since->current);
    since->current = NULL;
}

/* Where several kinds share a table, its keys begin with the kind already. */
static struct str object_name(struct str kind, struct str key)
{
    bool named = str_starts_with(key, kind) && str_eq(str_sub(key, kind.len, 1), STR("/"));
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    if (!named) {
        buf_add_str(&text, kind);
        buf_add_byte(&text, '/');
    }
    buf_add_str(&text, key);
    size_t len;
    char *copy = buf_steal(&text, &len);
    return str_span(copy, len);
}

void since_note(struct since *since, struct str kind, struct str key)
{
    struct since_change *change = current(since);
    if (change->nobjects < SINCE_OBJECTS_MAX) {
        change->objects[change->nobjects] = object_name(kind, key);
    }
    change->nobjects++;
}

static void set(struct since *since, struct str key, struct since_change *change)
{
    struct since_entry *entry = map_get(&since->by_routing, key);
    if (entry == NULL) {
        entry = xcalloc(1, sizeof(*entry));
        entry->key = str_dup(key);
        map_put(&since->by_routing, str_span(entry->key, key.len), entry);
    }
    change_unref(entry->change);
    entry->change = change;
    change->refs++;
}

static void set_all(struct since *since, struct row_changes routings, struct since_change *change)
{
    for (size_t i = 0; i < routings.len; i++) {
        struct str key = routings.items[i].key;
        if (routings.items[i].after != NULL) {
            set(since, key, change);
            continue;
        }
        struct since_entry *gone = map_remove(&since->by_routing, key);
        if (gone != NULL) {
            entry_free(gone);
        }
    }
}

void since_turn(struct since *since, const struct row_changes *routings, size_t len,
                uint64_t now_ms)
{
    struct since_change *change = current(since);
    change->turn = ++since->turn;
    change->at_ms = now_ms;
    for (size_t i = 0; i < len; i++) {
        set_all(since, routings[i], change);
    }
    change_unref(change);
    since->current = NULL;
}

void since_tell(const struct since *since, struct str routing, struct json *json)
{
    const struct since_entry *entry = map_get(&since->by_routing, routing);
    if (entry == NULL) {
        return;
    }
    const struct since_change *change = entry->change;
    char at[CLOCK_RFC3339_LEN];
    clock_rfc3339(change->at_ms, at);
    json_key(json, "since");
    json_open(json, '{');
    json_member_text(json, "at", at);
    json_member_uint(json, "turn", change->turn);
    json_key(json, "objects");
    json_open(json, '[');
    for (size_t i = 0; i < change->nobjects && i < SINCE_OBJECTS_MAX; i++) {
        json_str(json, change->objects[i]);
    }
    json_close(json, ']');
    if (change->nobjects > SINCE_OBJECTS_MAX) {
        json_member_uint(json, "more_objects", change->nobjects - SINCE_OBJECTS_MAX);
    }
    json_close(json, '}');
}
