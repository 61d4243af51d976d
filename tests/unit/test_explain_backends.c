/* SPDX-License-Identifier: Apache-2.0 */
/* test_explain_backends: what is told of endpoints and policies, word for word. */
#include "explain_rig.h"

/* What is told is what the client has been sent: the endpoints as its zone or node sees them. */
static void test_endpoints_of_a_place(void **state)
{
    static const char yaml[] =
        SERVICE("one", "clusterIP: 10.0.0.2, trafficDistribution: "
                       "PreferSameNode, " HTTP_PORT) "---\napiVersion: "
                                                     "discovery.k8s.io/v1\nkind: "
                                                     "EndpointSlice\n"
                                                     "metadata: {name: one, namespace: a, "
                                                     "labels: "
                                                     "{kubernetes.io/service-name: one}}\n"
                                                     "addressType: IPv4\nports: [{name: "
                                                     "http, port: 3000}]\nendpoints:\n"
                                                     "- {addresses: [10.9.0.1], zone: y, "
                                                     "nodeName: m}\n"
                                                     "- {addresses: [10.9.0.2], zone: z, "
                                                     "nodeName: n}\n"
                                                     "- {addresses: [10.9.0.3], zone: z, "
                                                     "conditions: {ready: false, serving: "
                                                     "true, "
                                                     "terminating: true}}\n";
#define ONE "{\"address\":\"10.9.0.1:3000\",\"zone\":\"y\""
#define TWO "{\"address\":\"10.9.0.2:3000\",\"zone\":\"z\"}"
#define THREE "{\"address\":\"10.9.0.3:3000\",\"zone\":\"z\","
    static const struct {
        const char *metadata, *endpoints;
    } cases[] = {
        {"", ONE "}," TWO "," THREE "\"draining\":true}"},
        {"zone=z", TWO "," THREE "\"draining\":true}," ONE ",\"priority\":1}"},
        {"node_name=n zone=y",
         TWO "," ONE ",\"priority\":1}," THREE "\"priority\":1,\"draining\":true}"},
    };
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_apply(mesh, yaml);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char wanted[1024];
        const struct mesh_client *class =
            rig_open_with(mesh, i + 1, "sidecar/a/x", "envoy", cases[i].metadata);
        rig_turn(mesh);
        (void)snprintf(wanted, sizeof(wanted),
                       "{\"service\":\"a/one:80\","
                       "\"routing\":\"the Service's own endpoints: no route is attached\","
                       "\"rules\":[{\"rule\":\"default\",\"match\":\"any path\","
                       "\"verdict\":\"takes the request\"}],"
                       "\"decision\":{\"action\":\"forward\",\"rule\":\"default\",\"backends\":"
                       "[{\"share\":1,\"backend\":\"a/one:80\",\"endpoints\":[%s]}],"
                       "\"notes\":[]}}",
                       cases[i].endpoints);
        assert_answer(mesh, &class->class, "GET", "http://one", NULL, wanted);
    }
    mesh_free(mesh);
}

static void test_what_a_policy_puts_in_force(void **state)
{
    static const char yaml[] =
        ROUTE("HTTPRoute", "r", "a", OLD,
              "  - {retry: {attempts: 1}, backendRefs: [{name: one, port: 80}]}\n") MESH
        "---\napiVersion: gateway.networking.x-k8s.io/v1alpha1\nkind: XBackendTrafficPolicy\n"
        "metadata: {name: p, namespace: a}\nspec:\n"
        "  targetRefs: [{group: \"\", kind: Service, name: one}]\n"
        "  retryConstraint: {}\n  sessionPersistence: {cookie: {name: c}}\n";
#define OF_POLICY                                                                                  \
    "\"sessions are kept at their endpoint by the cookie c for a/one:80\","                        \
    "\"as many retries at a time as 20 % of the requests of the last 10s, and at least 10 for "    \
    "a/one:80\""
#define ONE_RETRY "\"up to 1 retries when a connection fails\""
    (void)state;
    assert_told(yaml, "sidecar/a/x", "GET", "http://echo", NULL,
                FORWARD_RULE "\"in_force\":[" OF_POLICY "," ONE_RETRY "],\"notes\":[]}}");
    assert_told(yaml, "proxyless/a/x", "POST", "xds:///echo.a:80/p.S/M", NULL,
                FORWARD_RULE "\"in_force\":[" ONE_RETRY "],\"ignored\":[" OF_POLICY
                             "],\"notes\":[]}}");
}

