/* SPDX-License-Identifier: Apache-2.0 */
/* plan: the present in a world of its own, the change there and back, and what is told of both. */
#include "pipeline/plan.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/panic.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "model/applied.h"
#include "pipeline/findings.h"
#include "pipeline/plan_clients.h"
#include "pipeline/plan_requests.h"
#include "pipeline/plan_status.h"
#include "pipeline/turn.h"
#include "pipeline/world.h"
#include "source/file_set.h"

struct plan_file {
    struct str name;
    struct str text;
    struct str unreadable; /* why it cannot be read, or empty */
};

/* An object that the change writes or deletes. */
struct plan_object {
    enum kind_id kind;
    struct str key;
    struct object *after; /* a reference; NULL: deleted */
    const char *change;
    struct str name; /* "HTTPRoute shop/web" */
};

struct plan {
    struct arena arena;
    struct world world;
    VEC(struct plan_file) files;
    VEC(struct str) deletions;
    VEC(struct plan_object) objects;
    struct plan_clients clients;
    struct plan_requests requests;
    bool assumed;
    int64_t applied; /* when, to a cluster; 0: it is none */
};

void plan_applied(struct plan *plan, int64_t now)
{
    plan->applied = now;
}

struct plan *plan_new(const struct mesh *mesh)
{
    struct plan *plan = xcalloc(1, sizeof(*plan));
    world_take(&plan->world, mesh_engine(mesh));
    return plan;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (size_t i = 0; i < plan->objects.len; i++) {
        struct object *after = plan->objects.items[i].after;
        row_unref(after != NULL ? &after->row : NULL, NULL);
    }
    plan_requests_release(&plan->requests);
    plan_clients_release(&plan->clients);
    world_release(&plan->world);
    vec_release(&plan->objects);
    vec_release(&plan->files);
    vec_release(&plan->deletions);
    arena_release(&plan->arena);
    free(plan);
}

void plan_client(struct plan *plan, const struct mesh_client *client, enum stream_protocol protocol,
                 const struct str *listeners, size_t nlisteners)
{
    plan_clients_add(&plan->clients, client, protocol, listeners, nlisteners);
}

/* --- the change ----------------------------------------------------------------------------- */

void plan_text(struct plan *plan, struct str name, struct str text)
{
    struct plan_file file = {.name = arena_str(&plan->arena, name),
                             .text = arena_str(&plan->arena, text)};
    vec_push(&plan->files, file);
}

void plan_unreadable(struct plan *plan, struct str name, struct str reason)
{
    struct plan_file file = {.name = arena_str(&plan->arena, name),
                             .unreadable = arena_str(&plan->arena, reason)};
    vec_push(&plan->files, file);
}

static struct str object_title(struct arena *arena, const struct object *object)
{
    return arena_printf(arena, "%s %.*s%s%.*s", kind_info(object->kind)->kind,
                        STR_FMT(object->meta.ns), object->meta.ns.len > 0 ? "/" : "",
                        STR_FMT(object->meta.name));
}

void plan_delete(struct plan *plan, struct str what)
{
    vec_push(&plan->deletions, arena_str(&plan->arena, what));
}

/* "KIND/NAMESPACE/NAME", or "KIND/NAME" of a kind without namespace. */
static bool take_deletion(struct plan *plan, struct str what, struct err *err)
{
    struct str name = what;
    const struct kind_info *info = kind_find_any_group(str_cut(&name, '/'));
    if (info == NULL) {
        return err_set(err, "'%.*s' is not KIND/NAMESPACE/NAME of a kind that heddle reads",
                       STR_FMT(what));
    }
    struct object object = {.kind = info->id};
    object.meta.ns = info->namespaced ? str_cut(&name, '/') : STR_NULL;
    object.meta.name = name;
    struct plan_object deleted = {
        .kind = info->id,
        .key = object_key(&plan->arena, &object),
        .change = "removed",
        .name = object_title(&plan->arena, &object),
    };
    if (engine_get(plan->world.engine, mesh_table(info->id), deleted.key) == NULL) {
        return err_set(err, "there is no object '%.*s' to delete", STR_FMT(what));
    }
    vec_push(&plan->objects, deleted);
    return true;
}

static bool take_deletions(struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->deletions.len; i++) {
        if (!take_deletion(plan, plan->deletions.items[i], err)) {
            return false;
        }
    }
    return true;
}

static void take_object(void *user, struct object *object, struct str key)
{
    struct plan *plan = user;
    struct plan_object item = {
        .kind = object->kind,
        .key = arena_str(&plan->arena, key),
        .after = object,
        .name = object_title(&plan->arena, object),
    };
    vec_push(&plan->objects, item);
}

