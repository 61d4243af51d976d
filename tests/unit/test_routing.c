/* SPDX-License-Identifier: Apache-2.0 */
/* test_routing: routes as rows of the IR, and when these rows change. The rules of precedence and
 * of errors have a golden case each (tests/golden). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/ir.h"
#include "mesh_rig.h"

#define SERVICE(name, extra)                                                                       \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: a}\nspec:\n"        \
    "  ports: [{name: http, port: 80" extra "}]\n"
#define ROUTE(kind, name, ns, rules)                                                               \
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: " kind "\n"                              \
    "metadata: {name: " name ", namespace: " ns "}\nspec:\n"                                       \
    "  parentRefs: [{group: \"\", kind: Service, name: echo, namespace: a}]\n"                     \
    "  rules:\n" rules

static const struct ir_routing *routing(const struct mesh *mesh, const char *key)
{
    return (const struct ir_routing *)engine_get(mesh_engine(mesh), T_ROUTING, str_from(key));
}

static void assert_dump(const struct ir_routing *row, const char *wanted)
{
    struct buf text;
    struct json json;
    assert_non_null(row);
    buf_init(&text, BUF_UNLIMITED);
    json_init(&json, &text, 0);
    field_dump(&ir_routing_schema, row, &json);
    buf_add_byte(&text, 0);
    assert_string_equal(text.data, wanted);
    buf_release(&text);
}

static void test_default_routing(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, SERVICE("echo", ""));
    rig_turn(mesh);
    assert_dump(routing(mesh, "a/echo:80"),
                "{\"name\":\"a/echo:80\",\"routes\":[{\"match\":{},"
                "\"backends\":[{\"cluster\":\"a/echo:80\",\"weight\":1}]}],"
                "\"connections\":[{\"backends\":[{\"cluster\":\"a/echo:80\",\"weight\":1}]}]}");
    rig_apply(mesh, SERVICE("echo", ", appProtocol: http"));
    rig_turn(mesh);
    assert_true(routing(mesh, "a/echo:80")->http);
    rig_apply(mesh, SERVICE("echo", ", protocol: UDP"));
    rig_turn(mesh);
    assert_null(routing(mesh, "a/echo:80"));
    mesh_free(mesh);
}

static void test_route(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, SERVICE("echo", "") SERVICE("v1", "")
                        ROUTE("GRPCRoute", "r", "a",
                              "  - matches: [{method: {service: s.S, method: M}}]\n"
                              "    backendRefs: [{name: v1, port: 80, weight: 3},"
                              " {name: gone, port: 80, weight: 0}, {name: gone, port: 81}]\n"));
    rig_turn(mesh);
    assert_dump(routing(mesh, "a/echo:80"),
                "{\"name\":\"a/echo:80\",\"kind\":\"GRPCRoute\",\"http\":true,\"routes\":[{"
                "\"rule\":\"GRPCRoute/a/r/0\","
                "\"match\":{\"path_type\":\"Exact\",\"path\":\"/s.S/M\"},\"error_status\":503,"
                "\"backends\":[{\"cluster\":\"a/v1:80\",\"weight\":3},{\"weight\":1,"
                "\"reason\":\"rules[0].backendRefs[2]: no Service 'gone' in namespace 'a'\"}]}]}");
    mesh_free(mesh);
}

#define L4_ROUTE(kind, name, created, more)                                                        \
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: " kind "\n"                              \
    "metadata: {name: " name ", namespace: a, creationTimestamp: \"2026-01-0" created              \
    "T00:00:00Z\"}\nspec:\n"                                                                       \
    "  parentRefs: [{group: \"\", kind: Service, name: echo, namespace: a}]\n" more

/* The oldest TCPRoute has all, an error share stays one, weight 0 has none. */
static void test_tcp_routes(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh,
              SERVICE("echo", ", appProtocol: http") SERVICE("v1", "")
                  L4_ROUTE("TCPRoute", "a", "2", "  rules: [{backendRefs: [{name: x, port: 1}]}]\n")
                      L4_ROUTE("TCPRoute", "b", "1",
                               "  rules: [{backendRefs: [{name: v1, port: 80, weight: 3},"
                               " {name: gone, port: 80, weight: 0}, {name: gone, port: 81}]}]\n"));
    rig_turn(mesh);
    static const char backends[] =
        "\"backends\":[{\"cluster\":\"a/v1:80\",\"weight\":3},{\"weight\":1,"
        "\"reason\":\"rules[0].backendRefs[2]: no Service 'gone' in namespace 'a'\"}]}]";
    char wanted[1024];
    (void)snprintf(wanted, sizeof(wanted),
                   "{\"name\":\"a/echo:80\",\"kind\":\"TCPRoute\",\"routes\":[{"
                   "\"rule\":\"TCPRoute/a/b/0\",\"match\":{},%s,\"connections\":[{"
                   "\"rule\":\"TCPRoute/a/b/0\",\"name\":\"a/echo:80\",%s}",
                   backends, backends);
    assert_dump(routing(mesh, "a/echo:80"), wanted);
    rig_delete(mesh, KIND_TCPROUTE, "TCPRoute/a/b");
    rig_turn(mesh);
    assert_true(
        str_eq(routing(mesh, "a/echo:80")->connections.items[0].rule, STR("TCPRoute/a/a/0")));
    mesh_free(mesh);
}

