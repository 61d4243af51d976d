/* SPDX-License-Identifier: Apache-2.0 */
/* claims: entries, their claims in order, and who is told when what is in force changes. */
#include "source/claims.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

#define MAP_KEY_MAX (OBJECT_KEY_MAX + 16)

void object_drop(struct object *object)
{
    if (object != NULL) {
        row_unref(&object->row, NULL);
    }
}

struct object *object_keep(const struct object *object)
{
    return (struct object *)row_ref(&object->row);
}

/* Services and EndpointSlices may share a key, so the kind goes in front. */
static struct str map_key(char buffer[MAP_KEY_MAX], enum kind_id kind, struct str key)
{
    ASSERT(key.len <= OBJECT_KEY_MAX);
    int len = snprintf(buffer, MAP_KEY_MAX, "%u:%.*s", (unsigned)kind, STR_FMT(key));
    ASSERT(len > 0 && len < MAP_KEY_MAX);
    return str_span(buffer, (size_t)len);
}

struct claim_entry *claims_find(const struct claims *claims, enum kind_id kind, struct str key)
{
    char buffer[MAP_KEY_MAX];
    return map_get(&claims->entries, map_key(buffer, kind, key));
}

static struct claim_entry *find_or_make(struct claims *claims, enum kind_id kind, struct str key)
{
    char buffer[MAP_KEY_MAX];
    struct str name = map_key(buffer, kind, key);
    struct claim_entry *entry = map_get(&claims->entries, name);
    if (entry == NULL) {
        entry = xcalloc(1, sizeof(*entry));
        entry->map_key = str_span(str_dup(name), name.len);
        entry->key = str_sub(entry->map_key, name.len - key.len, key.len);
        entry->kind = kind;
        map_put(&claims->entries, entry->map_key, entry);
    }
    return entry;
}

static void free_entry(struct claim_entry *entry)
{
    object_drop(entry->in_force);
    vec_release(&entry->claims);
    free((char *)(uintptr_t)entry->map_key.ptr);
    free(entry);
}

void claims_release(struct claims *claims)
{
    for (size_t i = map_next(&claims->entries, 0); i < claims->entries.cap;
         i = map_next(&claims->entries, i + 1)) {
        struct claim_entry *entry = claims->entries.slots[i].value;
        for (size_t j = 0; j < entry->claims.len; j++) {
            object_drop(entry->claims.items[j]->object);
            free(entry->claims.items[j]);
        }
        free_entry(entry);
    }
    map_release(&claims->entries);
    vec_release(&claims->touched);
}

static int compare_claims(const void *left, const void *right)
{
    const struct claim *a = *(const struct claim *const *)left;
    const struct claim *b = *(const struct claim *const *)right;
    if (a->held != b->held) {
        return a->held ? 1 : -1;
    }
    int order = str_cmp(a->file, b->file);
    return order != 0 ? order : (a->nth > b->nth) - (a->nth < b->nth);
}

void claims_touch(struct claims *claims, struct claim_entry *entry)
{
    if (!entry->touched) {
        entry->touched = true;
        vec_push(&claims->touched, entry);
    }
}

void claims_add(struct claims *claims, enum kind_id kind, struct str key, struct claim *claim)
{
    struct claim_entry *entry = find_or_make(claims, kind, key);
    claim->entry = entry;
    vec_push(&entry->claims, claim);
    claims_touch(claims, entry);
}

const struct claim *claims_first(const struct claim_entry *entry)
{
    return entry->written > 0 ? entry->claims.items[0] : NULL;
}

/* --- a batch ------------------------------------------------------------------------------- */

static size_t duplicates_of(const struct claim_entry *entry)
{
    return entry->written > 1 ? entry->written - 1 : 0;
}

static void gather(struct claims *claims, struct claim_entry *entry)
{
    size_t kept = 0, written = 0;
    for (size_t i = 0; i < entry->claims.len; i++) {
        struct claim *claim = entry->claims.items[i];
        if (claim->past) {
            object_drop(claim->object);
            free(claim);
        } else {
            entry->claims.items[kept++] = claim;
            written += claim->held ? 0 : 1;
        }
    }
    entry->claims.len = kept;
    if (kept > 1) {
        qsort(entry->claims.items, kept, sizeof(struct claim *), compare_claims);
    }
    claims->duplicates -= duplicates_of(entry);
    entry->written = written;
    claims->duplicates += duplicates_of(entry);
}

void claims_gather(struct claims *claims)
{
    for (size_t i = 0; i < claims->touched.len; i++) {
        gather(claims, claims->touched.items[i]);
    }
}

/* The first claim with an object. When all are broken and came without one, the object that is in
 * force stays: its document moved to another file and broke on the way. */
static struct claim *find_winner(struct claims *claims, struct claim_entry *entry)
{
    for (size_t i = 0; i < entry->claims.len; i++) {
        if (entry->claims.items[i]->object != NULL) {
            return entry->claims.items[i];
        }
    }
    if (entry->claims.len == 0 || entry->in_force == NULL) {
        return NULL;
    }
    struct claim *first = entry->claims.items[0];
    first->object = object_keep(entry->in_force);
    if (claims->events.kept != NULL) {
        claims->events.kept(claims->events.user, first->file);
    }
    return first;
}

static void settle(struct claims *claims, struct claim_entry *entry)
{
    const struct claim *winner = find_winner(claims, entry);
    struct object *before = entry->in_force;
    struct object *after = winner != NULL ? winner->object : NULL;
    if (before == after) {
        return;
    }
    bool differs = before == NULL || after == NULL || !object_equal(&before->row, &after->row);
    entry->in_force = after != NULL ? object_keep(after) : NULL;
    if (differs && after != NULL && claims->events.put != NULL) {
        claims->events.put(claims->events.user, object_keep(after), entry->key);
    } else if (after == NULL && claims->events.removed != NULL) {
        claims->events.removed(claims->events.user, entry->kind, entry->key);
    }
    object_drop(before);
}

void claims_settle(struct claims *claims)
{
    for (size_t i = 0; i < claims->touched.len; i++) {
        struct claim_entry *entry = claims->touched.items[i];
        entry->touched = false;
        settle(claims, entry);
        if (entry->claims.len == 0) {
            map_remove(&claims->entries, entry->map_key);
            free_entry(entry);
        }
    }
    vec_clear(&claims->touched);
}
