/* SPDX-License-Identifier: Apache-2.0 */
/* test_explain: what is told of a request, word for word: the JSON of /api/why without the
 * client. */
#include "explain_rig.h"

static void test_default(void **state)
{
    static const char wanted[] =
        "{\"service\":\"a/one:80\","
        "\"routing\":\"the Service's own endpoints: no route is attached\","
        "\"rules\":[{\"rule\":\"default\",\"match\":\"any path\","
        "\"verdict\":\"takes the request\"}],"
        "\"decision\":{\"action\":\"forward\",\"rule\":\"default\"," BACKEND_ONE ",\"notes\":[]}}";
    (void)state;
    assert_told(MESH, "sidecar/a/x", "GET", "http://one", NULL, wanted);
    assert_told(MESH, "sidecar/b/x", "GET", "http://one.a", NULL, wanted);
    assert_told(MESH, "sidecar/b/x", "GET", "http://one.a.svc.cluster.local", NULL, wanted);
    assert_told(MESH, "sidecar/b/x", "GET", "http://10.0.0.2:80", NULL, wanted);
    assert_told(MESH, "proxyless/b/x", "POST", "xds:///one.a.svc:80/p.S/M", NULL, wanted);
}

static void test_no_such_service(void **state)
{
    (void)state;
    assert_told(MESH, "sidecar/b/x", "GET", "http://one", NULL,
                "{\"routing\":\"'one:80' is no Service port: Service 'one' is in namespace 'a': "
                "name that, too\",\"decision\":{"
                "\"action\":\"passthrough\","
                "\"outcome\":\"the sidecar passes the connection on untouched\"}}");
    assert_told(MESH, "sidecar/b/x", "GET", "http://one.a.example.com", NULL,
                "{\"routing\":\"'one.a.example.com:80' is no Service port\",\"decision\":{"
                "\"action\":\"passthrough\","
                "\"outcome\":\"the sidecar passes the connection on untouched\"}}");
    assert_told(MESH, "proxyless/a/x", "POST", "xds:///10.0.0.2:80/p.S/M", NULL,
                "{\"routing\":\"'10.0.0.2:80' is no Service port\",\"decision\":{"
                "\"action\":\"error\",\"code\":\"UNAVAILABLE\","
                "\"outcome\":\"UNAVAILABLE: '10.0.0.2:80' is no Service port\"}}");
}

static void test_authorities(void **state)
{
    (void)state;
    assert_told(MESH, "proxyless/a/x", "POST", "xds://east/one.a:80/p.S/M", NULL,
                "{\"routing\":\"heddle does not answer for authority 'east', but for "
                "'cluster.local'; heddle serve --authority adds others\",\"decision\":{"
                "\"action\":\"error\",\"code\":\"UNAVAILABLE\",\"outcome\":\"UNAVAILABLE: heddle "
                "does not answer for authority 'east', but for 'cluster.local'; heddle serve "
                "--authority adds others\"}}");
    assert_told(MESH, "proxyless/a/x", "POST", "xds://cluster.local/two.a:80/p.S/M", NULL,
                "{\"routing\":\"'two.a:80' is no Service port\",\"decision\":{"
                "\"action\":\"error\",\"code\":\"UNAVAILABLE\","
                "\"outcome\":\"UNAVAILABLE: 'two.a:80' is no Service port\"}}");
}

static void test_no_traffic(void **state)
{
    (void)state;
    assert_told(SERVICE("dns", "clusterIP: 10.0.0.9, ports: [{port: 53, protocol: UDP}]"),
                "sidecar/a/x", "GET", "http://dns:53", NULL,
                "{\"service\":\"a/dns:53\",\"routing\":\"the port's protocol is not TCP\","
                "\"decision\":{\"action\":\"passthrough\","
                "\"outcome\":\"the sidecar passes the connection on untouched\"}}");
}

static void test_opaque(void **state)
{
    static const char mail[] = SERVICE("mail", "clusterIP: 10.0.0.3, ports: [{port: 25}]");
    (void)state;
    assert_told(
        mail, "sidecar/a/x", "GET", "http://mail:25", NULL,
        "{\"service\":\"a/mail:25\",\"routing\":\"opaque TCP: no route is attached, and "
        "appProtocol names no HTTP\",\"decision\":{\"action\":\"forward\","
        "\"backends\":[{\"share\":1,\"backend\":\"a/mail:25\",\"endpoints\":[],"
        "\"outcome\":\"the connection is closed: no endpoint is ready\",\"remedy\":\"Service "
        "'a/mail' has no endpoint: does its selector match a pod?\"}]}}");
}

