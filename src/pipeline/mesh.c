/* SPDX-License-Identifier: Apache-2.0 */
/* mesh: the control plane without its wires. */
#include "pipeline/mesh.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/metric.h"
#include "base/panic.h"
#include "ir/bundle.h"
#include "ir/client.h"
#include "ir/gateway.h"
#include "pipeline/clients.h"
#include "pipeline/elsewhere.h"
#include "pipeline/graph.h"
#include "pipeline/since.h"
#include "pipeline/turn.h"

struct mesh {
    struct engine *engine;
    struct status_store *status;
    struct clients clients;
    struct elsewhere elsewhere;
    struct since since;
    uint64_t seq;
    uint64_t evaluations, cutoffs; /* totals already counted in metrics */
    bool dirty;
    bool check;
};

static const unsigned tables_of_kinds[KIND_COUNT] = {
    [KIND_NAMESPACE] = T_NAMESPACE,
    [KIND_SERVICE] = T_SERVICE,
    [KIND_ENDPOINTSLICE] = T_SLICE,
    [KIND_HTTPROUTE] = T_ROUTE,
    [KIND_GRPCROUTE] = T_ROUTE,
    [KIND_TLSROUTE] = T_ROUTE,
    [KIND_TCPROUTE] = T_ROUTE,
    [KIND_REFERENCEGRANT] = T_GRANT,
    [KIND_XBACKENDTRAFFICPOLICY] = T_POLICY,
    [KIND_GATEWAYCLASS] = T_CLASS,
    [KIND_XMESH] = T_MESH,
    [KIND_GATEWAY] = T_GATEWAY,
    [KIND_LISTENERSET] = T_LISTENERSET,
    [KIND_UDPROUTE] = T_ROUTE,
    [KIND_BACKENDTLSPOLICY] = T_TLS_POLICY,
    [KIND_SECRET] = T_SECRET,
    [KIND_CONFIGMAP] = T_CONFIGMAP,
    [KIND_NODE] = T_NODE,
};

struct mesh *mesh_new(const struct mesh_settings *settings)
{
    struct mesh *mesh = xcalloc(1, sizeof(*mesh));
    mesh->engine = engine_new(&heddle_graph);
    mesh->status = status_store_new();
    mesh->check = settings->check;
    elsewhere_init(&mesh->elsewhere, mesh->engine);
    struct settings_row *row = row_new(sizeof(*row), 64);
    row->cluster_domain = arena_str(&row->row.arena, settings->cluster_domain);
    row->trust_domain = arena_str(&row->row.arena, settings->trust_domain);
    row->kubernetes = settings->kubernetes;
    row->authorities.items = ARENA_ARRAY(&row->row.arena, settings->authorities_len, struct str);
    for (size_t i = 0; i < settings->authorities_len; i++) {
        row->authorities.items[row->authorities.len++] =
            arena_str(&row->row.arena, str_from(settings->authorities[i]));
    }
    clients_init(&mesh->clients, mesh->engine, row);
    engine_put(mesh->engine, T_SETTINGS, STR(""), &row->row);
    mesh->dirty = true;
    return mesh;
}

void mesh_free(struct mesh *mesh)
{
    if (mesh == NULL) {
        return;
    }
    clients_release(&mesh->clients);
    elsewhere_release(&mesh->elsewhere);
    since_release(&mesh->since);
    status_store_free(mesh->status);
    engine_free(mesh->engine);
    free(mesh);
}

static void delete_fault(struct mesh *mesh, enum kind_id kind, struct str key)
{
    struct arena scratch;
    arena_init_sized(&scratch, OBJECT_KEY_MAX);
    engine_delete(mesh->engine, T_FAULT, fault_key(&scratch, kind, key));
    arena_release(&scratch);
}

/* What is equal to before is no reason of anything; the engine finds so, too, when it is its turn.
 */
void mesh_put(struct mesh *mesh, struct object *object, struct str key)
{
    unsigned table = tables_of_kinds[object->kind];
    const struct row *before = engine_get(mesh->engine, table, key);
    if (before == NULL || !object_equal(before, &object->row)) {
        since_note(&mesh->since, str_from(kind_info(object->kind)->kind), key);
    }
    delete_fault(mesh, object->kind, key);
    engine_put(mesh->engine, table, key, &object->row);
    mesh->dirty = true;
}

