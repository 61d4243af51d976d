/* SPDX-License-Identifier: Apache-2.0 */
/* plan_status: two status rows of one object, condition by condition. */
#include "pipeline/plan_status.h"

#include <string.h>

#include "ir/attachment.h"
#include "model/object.h"
#include "pipeline/graph.h"

/* The conditions of one parent, or of the object itself. */
struct conditions {
    const struct condition *items;
    size_t len;
};

struct telling {
    struct json *json;
    struct arena scratch;
    struct str object;
    struct str parent; /* or listener; empty: the object itself */
};

static const struct condition *find_type(struct conditions list, const char *type)
{
    for (size_t i = 0; i < list.len; i++) {
        if (strcmp(condition_info((enum condition_id)list.items[i].id)->type, type) == 0) {
            return &list.items[i];
        }
    }
    return NULL;
}

static void tell_condition(struct json *json, const char *key, const struct condition *condition)
{
    if (condition == NULL) {
        return;
    }
    const struct condition_info *info = condition_info((enum condition_id)condition->id);
    json_key(json, key);
    json_open(json, '{');
    json_member_str(json, "status", info->status ? STR("True") : STR("False"));
    json_member_str(json, "reason", str_from(info->reason));
    json_member_str(json, "message", condition->message);
    json_close(json, '}');
}

static void tell_change(struct telling *telling, const struct condition *before,
                        const struct condition *after)
{
    const struct condition *any = after != NULL ? after : before;
    json_open(telling->json, '{');
    json_member_str(telling->json, "object", telling->object);
    if (telling->parent.len > 0) {
        json_member_str(telling->json, "parent", telling->parent);
    }
    json_member_str(telling->json, "type",
                    str_from(condition_info((enum condition_id)any->id)->type));
    tell_condition(telling->json, "before", before);
    tell_condition(telling->json, "after", after);
    json_close(telling->json, '}');
}

static void compare(struct telling *telling, struct conditions before, struct conditions after)
{
    for (size_t i = 0; i < after.len; i++) {
        const struct condition *now = &after.items[i];
        const struct condition *old =
            find_type(before, condition_info((enum condition_id)now->id)->type);
        if (old == NULL || old->id != now->id || !str_eq(old->message, now->message)) {
            tell_change(telling, old, now);
        }
    }
    for (size_t i = 0; i < before.len; i++) {
        const struct condition *old = &before.items[i];
        if (find_type(after, condition_info((enum condition_id)old->id)->type) == NULL) {
            tell_change(telling, old, NULL);
        }
    }
}

/* "Service shop/web", with port and section if they are given. */
static struct str parent_text(struct arena *arena, const struct status *row,
                              const struct parent_ref *ref)
{
    struct str ns = ref->ns.len > 0 ? ref->ns : row->ns;
    struct str name =
        arena_printf(arena, "%.*s %.*s/%.*s", STR_FMT(ref->kind), STR_FMT(ns), STR_FMT(ref->name));
    if (ref->port != 0) {
        name = arena_printf(arena, "%.*s port %d", STR_FMT(name), (int)ref->port);
    }
    if (ref->section_name.len > 0) {
        name = arena_printf(arena, "%.*s section %.*s", STR_FMT(name), STR_FMT(ref->section_name));
    }
    return name;
}

static struct conditions of_parent(const struct status *row, const struct parent_ref *ref)
{
    for (size_t i = 0; row != NULL && i < row->parents.len; i++) {
        const struct status_parent *parent = &row->parents.items[i];
        if (parent_ref_equal(&parent->ref, ref)) {
            return (struct conditions){parent->conditions.items, parent->conditions.len};
        }
    }
    return (struct conditions){NULL, 0};
}

static struct conditions of_object(const struct status *row)
{
    return row != NULL ? (struct conditions){row->conditions.items, row->conditions.len}
                       : (struct conditions){NULL, 0};
}

/* Parents of after, then those that only before has. */
static void tell_parents(struct telling *telling, const struct status *before,
                         const struct status *after)
{
    const struct status *rows[] = {after, before};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; rows[i] != NULL && j < rows[i]->parents.len; j++) {
            const struct parent_ref *ref = &rows[i]->parents.items[j].ref;
            if (i == 1 && of_parent(after, ref).len > 0) {
                continue;
            }
            telling->parent = parent_text(&telling->scratch, rows[i], ref);
            compare(telling, of_parent(before, ref), of_parent(after, ref));
        }
    }
}

static struct conditions of_listener(const struct status *row, struct str name)
{
    for (size_t i = 0; row != NULL && i < row->listeners.len; i++) {
        const struct status_listener *listener = &row->listeners.items[i];
        if (str_eq(listener->name, name)) {
            return (struct conditions){listener->conditions.items, listener->conditions.len};
        }
    }
    return (struct conditions){NULL, 0};
}

/* Of a Gateway or ListenerSet: listeners of after, then those that only before has. */
static void tell_listeners(struct telling *telling, const struct status *before,
                           const struct status *after)
{
    const struct status *rows[] = {after, before};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; rows[i] != NULL && j < rows[i]->listeners.len; j++) {
            struct str name = rows[i]->listeners.items[j].name;
            if (i == 1 && of_listener(after, name).len > 0) {
                continue;
            }
            telling->parent = arena_printf(&telling->scratch, "listener %.*s", STR_FMT(name));
            compare(telling, of_listener(before, name), of_listener(after, name));
        }
    }
}

static void tell_row(struct telling *telling, const struct row_change *change)
{
    const struct status *before = (const struct status *)change->before;
    const struct status *after = (const struct status *)change->after;
    const struct status *any = after != NULL ? after : before;
    telling->object =
        arena_printf(&telling->scratch, "%s %.*s%s%.*s", kind_info((enum kind_id)any->kind)->kind,
                     STR_FMT(any->ns), any->ns.len > 0 ? "/" : "", STR_FMT(any->name));
    telling->parent = STR_NULL;
    compare(telling, of_object(before), of_object(after));
    tell_parents(telling, before, after);
    tell_listeners(telling, before, after);
    arena_reset(&telling->scratch);
}

void plan_status_dump(const struct engine *engine, struct json *json)
{
    struct telling telling = {.json = json};
    json_key(json, "status");
    json_open(json, '[');
    for (size_t i = 0; i < status_tables_len; i++) {
        struct row_changes changes = engine_changes(engine, status_tables[i]);
        for (size_t j = 0; j < changes.len; j++) {
            tell_row(&telling, &changes.items[j]);
        }
    }
    json_close(json, ']');
    arena_release(&telling.scratch);
}