#define L4_ROUTE(kind, name, created, more)                                                        \
    ROUTE(kind, name, "a", created, "  - backendRefs: [{name: one, port: 80}]\n" more)
#define TCP_ROUTE                                                                                  \
    ROUTE("TCPRoute", "r", "a", OLD,                                                               \
          "  - backendRefs: [{name: one, port: 80, weight: 3}, {name: gone, port: 80}]\n")
#define CLOSED "\"outcome\":\"the connection is closed: "

static void test_tcp_route(void **state)
{
    static const char wanted[] =
        "{\"service\":\"a/echo:80\",\"routing\":\"producer TCPRoutes: those of the Service's "
        "namespace\",\"rules\":[{\"rule\":\"TCPRoute/a/r/0\",\"file\":\"test.yaml\",\"line\":8,"
        "\"match\":\"every connection\",\"verdict\":\"takes the connection\"}],"
        "\"decision\":{\"action\":\"forward\",\"rule\":\"TCPRoute/a/r/0\","
        "\"file\":\"test.yaml\",\"line\":8,\"backends\":[{\"share\":0.75,\"backend\":\"a/one:80\","
        "\"endpoints\":[{\"address\":\"10.9.0.1:3000\",\"zone\":\"z\"}]},{\"share\":0.25," CLOSED
        "rules[0].backendRefs[1]: no Service 'gone' in namespace 'a'\",\"remedy\":\"did you mean "
        "'one'?\"}]}}";
    (void)state;
    assert_told(TCP_ROUTE MESH, "sidecar/a/x", "", "tcp://echo:80", NULL, wanted);
    assert_told(TCP_ROUTE MESH, "sidecar/a/x", "", "tls://10.0.0.1:80", NULL, wanted);
    assert_told(TCP_ROUTE MESH, "sidecar/a/x", "GET", "http://echo/", NULL, wanted);
}

static void test_tls_routes(void **state)
{
    static const char yaml[] =
        L4_ROUTE("TLSRoute", "wild", OLD, "  hostnames: ['*.example.com', '*.org']\n")
            L4_ROUTE("TLSRoute", "narrow", YOUNG, "  hostnames: [a.example.com]\n") MESH;
#define HEAD                                                                                       \
    "{\"service\":\"a/echo:80\",\"routing\":\"producer TLSRoutes: those of the Service's "         \
    "namespace\",\"rules\":["
#define WILD(verdict)                                                                              \
    "{\"rule\":\"TLSRoute/a/wild/0\",\"file\":\"test.yaml\",\"line\":8,"                           \
    "\"match\":\"server name *.example.com, *.org\",\"verdict\":\"" verdict "\"}"
#define NARROW(verdict)                                                                            \
    "{\"rule\":\"TLSRoute/a/narrow/0\",\"file\":\"test.yaml\",\"line\":17,"                        \
    "\"match\":\"server name a.example.com\",\"verdict\":\"" verdict "\"}"
    (void)state;
    assert_told(yaml, "sidecar/a/x", "", "tls://echo:80", "sni A.example.com",
                HEAD NARROW("takes the connection") "," WILD(
                    "matches too, but '*.example.com' is less specific") "],"
                                                                         "\"decision\":{\"action\":"
                                                                         "\"forward\",\"rule\":"
                                                                         "\"TLSRoute/a/narrow/0\","
                                                                         "\"file\":\"test.yaml\","
                                                                         "\"line\":17," BACKEND_ONE
                                                                         "}}");
    assert_told(
        yaml, "sidecar/a/x", "", "tls://echo:80", "sni b.example.com",
        HEAD WILD("takes the connection") "," NARROW(
            "no server name takes 'b.example.com'") "],"
                                                    "\"decision\":{\"action\":\"forward\",\"rule\":"
                                                    "\"TLSRoute/a/wild/0\","
                                                    "\"file\":\"test.yaml\",\"line\":8," BACKEND_ONE
                                                    "}}");
#define NOBODY(why)                                                                                \
    HEAD WILD(why) "," NARROW(why) "],\"decision\":{\"action\":\"error\"," CLOSED why "\"}}"
    assert_told(yaml, "sidecar/a/x", "", "tls://echo:80", NULL,
                NOBODY("no server name takes 'echo'"));
    assert_told(yaml, "sidecar/a/x", "", "tls://10.0.0.1:80", NULL,
                NOBODY("the ClientHello asks for no server name"));
    assert_told(yaml, "sidecar/a/x", "", "tcp://echo:80", NULL,
                NOBODY("it does not begin with a TLS ClientHello"));
    assert_told(
        yaml, "proxyless/a/x", "POST", "xds:///echo.a:80/p.S/M", NULL,
        "{\"service\":\"a/echo:80\",\"routing\":\"the Service's own endpoints: gRPC clients "
        "do not follow TLSRoutes\",\"rules\":[{\"rule\":\"default\",\"match\":\"any path\","
        "\"verdict\":\"takes the request\"}],\"decision\":{\"action\":\"forward\","
        "\"rule\":\"default\",\"backends\":[{\"share\":1,\"backend\":\"a/echo:80\","
        "\"endpoints\":[],\"outcome\":\"UNAVAILABLE: no endpoint is ready\",\"remedy\":\"Service "
        "'a/echo' has no endpoint: does its selector match a pod?\"}],"
        "\"notes\":[]}}");
}

