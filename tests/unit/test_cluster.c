/* SPDX-License-Identifier: Apache-2.0 */
/* cluster: all kinds of an API server of ours, into a mesh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "ir/graph.h"
#include "mesh_rig.h"
#include "model/node.h"
#include "source/cluster.h"

#define META(more) "\"metadata\":{\"namespace\":\"a\",\"name\":" more "}"
#define SERVICE                                                                                    \
    "{" META("\"s\",\"resourceVersion\":\"5\"") ",\"spec\":{\"clusterIP\":\"10.0.0.1\","           \
                                                "\"clusterIPs\":[\"10.0.0.1\"],\"ports\":[{"       \
                                                "\"port\":80,\"appProtocol\":\"http\","            \
                                                "\"protocol\":\"TCP\",\"targetPort\":8080}],"      \
                                                "\"sessionAffinity\":\"None\"},"                   \
                                                "\"status\":{\"loadBalancer\":{}}}"
#define ROUTE(version, generation, rules)                                                          \
    "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"HTTPRoute\"," META(               \
        "\"r\",\"resourceVersion\":\"" version                                                     \
        "\",\"generation\":" generation) ",\"spec\":{\"parentRefs\":[{\"group\":\"\",\"kind\":"    \
                                         "\"Service\",\"name\":\"s\"}]," rules                     \
                                         "},\"status\":{\"parents\":[]}}"
#define GOOD "\"rules\":[{\"matches\":[{\"path\":{\"type\":\"PathPrefix\",\"value\":\"/a\"}}]}]"
#define LATER "\"later\":1"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    struct cluster *cluster;
    struct mesh *mesh;
    struct buf told; /* seen and gone */
    unsigned batches;
    const char *missing;     /* plural that is not there */
    const char *silent;      /* plural that is not answered */
    struct ask *held;        /* the list of it */
    struct ask *route_watch; /* the watch of HTTPRoutes */
};

/* --- the API server ------------------------------------------------------------------------ */

/* Of Nodes and Namespaces only metadata come, as they are asked for. */
static void check_accepted(const struct ask *ask, bool list)
{
    bool metadata =
        strstr(ask->path, "/nodes?") != NULL || strstr(ask->path, "/namespaces?") != NULL;
    char wanted[256];
    snprintf(wanted, sizeof(wanted),
             "application/json;as=PartialObjectMetadata%s;g=meta.k8s.io;v=v1", list ? "List" : "");
    assert_string_equal(ask->accept, metadata ? wanted : "application/json");
}

#define NODE                                                                                       \
    "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{"         \
    "\"name\":\"n\",\"resourceVersion\":\"4\",\"labels\":{"                                        \
    "\"topology.kubernetes.io/zone\":\"z\"},\"managedFields\":[{}]}}"

static void answer_list(struct ask *ask)
{
    check_accepted(ask, true);
    if (strstr(ask->path, "/nodes?") != NULL) {
        api_reply(ask, 200,
                  "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\","
                  "\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" NODE "]}");
        return;
    }
    if (strstr(ask->path, "/secrets?") != NULL) {
        assert_non_null(strstr(ask->path, "fieldSelector=type%3Dkubernetes.io%2Ftls"));
    }
    const char *items = strstr(ask->path, "/services?") != NULL     ? SERVICE
                        : strstr(ask->path, "/httproutes?") != NULL ? ROUTE("6", "1", GOOD)
                                                                    : "";
    char body[4096];
    snprintf(body, sizeof(body),
             "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"9\"},"
             "\"items\":[%s]}",
             items);
    api_reply(ask, 200, body);
}

static void answer(void *user, struct ask *ask)
{
    struct rig *rig = user;
    if (rig->missing != NULL && strstr(ask->path, rig->missing) != NULL) {
        api_reply(ask, 404, "404 page not found");
    } else if (strstr(ask->path, "watch=true") != NULL) {
        rig->route_watch = strstr(ask->path, "/httproutes?") != NULL ? ask : rig->route_watch;
        check_accepted(ask, false);
        api_begin(ask);
    } else if (rig->silent != NULL && strstr(ask->path, rig->silent) != NULL) {
        rig->held = ask;
    } else {
        answer_list(ask);
    }
}

