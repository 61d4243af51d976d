/* SPDX-License-Identifier: Apache-2.0 */
/* test_plan: what clients would be sent, against what there is once the change is made; and that a
 * plan may be made while the mesh that it is made from goes on. What a plan says of objects, status
 * and requests is in tests/plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <uv.h>

#include "mesh_rig.h"
#include "pipeline/plan.h"

#define SERVICE(name, ip, protocol)                                                                \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: a}\n"               \
    "spec: {clusterIP: " ip ", ports: [{name: p, port: 80, appProtocol: " protocol "}]}\n"         \
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"                                  \
    "metadata: {name: " name "-1, namespace: a, labels: {kubernetes.io/service-name: " name "}}\n" \
    "addressType: IPv4\nports: [{name: p, port: 3000}]\nendpoints: [{addresses: [10.9.0.1]}]\n"
#define ROUTE(kind, name, ns, to)                                                                  \
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: " kind "\n"                              \
    "metadata: {name: " name ", namespace: " ns "}\nspec:\n"                                       \
    "  parentRefs: [{group: \"\", kind: Service, name: web, namespace: a}]\n"                      \
    "  rules: [{backendRefs: [{name: " to ", namespace: a, port: 80}]}]\n"
#define MESH                                                                                       \
    SERVICE("web", "127.1.0.1", "http")                                                            \
    SERVICE("one", "127.1.0.2", "http")                                                            \
    SERVICE("two", "127.1.0.3", "http") ROUTE("HTTPRoute", "web", "a", "one")

#define LISTENER "web.a.svc.cluster.local:80"

enum { DELTA = 1, SOTW, ELSEWHERE, PROXYLESS, IDLE };

static const struct mesh_client *clients[6];

/* Five clients; the last has dialled nothing. */
static struct mesh *mesh_with_clients(const char *yaml)
{
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, yaml);
    clients[DELTA] = rig_open(mesh, DELTA, "sidecar/a/delta", "envoy");
    clients[SOTW] = rig_open(mesh, SOTW, "sidecar/a/sotw", "envoy");
    clients[ELSEWHERE] = rig_open(mesh, ELSEWHERE, "sidecar/b/delta", "envoy");
    clients[PROXYLESS] = rig_open(mesh, PROXYLESS, "proxyless/a/app", "gRPC Go");
    clients[IDLE] = rig_open(mesh, IDLE, "proxyless/a/idle", "gRPC Go");
    mesh_interest(mesh, STR("grpc.go"), STR(LISTENER), true);
    rig_turn(mesh);
    return mesh;
}

static struct plan *plan_of(const struct mesh *mesh)
{
    static const struct str listener = STR(LISTENER);
    struct plan *plan = plan_new(mesh);
    for (int i = DELTA; i <= IDLE; i++) {
        bool sotw = i != DELTA && i != ELSEWHERE;
        plan_client(plan, clients[i], sotw ? STREAM_SOTW : STREAM_DELTA, &listener,
                    i == PROXYLESS ? 1 : 0);
    }
    return plan;
}

static json_t *written(struct plan *plan)
{
    struct buf out;
    struct json json;
    struct err err;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    assert_true(plan_write(plan, &json, &err));
    json_t *said = json_loadb((const char *)out.data, out.len, 0, NULL);
    assert_non_null(said);
    buf_release(&out);
    plan_free(plan);
    return said;
}

static json_t *plan_change(const struct mesh *mesh, const char *yaml, const char *deleted)
{
    struct plan *plan = plan_of(mesh);
    plan_text(plan, STR("change.yaml"), str_from(yaml));
    if (deleted != NULL) {
        plan_delete(plan, str_from(deleted));
    }
    return written(plan);
}