static void test_connection_to_http(void **state)
{
    (void)state;
    assert_told(
        MESH, "sidecar/a/x", "", "tcp://echo:80", NULL,
        "{\"service\":\"a/echo:80\",\"routing\":\"the Service's own endpoints: no route is "
        "attached\",\"decision\":{\"action\":\"error\",\"outcome\":\"the sidecar reads HTTP "
        "here, and ends what is none; ask for a request, with METHOD and "
        "http://HOST:PORT/PATH\"}}");
}

static void test_no_endpoints(void **state)
{
    (void)state;
    assert_told(MESH, "sidecar/a/x", "GET", "http://echo/#top", NULL,
                "{\"service\":\"a/echo:80\","
                "\"routing\":\"the Service's own endpoints: no route is attached\","
                "\"rules\":[{\"rule\":\"default\",\"match\":\"any path\","
                "\"verdict\":\"takes the request\"}],"
                "\"decision\":{\"action\":\"forward\",\"rule\":\"default\",\"backends\":[{"
                "\"share\":1,\"backend\":\"a/echo:80\",\"endpoints\":[],\"outcome\":"
                "\"503 (for gRPC UNAVAILABLE): no endpoint is ready\",\"remedy\":\"Service "
                "'a/echo' has no endpoint: does its selector match a pod?\"}],"
                "\"notes\":[\"clients do not send the '#' and what follows it; Envoy answers 400 "
                "where one does\"]}}");
}

#define PATH(type, value) "matches: [{path: {type: " type ", value: " value "}}]"
#define TO_ONE "backendRefs: [{name: one, namespace: a, port: 80}]"