void mesh_remove(struct mesh *mesh, enum kind_id kind, struct str key)
{
    since_note(&mesh->since, str_from(kind_info(kind)->kind), key);
    delete_fault(mesh, kind, key);
    engine_delete(mesh->engine, tables_of_kinds[kind], key);
    mesh->dirty = true;
}

void mesh_put_placed(struct mesh *mesh, struct str key, struct placed_row *row)
{
    if (row != NULL) {
        engine_put(mesh->engine, T_PLACED, key, &row->row);
    } else {
        engine_delete(mesh->engine, T_PLACED, key);
    }
    mesh->dirty = true;
}

void mesh_put_bundle(struct mesh *mesh, struct str crd, struct bundle_row *row)
{
    engine_put(mesh->engine, T_BUNDLE, crd, &row->row);
    mesh->dirty = true;
}

void mesh_put_fault(struct mesh *mesh, struct fault *fault, struct str key)
{
    struct arena scratch;
    arena_init_sized(&scratch, OBJECT_KEY_MAX);
    engine_put(mesh->engine, T_FAULT, fault_key(&scratch, (enum kind_id)fault->kind, key),
               &fault->row);
    mesh->dirty = true;
    arena_release(&scratch);
}

/* What was put since the last turn counts, too: the answer of another replica may come between an
 * event and its turn. Of several answers the youngest does. A generation that the fault has not
 * reached is that of an object that had the name before. */
static bool is_missing(const struct mesh *mesh, const struct object *object, struct str key)
{
    struct arena scratch;
    unsigned table = tables_of_kinds[object->kind];
    arena_init_sized(&scratch, OBJECT_KEY_MAX);
    const struct fault *fault = (const struct fault *)engine_latest(
        mesh->engine, T_FAULT, fault_key(&scratch, object->kind, key));
    const struct object *latest = (const struct object *)engine_latest(mesh->engine, table, key);
    arena_release(&scratch);
    return fault != NULL && object->meta.generation <= fault->generation &&
           engine_get(mesh->engine, table, key) == NULL &&
           (latest == NULL || latest->meta.generation < object->meta.generation);
}

bool mesh_put_standing(struct mesh *mesh, struct object *object, struct str key)
{
    if (!is_missing(mesh, object, key)) {
        row_unref(&object->row, NULL);
        return false;
    }
    since_note(&mesh->since, str_from(kind_info(object->kind)->kind), key);
    engine_put(mesh->engine, tables_of_kinds[object->kind], key, &object->row);
    mesh->dirty = true;
    return true;
}

const struct fault *mesh_fault(const struct mesh *mesh, enum kind_id kind, struct str key)
{
    struct arena scratch;
    arena_init_sized(&scratch, OBJECT_KEY_MAX);
    const struct row *row = engine_get(mesh->engine, T_FAULT, fault_key(&scratch, kind, key));
    arena_release(&scratch);
    return (const struct fault *)row;
}

size_t mesh_faults(const struct mesh *mesh)
{
    return engine_count(mesh->engine, T_FAULT);
}

unsigned mesh_table(enum kind_id kind)
{
    return tables_of_kinds[kind];
}

size_t mesh_objects(const struct mesh *mesh)
{
    static const unsigned tables[] = {
        T_NAMESPACE, T_SERVICE, T_SLICE,       T_ROUTE,      T_GRANT,  T_POLICY,    T_CLASS,
        T_MESH,      T_GATEWAY, T_LISTENERSET, T_TLS_POLICY, T_SECRET, T_CONFIGMAP, T_NODE};
    size_t count = 0;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        count += engine_count(mesh->engine, tables[i]);
    }
    return count;
}

bool mesh_open(struct mesh *mesh, stream_id id, struct node *node,
               const struct mesh_client **ret_client, struct err *err)
{
    mesh->dirty = true;
    return clients_open(&mesh->clients, id, node, ret_client, err);
}

void mesh_close(struct mesh *mesh, stream_id id)
{
    mesh->dirty = true;
    clients_close(&mesh->clients, id);
}

const struct mesh_client *mesh_client(const struct mesh *mesh, stream_id id)
{
    return clients_get(&mesh->clients, id);
}

size_t mesh_clients(const struct mesh *mesh)
{
    return mesh->clients.by_id.len;
}

void mesh_each_client(const struct mesh *mesh, mesh_client_fn *visit, void *user)
{
    clients_each(&mesh->clients, visit, user);
}