static void take_no_removal(void *user, enum kind_id kind, struct str key)
{
    (void)user;
    (void)kind;
    (void)key; /* each file is read once */
}

static void read_files(struct plan *plan, struct findings *findings)
{
    const struct file_set_events events = {
        .user = plan, .put = take_object, .removed = take_no_removal};
    struct file_set *set = file_set_new(&events);
    for (size_t i = 0; i < plan->files.len; i++) {
        const struct plan_file *file = &plan->files.items[i];
        if (file->unreadable.len > 0) {
            file_set_unreadable(set, file->name, file->unreadable);
        } else {
            file_set_update(set, file->name, file->text);
        }
    }
    file_set_settle(set);
    file_set_problems(set, findings_add, findings);
    file_set_free(set);
}

static int object_cmp(const void *a, const void *b)
{
    const struct plan_object *oa = a;
    const struct plan_object *ob = b;
    if (oa->kind != ob->kind) {
        return oa->kind < ob->kind ? -1 : 1;
    }
    int order = str_cmp(oa->key, ob->key);
    return order != 0 ? order : (oa->after != NULL) - (ob->after != NULL); /* deletions first */
}

/* Deletions come first, so that an object that is also written is there again. */
static void try_change(struct plan *plan)
{
    if (plan->objects.len > 0) {
        qsort(plan->objects.items, plan->objects.len, sizeof(struct plan_object), object_cmp);
    }
    for (size_t i = 0; i < plan->objects.len; i++) {
        struct plan_object *object = &plan->objects.items[i];
        unsigned table = mesh_table(object->kind);
        world_remove(&plan->world, T_FAULT, fault_key(&plan->arena, object->kind, object->key));
        if (object->after == NULL) {
            world_remove(&plan->world, table, object->key);
            continue;
        }
        const struct row *before = engine_get(plan->world.engine, table, object->key);
        if (plan->applied != 0) {
            applied_fill(object->after, (const struct object *)before, plan->applied);
        }
        object->change = before == NULL                              ? "added"
                         : object_equal(before, &object->after->row) ? "unchanged"
                                                                     : "changed";
        world_put(&plan->world, table, object->key, row_ref(&object->after->row));
    }
}

/* --- nobody is connected -------------------------------------------------------------------- */

/* A resource is made while some client has its scope (docs/xds.md). */
static void assume_client(struct plan *plan, const struct client_class *class)
{
    struct view view;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    client_view(class, &scratch, &view);
    for (unsigned i = 0; i < view.nscopes; i++) {
        struct view_row *row = row_new(sizeof(*row), view.scopes[i].len + 1);
        row->scope = arena_str(&row->row.arena, view.scopes[i]);
        engine_put(plan->world.engine, T_VIEW, view.scopes[i], &row->row);
    }
    arena_release(&scratch);
}

static void assume_sidecar(struct plan *plan, struct map *seen, const struct object *object)
{
    const struct client_class class = {
        .role = ROLE_SIDECAR, .ns = object->meta.ns, .dialect = "envoy"};
    if (object->meta.ns.len > 0 && map_put(seen, object->meta.ns, plan) == NULL) {
        assume_client(plan, &class);
    }
}

/* The Envoys of a Gateway. */
static void assume_gateway(struct plan *plan, const struct object *object)
{
    const struct client_class class = {
        .role = ROLE_GATEWAY,
        .ns = object->meta.ns,
        .dialect = "envoy",
        .gateway = object_key(&plan->arena, object),
    };
    assume_client(plan, &class);
}

/* Sidecars wherever there is a Service or a route now or then, and all Gateways. */
static void assume_clients(struct plan *plan)
{
    struct map seen = {.len = 0};
    for (size_t i = 0; i < plan->world.inputs.len; i++) {
        const struct world_input *input = &plan->world.inputs.items[i];
        if (input->table == T_SERVICE || input->table == T_ROUTE) {
            assume_sidecar(plan, &seen, (const struct object *)input->row);
        } else if (input->table == T_GATEWAY) {
            assume_gateway(plan, (const struct object *)input->row);
        }
    }
    for (size_t i = 0; i < plan->objects.len; i++) {
        const struct object *after = plan->objects.items[i].after;
        if (after != NULL && after->kind == KIND_GATEWAY) {
            assume_gateway(plan, after);
        } else if (after != NULL) {
            assume_sidecar(plan, &seen, after);
        }
    }
    map_release(&seen);
    plan->assumed = true;
}

static bool is_anybody_there(const struct plan *plan)
{
    for (size_t i = 0; i < plan->world.inputs.len; i++) {
        if (plan->world.inputs.items[i].table == T_VIEW) {
            return true;
        }
    }
    return false;
}