static void test_order_and_verdicts(void **state)
{
    static const char yaml[] =
        ROUTE("HTTPRoute", "r", "a", OLD,
              "  - {" PATH("PathPrefix",
                           "/v2") ", " TO_ONE "}\n"
                                  "  - {" PATH("Exact",
                                               "/v2/x") ", " TO_ONE "}\n"
                                                        "  - {" PATH("Exact",
                                                                     "/v3") ", " TO_ONE "}\n"
                                                                            "  - {" PATH(
                                                                                "Exact",
                                                                                "/v2/x") ", " TO_ONE
                                                                                         "}\n")
            ROUTE("HTTPRoute", "s", "a", YOUNG, "  - {" PATH("Exact", "/v2/x") ", " TO_ONE "}\n")
                MESH;
    (void)state;
    assert_told(yaml, "sidecar/b/x", "GET", "http://echo.a/v2/x", NULL,
                "{\"service\":\"a/echo:80\","
                "\"routing\":\"producer HTTPRoutes: those of the Service's namespace\","
                "\"rules\":["
                "{\"rule\":\"HTTPRoute/a/r/1\",\"file\":\"test.yaml\",\"line\":9,"
                "\"match\":\"path /v2/x\",\"verdict\":\"takes the request\"},"
                "{\"rule\":\"HTTPRoute/a/r/3\",\"file\":\"test.yaml\",\"line\":11,"
                "\"match\":\"path /v2/x\",\"verdict\":\"matches too, but its rule stands later in "
                "the same route\"},"
                "{\"rule\":\"HTTPRoute/a/s/0\",\"file\":\"test.yaml\",\"line\":19,"
                "\"match\":\"path /v2/x\",\"verdict\":\"matches too, but its route is younger, or "
                "as old and later by name\"},"
                "{\"rule\":\"HTTPRoute/a/r/2\",\"file\":\"test.yaml\",\"line\":10,"
                "\"match\":\"path /v3\",\"verdict\":\"path '/v2/x' is not '/v3'\"},"
                "{\"rule\":\"HTTPRoute/a/r/0\",\"file\":\"test.yaml\",\"line\":8,"
                "\"match\":\"path below /v2\",\"verdict\":\"matches too, but its path is less "
                "specific\"}],"
                "\"decision\":{\"action\":\"forward\",\"rule\":\"HTTPRoute/a/r/1\","
                "\"file\":\"test.yaml\",\"line\":9," BACKEND_ONE ",\"notes\":[]}}");
}

static void test_consumer_route(void **state)
{
    static const char yaml[] = ROUTE("HTTPRoute", "r", "a", OLD, "  - {" TO_ONE "}\n")
        ROUTE("HTTPRoute", "r", "b", OLD, "  - {" PATH("Exact", "/b") ", " TO_ONE "}\n") MESH;
    (void)state;
    assert_told(yaml, "sidecar/b/x", "GET", "http://echo.a/", NULL,
                "{\"service\":\"a/echo:80\",\"routing\":\"consumer HTTPRoutes: those of the "
                "client's namespace 'b'\",\"rules\":[{\"rule\":\"HTTPRoute/b/r/0\","
                "\"file\":\"test.yaml\",\"line\":16,\"match\":\"path /b\","
                "\"verdict\":\"path '/' is not '/b'\"}],"
                "\"decision\":{\"action\":\"error\",\"status\":404,\"code\":\"UNIMPLEMENTED\","
                "\"outcome\":\"404 (for gRPC UNIMPLEMENTED): no rule "
                "matches\",\"notes\":[]},\"unattached\":[{\"route\":\"HTTPRoute/a/"
                "r\",\"file\":\"test.yaml\",\"line\":6,\"why\":\"consumer routes of the client's "
                "namespace 'b' take its place\"}]}");
    assert_told(yaml, "sidecar/c/x", "GET", "http://echo.a/", NULL,
                "{\"service\":\"a/echo:80\",\"routing\":\"producer HTTPRoutes: those of the "
                "Service's namespace\",\"rules\":[{\"rule\":\"HTTPRoute/a/r/0\","
                "\"file\":\"test.yaml\",\"line\":8,\"match\":\"any path\","
                "\"verdict\":\"takes the request\"}],"
                "\"decision\":{\"action\":\"forward\",\"rule\":\"HTTPRoute/a/r/0\","
                "\"file\":\"test.yaml\",\"line\":8," BACKEND_ONE ",\"notes\":[]}}");
}