static void assert_names(const struct ir_l4_route *connection, const char *wanted)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    buf_add_str(&text, connection->rule);
    for (size_t i = 0; i < connection->server_names.len; i++) {
        buf_printf(&text, " %.*s", STR_FMT(connection->server_names.items[i]));
    }
    buf_add_byte(&text, 0);
    assert_string_equal(text.data, wanted);
    buf_release(&text);
}

/* A server name belongs to the oldest route that has it. */
static void test_tls_routes(void **state)
{
    (void)state;
    static const char rules[] = "  rules: [{backendRefs: [{name: v1, port: 80, weight: 0}]}]\n";
    struct mesh *mesh = rig_mesh();
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    buf_printf(&yaml, "%s%s%s%s%s%s%s", SERVICE("echo", "") SERVICE("v1", ""),
               L4_ROUTE("TLSRoute", "a", "2", "  hostnames: [one.a, '*.a', two.a, '*.a']\n"), rules,
               L4_ROUTE("TLSRoute", "b", "1", "  hostnames: ['*.b.a', one.a, one.a]\n"), rules,
               L4_ROUTE("TLSRoute", "c", "3", "  hostnames: [one.a, two.a]\n"), rules);
    rig_apply_str(mesh, buf_str(&yaml));
    rig_turn(mesh);
    const struct ir_routing *row = routing(mesh, "a/echo:80");
    assert_int_equal(row->connections.len, 2);
    assert_names(&row->connections.items[0], "TLSRoute/a/b/0 *.b.a one.a");
    assert_names(&row->connections.items[1], "TLSRoute/a/a/0 *.a two.a");
    assert_true(str_eq(row->connections.items[1].name, STR("a/echo:80/TLSRoute/a/a")));
    assert_true(str_eq(row->connections.items[1].reason, STR("all backendRefs have weight 0")));
    assert_false(row->http);
    /* to clients that know nothing but requests it is a Service without routes */
    assert_int_equal(row->routes.items[0].rule.len, 0);
    assert_true(str_eq(row->routes.items[0].backends.items[0].cluster, STR("a/echo:80")));
    buf_release(&yaml);
    mesh_free(mesh);
}