/* A cluster fills in what a file does not say: that is no change, nor is what is new the oldest. */
static void test_applied_to_a_cluster(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh,
              "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: a, generation: 4,"
              " creationTimestamp: '2026-01-01T00:00:00Z'}\nspec:\n  clusterIP: 10.0.0.1\n"
              "  ipFamilies: [IPv4]\n"
              "  ports: [{port: 80, targetPort: 80, appProtocol: http}]\n---\n"
              "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
              "metadata: {name: z, namespace: a, creationTimestamp: '2026-01-01T00:00:00Z'}\n"
              "spec:\n  parentRefs: [{group: '', kind: Service, name: s}]\n");
    rig_turn(mesh);
    for (int cluster = 0; cluster < 2; cluster++) {
        struct plan *plan = plan_new(mesh);
        if (cluster) {
            plan_applied(plan, 1800000000);
        }
        plan_text(plan, STR("change.yaml"),
                  STR("apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: a}\nspec:\n"
                      "  ports: [{port: 80, appProtocol: http}]\n---\n"
                      "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
                      "metadata: {name: a, namespace: a}\nspec:\n"
                      "  parentRefs: [{group: '', kind: Service, name: s}]\n"
                      "  rules: [{matches: [{path: {value: /}}],"
                      " filters: [{type: RequestRedirect, requestRedirect: {port: 1}}]}]\n"));
        json_t *said = written(plan);
        const json_t *service = json_array_get(json_object_get(said, "objects"), 0);
        assert_string_equal(json_string_value(json_object_get(service, "change")),
                            cluster ? "unchanged" : "changed");
        assert_int_equal(json_array_size(json_object_get(said, "requests")) == 0, cluster);
        json_decref(said);
    }
    mesh_free(mesh);
}

/* --- what is expected ----------------------------------------------------------------------- */

struct sent {
    size_t resources, removed, bytes;
};

static size_t size_of(const struct resource *resource, bool sotw)
{
    assert_non_null(resource);
    return resource->entry->len - (sotw ? resource->any_at : 0);
}

/* Adds a resource as it is now. */
static void add(struct sent *sent, const struct mesh *mesh, enum xds_type type, const char *scope,
                const char *name, bool sotw)
{
    sent->resources++;
    sent->bytes += size_of(rig_resource(mesh, type, scope, name), sotw);
}

/* All that stand in a scope, as it is now. */
static void add_all(struct sent *sent, const struct mesh *mesh, enum xds_type type,
                    const char *scope)
{
    struct rig_resources list;
    rig_collect(mesh, &list);
    for (size_t i = 0; i < list.all.len; i++) {
        const struct resource *resource = list.all.items[i];
        if (resource->type == type && str_eq(resource->scope, str_from(scope))) {
            sent->resources++;
            sent->bytes += size_of(resource, true);
        }
    }
    vec_release(&list.all);
}

static size_t number(const json_t *object, const char *key)
{
    return (size_t)json_integer_value(json_object_get(object, key));
}

/* sent NULL: the client is not told of. */
static void assert_sent(const json_t *said, const char *node, const struct sent *sent)
{
    size_t i;
    const json_t *client;
    bool found = false;
    json_array_foreach(json_object_get(said, "clients"), i, client)
    {
        if (strcmp(json_string_value(json_object_get(client, "node")), node) == 0) {
            found = true;
            assert_non_null(sent);
            assert_int_equal(number(client, "resources"), sent->resources);
            assert_int_equal(number(client, "removed"), sent->removed);
            assert_int_equal(number(client, "bytes"), sent->bytes);
        }
    }
    assert_int_equal(found, sent != NULL);
    assert_int_equal(number(said, "connected"), 5);
}

/* --- tests ---------------------------------------------------------------------------------- */