static void test_error_shares(void **state)
{
    static const char half[] =
        ROUTE("HTTPRoute", "r", "a", OLD,
              "  - backendRefs: [{name: one, port: 80, weight: 3}, {name: gone, port: 80}]\n") MESH;
    static const char whole[] =
        ROUTE("GRPCRoute", "r", "a", OLD, "  - backendRefs: [{name: gone, port: 80}]\n") MESH;
    (void)state;
    assert_told(
        half, "sidecar/a/x", "GET", "http://echo/", NULL,
        "{\"service\":\"a/echo:80\",\"routing\":\"producer HTTPRoutes: those of the "
        "Service's namespace\",\"rules\":[{\"rule\":\"HTTPRoute/a/r/0\","
        "\"file\":\"test.yaml\",\"line\":8,\"match\":\"any path\","
        "\"verdict\":\"takes the request\"}],"
        "\"decision\":{\"action\":\"forward\",\"rule\":\"HTTPRoute/a/r/0\","
        "\"file\":\"test.yaml\",\"line\":8,\"backends\":[{\"share\":0.75,"
        "\"backend\":\"a/one:80\",\"endpoints\":[{\"address\":\"10.9.0.1:3000\","
        "\"zone\":\"z\"}]},{\"share\":0.25,"
        "\"outcome\":\"500 (for gRPC UNAVAILABLE): rules[0].backendRefs[1]: no Service 'gone' "
        "in namespace 'a'\",\"remedy\":\"did you mean 'one'?\"}],\"notes\":[]}}");
    assert_told(whole, "proxyless/a/x", "POST", "xds:///echo.a:80/p.S/M", NULL,
                "{\"service\":\"a/echo:80\",\"routing\":\"producer GRPCRoutes: those of the "
                "Service's namespace\",\"rules\":[{\"rule\":\"GRPCRoute/a/r/0\","
                "\"file\":\"test.yaml\",\"line\":8,\"match\":\"any path\","
                "\"verdict\":\"takes the request\"}],"
                "\"decision\":{\"action\":\"error\",\"rule\":\"GRPCRoute/a/r/0\","
                "\"file\":\"test.yaml\",\"line\":8,\"code\":\"UNAVAILABLE\","
                "\"outcome\":\"UNAVAILABLE: rules[0].backendRefs[0]: no Service 'gone' in "
                "namespace 'a'\",\"remedy\":\"did you mean 'one'?\",\"notes\":[]}}");
}

static void test_what_grpc_clients_do_not_do(void **state)
{
    static const char yaml[] =
        ROUTE("HTTPRoute", "r", "a", OLD,
              "  - matches: [{queryParams: [{name: p, value: \"1\"}]}]\n"
              "  - matches: [{method: GET}]\n"
              "  - matches: [{headers: [{name: x-bin, value: \"1\"}]}]\n"
              "  - matches: [{headers: [{name: content-type, value: application/grpc}]}]\n"
              "    filters:\n"
              "    - type: RequestHeaderModifier\n"
              "      requestHeaderModifier: {remove: [x]}\n"
              "    backendRefs: [{name: one, port: 80}]\n") MESH;
    (void)state;
    assert_told(yaml, "proxyless/a/x", "POST", "xds:///echo.a:80/p.S/M", "x-bin: 1",
                "{\"service\":\"a/echo:80\",\"routing\":\"producer HTTPRoutes: those of the "
                "Service's namespace\",\"rules\":["
                "{\"rule\":\"HTTPRoute/a/r/1\",\"file\":\"test.yaml\",\"line\":9,"
                "\"match\":\"any path, method GET\","
                "\"verdict\":\"left out for gRPC clients: every call is a POST\"},"
                "{\"rule\":\"HTTPRoute/a/r/2\",\"file\":\"test.yaml\",\"line\":10,"
                "\"match\":\"any path, header x-bin=1\","
                "\"verdict\":\"there is no header 'x-bin'\"},"
                "{\"rule\":\"HTTPRoute/a/r/3\",\"file\":\"test.yaml\",\"line\":11,"
                "\"match\":\"any path, header content-type=application/grpc\","
                "\"verdict\":\"takes the request\"},"
                "{\"rule\":\"HTTPRoute/a/r/0\",\"file\":\"test.yaml\",\"line\":8,"
                "\"match\":\"any path, query p=1\","
                "\"verdict\":\"left out for gRPC clients: a call has no query\"}],"
                "\"decision\":{\"action\":\"forward\",\"rule\":\"HTTPRoute/a/r/3\","
                "\"file\":\"test.yaml\",\"line\":11," BACKEND_ONE
                ",\"ignored\":[\"removes the request header x\"],\"notes\":[]}}");
}