/* GEP-1294: GRPCRoute, HTTPRoute, TLSRoute, TCPRoute; whatever their age. */
static void test_kinds_displace_each_other(void **state)
{
    (void)state;
    static const char *const kinds[] = {"TCPRoute", "TLSRoute", "HTTPRoute", "GRPCRoute"};
    static const char rules[] = "  rules: [{backendRefs: [{name: echo, port: 80}]}]\n";
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, SERVICE("echo", ""));
    for (unsigned i = 0; i < 4; i++) {
        struct buf yaml;
        buf_init(&yaml, BUF_UNLIMITED);
        buf_printf(&yaml,
                   "apiVersion: gateway.networking.k8s.io/v1\nkind: %s\nmetadata: {name: r, "
                   "namespace: a, creationTimestamp: \"2026-01-0%uT00:00:00Z\"}\nspec:\n"
                   "  parentRefs: [{group: \"\", kind: Service, name: echo}]\n%s%s",
                   kinds[i], i + 1, rules, i == 1 ? "  hostnames: [a]\n" : "");
        rig_apply_str(mesh, buf_str(&yaml));
        rig_turn(mesh);
        assert_true(str_eq(routing(mesh, "a/echo:80")->kind, str_from(kinds[i])));
        assert_true(routing(mesh, "a/echo:80")->http == (i >= 2));
        assert_int_equal(routing(mesh, "a/echo:80")->connections.len, i >= 2 ? 0 : 1);
        buf_release(&yaml);
    }
    mesh_free(mesh);
}

/* A change of endpoints, or of a Service that the routes do not name, leaves the row as it is. */
static void test_what_does_not_matter(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, SERVICE("echo", "") SERVICE("v1", "")
                        ROUTE("HTTPRoute", "r", "a", "  - backendRefs: [{name: v1, port: 80}]\n"));
    rig_turn(mesh);
    const struct ir_routing *before = routing(mesh, "a/echo:80");
    uint64_t evaluations = engine_stats(mesh_engine(mesh), T_ROUTING).evaluations;
    rig_apply(
        mesh,
        SERVICE("other",
                "") "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                    "metadata: {name: e, namespace: a, labels: {kubernetes.io/service-name: v1}}\n"
                    "addressType: IPv4\nports: [{name: http, port: 1}]\n"
                    "endpoints: [{addresses: [127.0.0.1]}]\n");
    rig_turn(mesh);
    assert_ptr_equal(before, routing(mesh, "a/echo:80"));
    /* one: that of the new Service */
    assert_int_equal(engine_stats(mesh_engine(mesh), T_ROUTING).evaluations, evaluations + 1);
    mesh_free(mesh);
}

static void test_missing_backend_comes(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, SERVICE("echo", "")
                        ROUTE("HTTPRoute", "r", "a", "  - backendRefs: [{name: v1, port: 80}]\n"));
    rig_turn(mesh);
    assert_int_equal(routing(mesh, "a/echo:80")->routes.items[0].backends.items[0].cluster.len, 0);
    rig_apply(mesh, SERVICE("v1", ""));
    rig_turn(mesh);
    assert_true(str_eq(routing(mesh, "a/echo:80")->routes.items[0].backends.items[0].cluster,
                       STR("a/v1:80")));
    mesh_free(mesh);
}

static void test_consumers(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, SERVICE("echo", "") ROUTE("HTTPRoute", "r", "b", "  - {}\n"));
    rig_turn(mesh);
    assert_int_equal(routing(mesh, "a/echo:80")->client_ns.len, 0);
    assert_false(routing(mesh, "a/echo:80")->http);
    const struct ir_routing *consumer = routing(mesh, "a/echo:80@b");
    assert_true(str_eq(consumer->client_ns, STR("b")));
    assert_true(consumer->http);
    assert_true(str_eq(consumer->name, STR("a/echo:80")));
    rig_delete(mesh, KIND_HTTPROUTE, "HTTPRoute/b/r");
    rig_turn(mesh);
    assert_null(routing(mesh, "a/echo:80@b"));
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_routing),
        cmocka_unit_test(test_route),
        cmocka_unit_test(test_tcp_routes),
        cmocka_unit_test(test_tls_routes),
        cmocka_unit_test(test_kinds_displace_each_other),
        cmocka_unit_test(test_what_does_not_matter),
        cmocka_unit_test(test_missing_backend_comes),
        cmocka_unit_test(test_consumers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