/* --- what is new to find -------------------------------------------------------------------- */

static struct str finding_key(struct arena *arena, const struct finding *finding)
{
    const struct problem *problem = &finding->problem;
    return arena_printf(arena, "%d %.*s %.*s: %.*s", (int)problem->code, STR_FMT(problem->object),
                        STR_FMT(problem->path), STR_FMT(problem->text));
}

/* Adds to all what is found now and was not found before; notes are conditions, and told as such.
 */
static void add_new_findings(const struct engine *engine, const struct findings *before,
                             struct findings *all)
{
    struct findings after = {.errors = 0};
    struct map known = {.len = 0};
    struct arena scratch = {.used = 0};
    findings_each(engine, findings_add, &after);
    for (size_t i = 0; i < before->items.len; i++) {
        map_put(&known, finding_key(&scratch, &before->items.items[i]), &scratch);
    }
    for (size_t i = 0; i < after.items.len; i++) {
        const struct finding *finding = &after.items.items[i];
        bool note = problem_info(finding->problem.code)->severity == SEVERITY_NOTE;
        if (!note && map_get(&known, finding_key(&scratch, finding)) == NULL) {
            findings_add(all, finding->file, &finding->problem);
        }
    }
    map_release(&known);
    findings_release(&after);
    arena_release(&scratch);
}

/* --- telling -------------------------------------------------------------------------------- */

static void dump_objects(const struct plan *plan, struct json *json)
{
    json_key(json, "objects");
    json_open(json, '[');
    for (size_t i = 0; i < plan->objects.len; i++) {
        const struct plan_object *object = &plan->objects.items[i];
        json_open(json, '{');
        json_member_str(json, "change", str_from(object->change));
        json_member_str(json, "object", object->name);
        if (object->after != NULL) {
            json_member_str(json, "file", object->after->origin.file);
            json_member_uint(json, "line", object->after->origin.line);
        }
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void dump_resource(const struct change *change, struct json *json)
{
    const struct resource *any = change->put != NULL ? change->put : change->removed;
    json_open(json, '{');
    json_member_str(json, "change",
                    change->put == NULL       ? STR("removed")
                    : change->removed == NULL ? STR("added")
                                              : STR("changed"));
    json_member_str(json, "type", str_from(xds_type_info(any->type)->name));
    json_member_str(json, "scope", any->scope);
    json_member_str(json, "name", any->name);
    json_member_uint(json, "before", change->removed != NULL ? change->removed->entry->len : 0);
    json_member_uint(json, "after", change->put != NULL ? change->put->entry->len : 0);
    json_close(json, '}');
}

static void dump_resources(const struct engine *engine, struct json *json)
{
    struct changeset *changes = turn_changeset(engine, 1);
    json_key(json, "resources");
    json_open(json, '[');
    for (size_t i = 0; changes != NULL && i < changes->len; i++) {
        dump_resource(&changes->items[i], json);
    }
    json_close(json, ']');
    changeset_unref(changes);
}

static bool compare(struct plan *plan, struct findings *findings, struct json *json,
                    struct err *err)
{
    struct findings before = {.errors = 0};
    world_start(&plan->world);
    struct engine *engine = plan->world.engine;
    if (!is_anybody_there(plan)) {
        assume_clients(plan);
    }
    engine_run(engine);
    if (!take_deletions(plan, err)) {
        return false;
    }
    findings_each(engine, findings_add, &before);
    plan_clients_before(&plan->clients, engine);
    plan_requests_before(&plan->requests, engine);

    try_change(plan);
    engine_run(engine);
    add_new_findings(engine, &before, findings);
    findings_release(&before);
    findings_sort(findings);
    findings_dump(findings, json);
    dump_objects(plan, json);
    dump_resources(engine, json);
    json_member_bool(json, "assumed", plan->assumed);
    plan_clients_after(&plan->clients, engine);
    plan_clients_dump(&plan->clients, json);
    plan_status_dump(engine, json);
    plan_requests_after(&plan->requests, engine);

    world_back(&plan->world);
    engine_run(engine);
    plan_requests_back(&plan->requests, engine, json);
    return true;
}

bool plan_write(struct plan *plan, struct json *json, struct err *err)
{
    struct findings findings = {.errors = 0};
    bool good = true;
    read_files(plan, &findings);
    json_open(json, '{');
    if (findings.errors > 0) {
        findings_sort(&findings);
        findings_dump(&findings, json);
    } else {
        good = compare(plan, &findings, json, err);
    }
    json_close(json, '}');
    findings_release(&findings);
    return good;
}