void mesh_interest(struct mesh *mesh, struct str scope, struct str name, bool wanted)
{
    mesh->dirty = true;
    clients_interest(&mesh->clients, scope, name, wanted);
}

void mesh_rejected(struct mesh *mesh, stream_id id, enum xds_type type,
                   const struct resource *const *of, size_t nof, struct str text)
{
    mesh->dirty = true;
    clients_rejected(&mesh->clients, id, type, of, nof, text);
}

void mesh_accepted(struct mesh *mesh, stream_id id, enum xds_type type,
                   const struct resource *const *of, size_t nof)
{
    mesh->dirty = true;
    clients_accepted(&mesh->clients, id, type, of, nof);
}

void mesh_dropped(struct mesh *mesh, stream_id id, enum xds_type type, struct str name)
{
    mesh->dirty = true;
    clients_dropped(&mesh->clients, id, type, name);
}

void mesh_tell_others(const struct mesh *mesh, struct buf *out)
{
    elsewhere_tell(mesh->engine, out);
}

void mesh_hear_other(struct mesh *mesh, struct str address, struct str answer, uint64_t now_ms)
{
    mesh->dirty |= elsewhere_hear(&mesh->elsewhere, address, answer, now_ms);
}

void mesh_forget_others(struct mesh *mesh, uint64_t since_ms)
{
    mesh->dirty |= elsewhere_forget(&mesh->elsewhere, since_ms);
}

bool mesh_others_reject(const struct mesh *mesh)
{
    return elsewhere_rejects(&mesh->elsewhere);
}

static void count_turn(struct mesh *mesh, uint64_t started)
{
    uint64_t evaluations = 0;
    uint64_t cutoffs = 0;
    for (unsigned i = 0; i < TABLE_COUNT; i++) {
        struct table_stats stats = engine_stats(mesh->engine, i);
        evaluations += stats.evaluations;
        cutoffs += stats.cutoffs;
    }
    metric_add(M_turns, 1);
    metric_add(M_turn_ns, (int64_t)(clock_mono_ns() - started));
    metric_add(M_evaluations, (int64_t)(evaluations - mesh->evaluations));
    metric_add(M_cutoffs, (int64_t)(cutoffs - mesh->cutoffs));
    mesh->evaluations = evaluations;
    mesh->cutoffs = cutoffs;
}

static void prove(const struct mesh *mesh)
{
    struct buf diff;
    buf_init(&diff, 1u << 20);
    if (!engine_check(mesh->engine, &diff)) {
        panic("the incremental state differs from a rebuild: %.*s", STR_FMT(buf_str(&diff)));
    }
    buf_release(&diff);
}

struct changeset *mesh_turn(struct mesh *mesh)
{
    if (!mesh->dirty) {
        return NULL;
    }
    mesh->dirty = false;
    uint64_t started = clock_mono_ns();
    engine_run(mesh->engine);
    uint64_t now = clock_wall_ms();
    const struct row_changes routings[] = {
        engine_changes(mesh->engine, T_ROUTING),
        engine_changes(mesh->engine, T_GATEWAY_ROUTING),
        engine_changes(mesh->engine, T_GATEWAY_L4),
    };
    since_turn(&mesh->since, routings, sizeof(routings) / sizeof(routings[0]), now);
    for (unsigned i = 0; i < status_tables_len; i++) {
        status_store_apply(mesh->status, engine_changes(mesh->engine, status_tables[i]), now);
    }
    struct changeset *changeset = turn_changeset(mesh->engine, mesh->seq + 1);
    if (changeset != NULL) {
        mesh->seq++;
    }
    count_turn(mesh, started);
    if (mesh->check) {
        prove(mesh);
    }
    return changeset;
}

bool mesh_dirty(const struct mesh *mesh)
{
    return mesh->dirty;
}

const struct engine *mesh_engine(const struct mesh *mesh)
{
    return mesh->engine;
}

const struct status_store *mesh_status(const struct mesh *mesh)
{
    return mesh->status;
}

void mesh_watch_status(struct mesh *mesh, status_changed_fn *changed, void *user)
{
    status_store_watch(mesh->status, changed, user);
}

void mesh_propagation(struct mesh *mesh, const struct propagation *propagation)
{
    status_store_propagation(mesh->status, propagation);
}

const struct since *mesh_since(const struct mesh *mesh)
{
    return &mesh->since;
}