/* --- what is told -------------------------------------------------------------------------- */

static void on_put(void *user, struct object *object, struct str key)
{
    mesh_put(((struct rig *)user)->mesh, object, key);
}

static void on_fault(void *user, struct fault *fault, struct str key)
{
    mesh_put_fault(((struct rig *)user)->mesh, fault, key);
}

static void on_removed(void *user, enum kind_id kind, struct str key)
{
    mesh_remove(((struct rig *)user)->mesh, kind, key);
}

static void on_seen(void *user, enum kind_id kind, struct str ns, struct str name,
                    const struct doc_node *object)
{
    struct rig *rig = user;
    const struct doc_node *version =
        doc_get(doc_get(object, STR("metadata")), STR("resourceVersion"));
    assert_true(kind == KIND_NODE || doc_get(object, STR("status")) != NULL);
    buf_printf(&rig->told, "%s %.*s/%.*s@%.*s ", kind_info(kind)->kind, STR_FMT(ns), STR_FMT(name),
               STR_FMT(version->text));
}

static void on_gone(void *user, enum kind_id kind, struct str ns, struct str name)
{
    struct rig *rig = user;
    buf_printf(&rig->told, "-%s %.*s/%.*s ", kind_info(kind)->kind, STR_FMT(ns), STR_FMT(name));
}

static void on_batch(void *user)
{
    ((struct rig *)user)->batches++;
}

static void start(struct rig *rig)
{
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
    rig->kube = api_kube(rig->api);
    rig->mesh = rig_mesh();
    rig_open_with(rig->mesh, 1, "sidecar/a/app", "envoy", "");
    buf_init(&rig->told, BUF_UNLIMITED);
    const struct cluster_events events = {
        .user = rig,
        .put = on_put,
        .fault = on_fault,
        .removed = on_removed,
        .seen = on_seen,
        .gone = on_gone,
        .batch = on_batch,
    };
    rig->cluster = cluster_start(rig->kube, &events);
}

static void stop(struct rig *rig)
{
    cluster_stop(rig->cluster);
    kube_free(rig->kube);
    api_free(rig->api);
    mesh_free(rig->mesh);
    buf_release(&rig->told);
    loop_release(&rig->loop);
}

/* Until something more was told, and once more, for what else is there. */
static void turn_loop(struct rig *rig, unsigned batches)
{
    while (rig->batches < batches) {
        uv_run(&rig->loop.uv, UV_RUN_ONCE);
    }
    uv_run(&rig->loop.uv, UV_RUN_NOWAIT);
    rig_turn(rig->mesh);
}

static void sync_all(struct rig *rig)
{
    while (!cluster_synced(rig->cluster) || rig->route_watch == NULL) {
        uv_run(&rig->loop.uv, UV_RUN_ONCE);
    }
    rig_turn(rig->mesh);
}

static void say(struct rig *rig, const char *event)
{
    unsigned batches = rig->batches;
    api_say(rig->route_watch, event);
    turn_loop(rig, batches + 1);
}

/* --- the tests ----------------------------------------------------------------------------- */

/* What comes from an API server says the same as what stands in a file. */
static void same_as_from_a_file(void **state)
{
    struct rig rig = {.missing = NULL};
    (void)state;
    start(&rig);
    sync_all(&rig);
    struct mesh *mesh = rig_mesh();
    rig_open_with(mesh, 1, "sidecar/a/app", "envoy", "");
    rig_apply(mesh, "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: a}\n"
                    "spec:\n  clusterIP: 10.0.0.1\n"
                    "  ports: [{port: 80, targetPort: 8080, appProtocol: http}]\n---\n"
                    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
                    "metadata: {name: r, namespace: a}\nspec:\n"
                    "  parentRefs: [{group: '', kind: Service, name: s}]\n"
                    "  rules: [{matches: [{path: {value: /a}}]}]\n");
    rig_turn(mesh);
    struct rig_resources ours, theirs;
    rig_collect(rig.mesh, &ours);
    rig_collect(mesh, &theirs);
    assert_int_equal(ours.all.len, theirs.all.len);
    assert_in_range(ours.all.len, 4, 64);
    for (size_t i = 0; i < ours.all.len; i++) {
        assert_true(str_eq(ours.all.items[i]->name, theirs.all.items[i]->name));
        assert_true(hash_eq(ours.all.items[i]->hash, theirs.all.items[i]->hash));
    }
    vec_release(&ours.all);
    vec_release(&theirs.all);
    mesh_free(mesh);
    stop(&rig);
}