/* As many items of a header modifier as a list may have; wanted: what is told of them. */
static void add_headers(struct buf *yaml, struct buf *wanted, const char *whose, const char *list,
                        const char *told)
{
    bool remove = strcmp(list, "remove") == 0;
    buf_printf(yaml, "        %s:\n", list);
    for (unsigned i = 0; i < 16; i++) {
        buf_printf(yaml, remove ? "        - h%u\n" : "        - {name: h%u, value: v}\n", i);
        buf_printf(wanted, "\"%s the %s header h%u%s\",", told, whose, i, remove ? "" : ": v");
    }
}

/* However many effects a rule has. Of a backend that does not resolve there are none. */
static void test_all_that_is_in_force(void **state)
{
    static const char *const sides[][2] = {{"Request", "request"}, {"Response", "response"}};
    struct buf yaml, wanted, out;
    buf_init(&yaml, BUF_UNLIMITED);
    buf_init(&wanted, BUF_UNLIMITED);
    (void)state;
    buf_add_text(&yaml, ROUTE("HTTPRoute", "r", "a", OLD, "  - filters:\n"));
    buf_add_text(&wanted, "\"in_force\":[");
    for (unsigned i = 0; i < 2; i++) {
        buf_printf(&yaml, "    - type: %sHeaderModifier\n      %sHeaderModifier:\n", sides[i][0],
                   sides[i][1]);
        add_headers(&yaml, &wanted, sides[i][1], "remove", "removes");
        add_headers(&yaml, &wanted, sides[i][1], "set", "sets");
        add_headers(&yaml, &wanted, sides[i][1], "add", "adds");
    }
#define RENAMED(name)                                                                              \
    "    - {name: " name ", port: 80, filters: [{type: URLRewrite, urlRewrite: {hostname: " name   \
    ".test}}]}\n"
    buf_add_text(&yaml, "    backendRefs:\n" RENAMED("one") RENAMED("nix") MESH);
    buf_add_text(&wanted, "\"the Host one.test for a/one:80\"],\"notes\":[]}}");
    buf_add_byte(&yaml, '\0');
    struct mesh *mesh = rig_mesh();
    struct client_class class = client("sidecar/a/x");
    rig_apply(mesh, (const char *)yaml.data);
    rig_turn(mesh);
    ask(mesh, &class, "GET", "http://echo/", NULL, &out);
    assert_true(str_ends_with(str_from((const char *)out.data), buf_str(&wanted)));
    buf_release(&yaml);
    buf_release(&wanted);
    buf_release(&out);
    mesh_free(mesh);
#undef RENAMED
}

static void test_sessions_of_grpc_clients(void **state)
{
    static const char yaml[] = ROUTE("HTTPRoute", "r", "a", OLD,
                                     "  - sessionPersistence: {cookie: {name: cart}}\n"
                                     "    backendRefs: [{name: one, port: 80}]\n") MESH;
#define KEPT "[\"sessions are kept at their endpoint by the cookie cart\"],\"notes\":[]}}"
    struct mesh *mesh = rig_mesh();
    struct client_class core = client("proxyless/a/x");
    struct client_class other = core;
    (void)state;
    core.trait = "grpc.early";
    other.trait = "grpc.stateless";
    rig_apply(mesh, yaml);
    rig_turn(mesh);
    assert_answer(mesh, &core, "POST", "xds:///echo.a:80/p.S/M", NULL,
                  FORWARD_RULE "\"in_force\":" KEPT);
    assert_answer(mesh, &other, "POST", "xds:///echo.a:80/p.S/M", NULL,
                  FORWARD_RULE "\"ignored\":" KEPT);
    mesh_free(mesh);
#undef KEPT
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoints_of_a_place),
        cmocka_unit_test(test_what_a_policy_puts_in_force),
        cmocka_unit_test(test_all_that_is_in_force),
        cmocka_unit_test(test_sessions_of_grpc_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