static void test_what_is_in_force(void **state)
{
    static const char yaml[] = ROUTE(
        "HTTPRoute", "r", "a", OLD,
        "  - timeouts: {request: 10s, backendRequest: 1500ms}\n"
        "    retry: {codes: [500, 503], attempts: 3, backoff: 20ms}\n"
        "    sessionPersistence: {cookie: {name: cart}}\n"
        "    filters:\n"
        "    - {type: CORS, cors: {allowOrigins: [\"*\"]}}\n"
        "    - type: RequestHeaderModifier\n"
        "      requestHeaderModifier:\n"
        "        {set: [{name: a, value: \"1\"}], add: [{name: b, value: \"2\"}], remove: [c]}\n"
        "    - type: URLRewrite\n"
        "      urlRewrite: {hostname: h.test, path: {type: ReplaceFullPath, "
        "replaceFullPath: /f}}\n"
        "    - {type: RequestMirror, requestMirror: {backendRef: {name: echo, port: 80}, "
        "percent: 5}}\n"
        "    backendRefs: [{name: one, port: 80}]\n") MESH;
#define BY_PROXIES                                                                                 \
    "\"removes the request header c\",\"sets the request header a: 1\","                           \
    "\"adds the request header b: 2\",\"the backend gets the Host h.test\","                       \
    "\"the path becomes /f\",\"5 of 100 requests are copied to a/echo:80\","                       \
    "\"preflights are answered, and allowed origins told (CORS)\","                                \
    "\"sessions are kept at their endpoint by the cookie cart\""
#define ATTEMPT "\"each attempt may take 1500ms\""
#define REQUEST "\"the request may take 10s\""
#define RETRIES "\"up to 3 retries when a connection fails and after 500, 503, 20ms apart\""
    (void)state;
    assert_told(yaml, "sidecar/a/x", "GET", "http://echo", NULL,
                FORWARD_RULE "\"in_force\":[" BY_PROXIES "," REQUEST "," ATTEMPT "," RETRIES
                             "],\"notes\":[]}}");
    assert_told(yaml, "proxyless/a/x", "POST", "xds:///echo.a:80/p.S/M", NULL,
                FORWARD_RULE "\"in_force\":[" REQUEST "," RETRIES "],\"ignored\":[" BY_PROXIES
                             "," ATTEMPT "],\"notes\":[]}}");
}

static void test_redirect(void **state)
{
    static const char yaml[] =
        ROUTE("HTTPRoute", "r", "a", OLD,
              "  - filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]\n") MESH;
#define REDIRECT_RULE                                                                              \
    "{\"service\":\"a/echo:80\",\"routing\":\"producer HTTPRoutes: those of the Service's "        \
    "namespace\",\"rules\":[{\"rule\":\"HTTPRoute/a/r/0\",\"file\":\"test.yaml\",\"line\":8,"      \
    "\"match\":\"any path\",\"verdict\":\"takes the request\"}],"
    (void)state;
    assert_told(yaml, "sidecar/a/x", "GET", "http://echo/", NULL,
                REDIRECT_RULE
                "\"decision\":{\"action\":\"redirect\",\"rule\":"
                "\"HTTPRoute/a/r/0\",\"file\":\"test.yaml\",\"line\":8,\"status\":302,"
                "\"outcome\":\"302: Location is https://echo/\",\"notes\":[]}}");
    assert_told(yaml, "proxyless/a/x", "POST", "xds:///echo.a:80/p.S/M", NULL,
                REDIRECT_RULE "\"decision\":{\"action\":\"error\",\"rule\":"
                              "\"HTTPRoute/a/r/0\",\"file\":\"test.yaml\",\"line\":8,\"code\":"
                              "\"UNAVAILABLE\",\"outcome\":\"UNAVAILABLE: the rule redirects "
                              "requests, which gRPC clients do not follow\",\"notes\":[]}}");
#undef REDIRECT_RULE
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_no_such_service),
        cmocka_unit_test(test_authorities),
        cmocka_unit_test(test_no_traffic),
        cmocka_unit_test(test_opaque),
        cmocka_unit_test(test_tcp_route),
        cmocka_unit_test(test_tls_routes),
        cmocka_unit_test(test_connection_to_http),
        cmocka_unit_test(test_no_endpoints),
        cmocka_unit_test(test_order_and_verdicts),
        cmocka_unit_test(test_consumer_route),
        cmocka_unit_test(test_error_shares),
        cmocka_unit_test(test_what_grpc_clients_do_not_do),
        cmocka_unit_test(test_what_is_in_force),
        cmocka_unit_test(test_redirect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
