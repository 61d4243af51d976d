/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index: which rows belong to a group, and in which order they stand there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "engine/engine_internal.h"

struct group_emit {
    struct engine *engine;
    unsigned index;
    uint64_t mark;
};

struct group *index_find(const struct engine *engine, unsigned index, struct str key)
{
    ASSERT(index < engine->graph->nindexes);
    return map_get(&engine->indexes[index].groups, key);
}

struct group *index_group(struct engine *engine, unsigned index, struct str key)
{
    struct group *group = index_find(engine, index, key);
    if (group != NULL) {
        return group;
    }
    group = xcalloc(1, sizeof(*group) + key.len + 1);
    char *copy = (char *)(group + 1);
    if (key.len > 0) {
        memcpy(copy, key.ptr, key.len);
    }
    group->key = str_span(copy, key.len);
    group->cell.owner = index;
    group->cell.is_group = true;
    map_put(&engine->indexes[index].groups, group->key, group);
    return group;
}

void group_free(struct group *group)
{
    vec_release(&group->cell.watchers);
    vec_release(&group->rows);
    vec_release(&group->members);
    free(group);
}

void index_release(struct index *index)
{
    for (size_t i = map_next(&index->groups, 0); i < index->groups.cap;
         i = map_next(&index->groups, i + 1)) {
        group_free(index->groups.slots[i].value);
    }
    map_release(&index->groups);
}

void group_emit(struct group_emit *emit, struct str group_key)
{
    struct group *group = index_group(emit->engine, emit->index, group_key);
    if (group->mark != emit->mark) {
        group->mark = emit->mark;
        vec_push(&emit->engine->emitted, group);
    }
}

/* --- order inside a group ------------------------------------------------------------------ */

/* Where (row, key) stands relative to member i. */
static int group_compare(const struct engine *engine, const struct group *group,
                         const struct row *row, struct str key, size_t i)
{
    row_order_fn *order = engine->indexes[group->cell.owner].spec->order;
    int result = order != NULL ? order(row, group->rows.items[i]) : 0;
    return result != 0 ? result : str_cmp(key, group->members.items[i]->key);
}

/* The first position whose member does not stand before (row, key). */
static size_t group_position(const struct engine *engine, const struct group *group,
                             const struct row *row, struct str key)
{
    size_t low = 0;
    size_t high = group->members.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (group_compare(engine, group, row, key, middle) > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void group_insert(const struct engine *engine, struct group *group, struct slot *slot)
{
    size_t at = group_position(engine, group, slot->row, slot->key);
    size_t behind = group->members.len - at;
    vec_reserve(&group->rows, group->rows.len + 1);
    vec_reserve(&group->members, group->members.len + 1);
    memmove(group->rows.items + at + 1, group->rows.items + at,
            behind * sizeof(*group->rows.items));
    memmove(group->members.items + at + 1, group->members.items + at,
            behind * sizeof(*group->members.items));
    group->rows.items[at] = slot->row;
    group->members.items[at] = slot;
    group->rows.len++;
    group->members.len++;
}

static size_t group_where(const struct engine *engine, const struct group *group,
                          const struct slot *slot, const struct row *before)
{
    size_t at = group_position(engine, group, before, slot->key);
    if (at == group->members.len || group->members.items[at] != slot) {
        panic("index '%s': the order is not total (group '%.*s', row '%.*s')",
              engine->indexes[group->cell.owner].spec->name, STR_FMT(group->key),
              STR_FMT(slot->key));
    }
    return at;
}

static void group_remove(struct group *group, size_t at)
{
    size_t behind = group->members.len - at - 1;
    memmove(group->rows.items + at, group->rows.items + at + 1,
            behind * sizeof(*group->rows.items));
    memmove(group->members.items + at, group->members.items + at + 1,
            behind * sizeof(*group->members.items));
    group->rows.len--;
    group->members.len--;
}

/* Most changes leave a member where it stands. */
static void group_replace(const struct engine *engine, struct group *group, struct slot *slot,
                          const struct row *before)
{
    size_t at = group_where(engine, group, slot, before);
    bool after_left = at == 0 || group_compare(engine, group, slot->row, slot->key, at - 1) > 0;
    bool before_right = at + 1 == group->members.len ||
                        group_compare(engine, group, slot->row, slot->key, at + 1) < 0;
    if (after_left && before_right) {
        group->rows.items[at] = slot->row;
    } else {
        group_remove(group, at);
        group_insert(engine, group, slot);
    }
}

/* --- membership ---------------------------------------------------------------------------- */

/* Fills engine->emitted with the groups of the slot's row, each marked with `mark`. */
static void collect_groups(struct engine *engine, const struct slot *slot, uint64_t mark)
{
    vec_clear(&engine->emitted);
    if (slot->row == NULL) {
        return;
    }
    id_set_for_each (i, &engine->tables[slot->cell.owner].indexes) {
        struct group_emit emit = {.engine = engine, .index = i, .mark = mark};
        engine->indexes[i].spec->groups(slot->row, slot->key, &emit);
    }
}

static void leave_group(struct engine *engine, struct group *group, struct slot *slot,
                        const struct row *before)
{
    group_remove(group, group_where(engine, group, slot, before));
    if (group->members.len == 0) {
        children_lose(engine, &engine->indexes[group->cell.owner].children, group->key);
        cell_may_be_idle(engine, &group->cell);
    }
}

static void join_group(struct engine *engine, struct group *group, struct slot *slot)
{
    group_insert(engine, group, slot);
    if (group->members.len == 1) {
        children_gain(engine, &engine->indexes[group->cell.owner].children, group->key);
    }
}

void index_update(struct engine *engine, struct slot *slot, const struct row *before)
{
    uint64_t mark_new = ++engine->stamp;  /* the row belongs to it now */
    uint64_t mark_both = ++engine->stamp; /* … and did so before */
    collect_groups(engine, slot, mark_new);
    for (size_t i = 0; i < slot->groups.len; i++) {
        struct group *group = slot->groups.items[i];
        if (group->mark == mark_new) {
            group->mark = mark_both;
            group_replace(engine, group, slot, before);
        } else {
            leave_group(engine, group, slot, before);
        }
        cell_wake(engine, &group->cell);
    }
    vec_clear(&slot->groups);
    for (size_t i = 0; i < engine->emitted.len; i++) {
        struct group *group = engine->emitted.items[i];
        if (group->mark == mark_new) {
            join_group(engine, group, slot);
            cell_wake(engine, &group->cell);
        }
        vec_push(&slot->groups, group);
    }
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *const *left = a;
    const struct group *const *right = b;
    return str_cmp((*left)->key, (*right)->key);
}

struct group **index_sorted(const struct index *index, size_t *ret_len)
{
    struct group **sorted = xcalloc(index->groups.len, sizeof(struct group *));
    size_t len = 0;
    for (size_t i = map_next(&index->groups, 0); i < index->groups.cap;
         i = map_next(&index->groups, i + 1)) {
        struct group *group = index->groups.slots[i].value;
        if (group->members.len > 0) {
            sorted[len++] = group;
        }
    }
    qsort(sorted, len, sizeof(struct group *), compare_groups);
    *ret_len = len;
    return sorted;
}