/* A RouteConfiguration of each dialect; where a consumer has one of his own, not to him. */
static void test_route_changes(void **state)
{
    struct mesh *mesh = mesh_with_clients(MESH ROUTE("HTTPRoute", "mine", "b", "two"));
    json_t *said = plan_change(mesh, ROUTE("HTTPRoute", "web", "a", "two"), NULL);
    struct sent delta = {0}, sotw = {0}, proxyless = {0};
    (void)state;
    /* gRPC names all its clusters again, the one that it has no more use for among them */
    add(&proxyless, mesh, XDS_CDS, "grpc", "a/one:80", true);
    rig_apply(mesh, ROUTE("HTTPRoute", "web", "a", "two"));
    assert_int_equal(rig_turn(mesh), 2);
    add(&delta, mesh, XDS_RDS, "envoy", "a/web:80", false);
    add(&sotw, mesh, XDS_RDS, "envoy", "a/web:80", true);
    add(&proxyless, mesh, XDS_RDS, "grpc", "a/web:80", true);
    add(&proxyless, mesh, XDS_CDS, "grpc", "a/two:80", true);
    add(&proxyless, mesh, XDS_EDS, "all", "a/two:80", true);
    assert_sent(said, "sidecar/a/delta", &delta);
    assert_sent(said, "sidecar/a/sotw", &sotw);
    assert_sent(said, "sidecar/b/delta", NULL);
    assert_sent(said, "proxyless/a/app", &proxyless);
    assert_sent(said, "proxyless/a/idle", NULL);
    json_decref(said);
    mesh_free(mesh);
}

/* A cluster that is sent again is followed by its endpoints; SotW has all clusters again. */
static void test_cluster_changes(void **state)
{
    struct mesh *mesh = mesh_with_clients(MESH);
    json_t *said = plan_change(mesh, SERVICE("two", "127.1.0.3", "grpc"), NULL);
    struct sent delta = {0}, sotw = {0};
    (void)state;
    rig_apply(mesh, SERVICE("two", "127.1.0.3", "grpc"));
    rig_turn(mesh);
    add(&delta, mesh, XDS_CDS, "envoy", "a/two:80", false);
    add(&delta, mesh, XDS_EDS, "all", "a/two:80", false);
    add_all(&sotw, mesh, XDS_CDS, "envoy");
    add_all(&sotw, mesh, XDS_CDS, "sidecar.redirect");
    add(&sotw, mesh, XDS_EDS, "all", "a/two:80", true);
    assert_sent(said, "sidecar/a/delta", &delta);
    assert_sent(said, "sidecar/b/delta", &delta);
    assert_sent(said, "sidecar/a/sotw", &sotw);
    assert_sent(said, "proxyless/a/app", NULL);
    json_decref(said);
    mesh_free(mesh);
}

static void test_service_goes(void **state)
{
    struct mesh *mesh = mesh_with_clients(MESH);
    json_t *said = plan_change(mesh, "", "Service/a/two");
    struct sent delta = {.removed = 4}; /* one of each type */
    struct sent sotw = {.removed = 2};  /* in the state of the world: what is left out */
    (void)state;
    rig_delete(mesh, KIND_SERVICE, "a/two");
    rig_turn(mesh);
    add_all(&sotw, mesh, XDS_CDS, "envoy");
    add_all(&sotw, mesh, XDS_CDS, "sidecar.redirect");
    add_all(&sotw, mesh, XDS_LDS, "sidecar.redirect");
    assert_sent(said, "sidecar/a/delta", &delta);
    assert_sent(said, "sidecar/a/sotw", &sotw);
    assert_sent(said, "proxyless/a/app", NULL);
    json_decref(said);
    mesh_free(mesh);
}

/* The mesh has the same rows and resources afterwards, and no turn was made. */
static void test_the_mesh_is_left_alone(void **state)
{
    struct mesh *mesh = mesh_with_clients(MESH);
    const struct row *route = engine_get(mesh_engine(mesh), T_ROUTE, STR("HTTPRoute/a/web"));
    uint64_t evaluations = engine_evaluations(mesh_engine(mesh));
    (void)state;
    json_decref(plan_change(mesh, ROUTE("HTTPRoute", "web", "a", "two"), "Service/a/one"));
    assert_false(mesh_dirty(mesh));
    assert_int_equal(engine_evaluations(mesh_engine(mesh)), evaluations);
    assert_ptr_equal(engine_get(mesh_engine(mesh), T_ROUTE, STR("HTTPRoute/a/web")), route);
    rig_apply(mesh, ROUTE("HTTPRoute", "web", "a", "one")); /* as it is */
    assert_int_equal(rig_turn(mesh), 0);
    mesh_free(mesh);
}

