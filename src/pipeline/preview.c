/* SPDX-License-Identifier: Apache-2.0 */
/* preview: gathers the neighbours in two steps, since the first run tells who they are. */
#include "pipeline/preview.h"

#include <string.h>

#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/policy.h"
#include "pipeline/findings.h"
#include "pipeline/graph.h"
#include "pipeline/mesh.h"
#include "resolve/rule.h"

struct preview {
    struct table_spec tables[TABLE_COUNT];
    struct graph graph;
    const struct engine *from;
    struct engine *engine; /* of the neighbours */
    unsigned table;        /* that is copied */
    const struct object *object;
    struct str key;
    struct str title; /* as findings name the object */
    struct arena arena;
    void (*visit)(void *user, const struct problem *problem);
    void *user;
};

/* The graph up to where findings read it: nothing is encoded, since nobody is sent it. What would
 * be gets its keys from a table that is empty here. */
static void cut_graph(struct preview *preview)
{
    memcpy(preview->tables, heddle_graph.tables, sizeof(preview->tables));
    preview->graph = heddle_graph;
    preview->graph.tables = preview->tables;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        bool encoded = i == T_ENVOY_VHOST || i == T_GRPC_VHOST;
        for (unsigned j = 0; j < resource_tables_len; j++) {
            encoded = encoded || resource_tables[j] == i;
        }
        if (encoded) {
            memset(preview->tables[i].sources, 0, sizeof(preview->tables[i].sources));
            preview->tables[i].sources[0] = (struct key_source){KEYS_OF_TABLE, T_INTEREST};
        }
    }
}

static void copy_row(void *user, struct str key, const struct row *row)
{
    struct preview *preview = user;
    engine_put(preview->engine, preview->table, key, row_ref(row));
}

static void copy_table(struct preview *preview, unsigned table)
{
    preview->table = table;
    engine_each_unordered(preview->from, table, copy_row, preview);
}

/* --- who is a neighbour ---------------------------------------------------------------------- */

/* "ns/svc" of "ns/svc:port" or "ns/svc:port@client-ns". */
static struct str service_of(struct str port)
{
    return str_sub(port, 0, str_index(port, ':'));
}

static void add_service(struct preview *preview, struct str ns, struct str name)
{
    struct str home = ns.len > 0 ? ns : preview->object->meta.ns;
    struct str key = arena_printf(&preview->arena, "%.*s/%.*s", STR_FMT(home), STR_FMT(name));
    const struct row *service = engine_get(preview->from, T_SERVICE, key);
    if (service != NULL) {
        engine_put(preview->engine, T_SERVICE, key, row_ref(service));
    }
}

static void add_mirrored(struct preview *preview, struct str ns, const struct filter *filters,
                         size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (filters[i].mirror != NULL) {
            const struct object_ref *ref = &filters[i].mirror->backend;
            add_service(preview, ref->ns.len > 0 ? ref->ns : ns, ref->name);
        }
    }
}

/* Parents, backends and mirrors; what is no Service has no such name, or it does not matter. */
static void add_named(struct preview *preview, const struct route *route)
{
    struct str ns = route->object.meta.ns;
    for (size_t i = 0; i < route->parents.len; i++) {
        const struct parent_ref *ref = &route->parents.items[i];
        add_service(preview, ref->ns.len > 0 ? ref->ns : ns, ref->name);
    }
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct rule_view rule = route_rule(route, i);
        add_mirrored(preview, ns, rule.filters, rule.filters_len);
        for (size_t j = 0; j < rule.backends_len; j++) {
            const struct backend_ref *backend = &rule.backends[j];
            add_service(preview, backend->ref.ns.len > 0 ? backend->ref.ns : ns, backend->ref.name);
            add_mirrored(preview, ns, backend->filters.items, backend->filters.len);
        }
    }
}