static void whole_objects_are_shown(void **state)
{
    struct rig rig = {.missing = NULL};
    (void)state;
    start(&rig);
    sync_all(&rig);
    struct str told = buf_str(&rig.told);
    assert_true(str_contains(told, STR("Service a/s@5 ")));
    assert_true(str_contains(told, STR("HTTPRoute a/r@6 ")));
    buf_clear(&rig.told);
    say(&rig, EVENT("MODIFIED", ROUTE("7", "2", LATER)));
    say(&rig, EVENT("DELETED", ROUTE("8", "2", LATER)));
    assert_true(str_eq(buf_str(&rig.told), STR("HTTPRoute a/r@7 -HTTPRoute a/r ")));
    stop(&rig);
}

/* Complete is what has all kinds; one that the cluster does not have is none to wait for. */
static void complete_once_every_kind_is(void **state)
{
    struct rig rig = {.missing = "/xmeshes", .silent = "/endpointslices?"};
    (void)state;
    start(&rig);
    while (rig.held == NULL || rig.batches < KIND_COUNT - 1) {
        uv_run(&rig.loop.uv, UV_RUN_ONCE);
    }
    assert_false(cluster_synced(rig.cluster));
    assert_int_equal(cluster_kinds_missing(rig.cluster), 1);
    rig.silent = NULL;
    answer_list(rig.held);
    sync_all(&rig);
    assert_int_equal(mesh_objects(rig.mesh), 3);
    stop(&rig);
}

static void faults_come_and_go(void **state)
{
    struct rig rig = {.missing = NULL};
    (void)state;
    start(&rig);
    sync_all(&rig);
    say(&rig, EVENT("MODIFIED", ROUTE("7", "2", LATER)));
    assert_int_equal(mesh_faults(rig.mesh), 1);
    assert_int_equal(mesh_objects(rig.mesh), 3); /* what was there stays */
    say(&rig, EVENT("MODIFIED", ROUTE("8", "3", GOOD)));
    assert_int_equal(mesh_faults(rig.mesh), 0);
    say(&rig, EVENT("MODIFIED", ROUTE("9", "4", LATER)));
    say(&rig, EVENT("DELETED", ROUTE("10", "4", LATER)));
    assert_int_equal(mesh_faults(rig.mesh), 0);
    assert_int_equal(mesh_objects(rig.mesh), 2);
    stop(&rig);
}

/* Each write of a status comes back as an event. */
static void what_is_equal_wakes_nobody(void **state)
{
    struct rig rig = {.missing = NULL};
    (void)state;
    start(&rig);
    sync_all(&rig);
    uint64_t before = engine_evaluations(mesh_engine(rig.mesh));
    say(&rig, EVENT("MODIFIED", ROUTE("7", "1", GOOD)));
    assert_int_equal(engine_evaluations(mesh_engine(rig.mesh)), before);
    say(&rig, EVENT("MODIFIED", ROUTE("8", "2", "\"rules\":[{}]")));
    assert_in_range(engine_evaluations(mesh_engine(rig.mesh)), before + 1, before + 100);
    stop(&rig);
}

static void of_nodes_the_zone_is_known(void **state)
{
    struct rig rig = {.missing = NULL};
    (void)state;
    start(&rig);
    sync_all(&rig);
    const struct node_object *node =
        (const struct node_object *)engine_get(mesh_engine(rig.mesh), T_NODE, STR("n"));
    assert_non_null(node);
    assert_true(str_eq(node_zone(node), STR("z")));
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_from_a_file),         cmocka_unit_test(whole_objects_are_shown),
        cmocka_unit_test(complete_once_every_kind_is), cmocka_unit_test(faults_come_and_go),
        cmocka_unit_test(what_is_equal_wakes_nobody),  cmocka_unit_test(of_nodes_the_zone_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