static void test_wrong_input(void **state)
{
    struct mesh *mesh = mesh_with_clients(MESH);
    struct plan *plan = plan_of(mesh);
    struct buf out;
    struct json json;
    struct err err;
    (void)state;
    json_t *said = plan_change(mesh, "kind: Service\n", NULL);
    assert_int_equal(number(said, "errors"), 3);
    assert_null(json_object_get(said, "objects"));
    json_decref(said);

    plan_delete(plan, STR("Service/a/three"));
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    assert_false(plan_write(plan, &json, &err));
    assert_string_equal(err.text, "there is no object 'Service/a/three' to delete");
    buf_release(&out);
    plan_free(plan);

    plan = plan_of(mesh);
    plan_unreadable(plan, STR("x.yaml"), STR("it is secret"));
    said = written(plan);
    assert_int_equal(number(said, "errors"), 1);
    json_decref(said);
    mesh_free(mesh);
}

/* More matches than requests are made up for. */
static void test_limits(void **state)
{
    struct mesh *mesh = mesh_with_clients(MESH);
    struct buf yaml;
    (void)state;
    buf_init(&yaml, BUF_UNLIMITED);
    for (unsigned i = 0; i < 3; i++) {
        buf_printf(&yaml,
                   "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
                   "metadata: {name: r%u, namespace: a}\nspec:\n"
                   "  parentRefs: [{group: \"\", kind: Service, name: web}]\n  rules:\n",
                   i);
        for (unsigned j = 0; j < 128; j++) {
            buf_printf(&yaml, "%s    - path: {type: Exact, value: /%u/%u}\n",
                       j % 64 == 0 ? "  - backendRefs: [{name: two, port: 80}]\n    matches:\n"
                                   : "",
                       i, j);
        }
    }
    buf_add_byte(&yaml, '\0');
    json_t *said = plan_change(mesh, (const char *)yaml.data, NULL);
    assert_int_equal(number(said, "errors"), 0);
    /* those of the row then, and the one of the row now */
    assert_int_equal(number(said, "asked"), PLAN_SAMPLES_PER_PORT_MAX + 1);
    assert_int_equal(number(said, "left_out"), 3 * 128 + 1 - PLAN_SAMPLES_PER_PORT_MAX);
    json_decref(said);
    buf_release(&yaml);
    mesh_free(mesh);
}

/* --- threads -------------------------------------------------------------------------------- */

static void write_elsewhere(void *user)
{
    json_t *said = written(user);
    assert_int_equal(json_array_size(json_object_get(said, "resources")), 2);
    json_decref(said);
}

/* Rows that the plan holds are replaced and deleted meanwhile. */
static void test_the_mesh_goes_on(void **state)
{
    struct mesh *mesh = mesh_with_clients(MESH);
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        uv_thread_t thread;
        struct plan *plan = plan_of(mesh);
        plan_text(plan, STR("x.yaml"), STR(ROUTE("HTTPRoute", "web", "a", "two")));
        assert_int_equal(uv_thread_create(&thread, write_elsewhere, plan), 0);
        rig_delete(mesh, KIND_SERVICE, "a/web");
        rig_delete(mesh, KIND_HTTPROUTE, "HTTPRoute/a/web");
        rig_turn(mesh);
        rig_apply(mesh, MESH);
        rig_turn(mesh);
        uv_thread_join(&thread);
    }
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_applied_to_a_cluster),
        cmocka_unit_test(test_route_changes),
        cmocka_unit_test(test_cluster_changes),
        cmocka_unit_test(test_service_goes),
        cmocka_unit_test(test_the_mesh_is_left_alone),
        cmocka_unit_test(test_wrong_input),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_the_mesh_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