static void add_slices(struct preview *preview, struct str service)
{
    struct row_span slices = engine_group(preview->from, X_SLICES_OF_SERVICE, service);
    for (size_t i = 0; i < slices.len; i++) {
        const struct object *slice = (const struct object *)slices.rows[i];
        engine_put(preview->engine, T_SLICE, object_key(&preview->arena, slice),
                   row_ref(&slice->row));
    }
}

/* Routes that govern this port, but for the present version of the object itself. */
static void add_routes(struct preview *preview, struct str port)
{
    struct row_span attached = engine_group(preview->from, X_ATTACHED, port);
    for (size_t i = 0; i < attached.len; i++) {
        struct str key = ((const struct attachment *)attached.rows[i])->key;
        const struct row *route = engine_get(preview->from, T_ROUTE, key);
        if (route != NULL && !str_eq(key, preview->key)) {
            engine_put(preview->engine, T_ROUTE, key, row_ref(route));
            add_named(preview, (const struct route *)route);
        }
    }
}

static void add_backends(struct preview *preview, const struct attached_backend *backends,
                         size_t len)
{
    for (size_t i = 0; i < len; i++) {
        add_slices(preview, service_of(backends[i].cluster));
    }
}

static void add_of_route(struct preview *preview)
{
    const struct attachment *attachment =
        (const struct attachment *)engine_get(preview->engine, T_ATTACHMENT, preview->key);
    if (attachment == NULL) {
        return;
    }
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->ports.len; j++) {
            add_slices(preview, service_of(parent->ports.items[j]));
            add_routes(preview, parent->ports.items[j]);
        }
    }
    add_backends(preview, attachment->backends.items, attachment->backends.len);
    add_backends(preview, attachment->mirrors.items, attachment->mirrors.len);
}

static void add_of_policy(struct preview *preview)
{
    const struct backend_policy *policy = (const struct backend_policy *)preview->object;
    struct str ns = preview->object->meta.ns;
    for (size_t i = 0; i < policy->targets.len; i++) {
        struct str name = policy->targets.items[i].name;
        add_service(preview, ns, name);
        add_slices(preview, arena_printf(&preview->arena, "%.*s/%.*s", STR_FMT(ns), STR_FMT(name)));
    }
}

/* --- the findings ---------------------------------------------------------------------------- */

static void found(void *user, struct str file, const struct problem *problem)
{
    const struct preview *preview = user;
    (void)file;
    if (str_eq(problem->object, preview->title)) {
        preview->visit(preview->user, problem);
    }
}

static size_t run(struct preview *preview, bool route)
{
    static const unsigned whole[] = {T_SETTINGS, T_NAMESPACE, T_GRANT, T_POLICY};
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        copy_table(preview, whole[i]);
    }
    engine_put(preview->engine, route ? T_ROUTE : T_POLICY, preview->key,
               row_ref(&preview->object->row));
    if (route) {
        add_named(preview, (const struct route *)preview->object);
        engine_run(preview->engine);
        add_of_route(preview);
    } else {
        add_of_policy(preview);
    }
    engine_run(preview->engine);
    findings_among(preview->engine, preview->from, found, preview);
    return (size_t)engine_evaluations(preview->engine);
}

size_t preview_findings(const struct engine *engine, const struct object *object, struct str key,
                        void (*visit)(void *user, const struct problem *problem), void *user)
{
    unsigned table = mesh_table(object->kind);
    if (table != T_ROUTE && table != T_POLICY) {
        return 0;
    }
    struct preview preview = {
        .from = engine,
        .object = object,
        .key = key,
        .visit = visit,
        .user = user,
    };
    arena_init(&preview.arena);
    cut_graph(&preview);
    preview.engine = engine_new(&preview.graph);
    preview.title = arena_printf(&preview.arena, "%s %.*s/%.*s", kind_info(object->kind)->kind,
                                 STR_FMT(object->meta.ns), STR_FMT(object->meta.name));
    size_t evaluations = run(&preview, table == T_ROUTE);
    engine_free(preview.engine);
    arena_release(&preview.arena);
    return evaluations;
}
