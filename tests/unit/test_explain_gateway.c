/* SPDX-License-Identifier: Apache-2.0 */
/* test_explain_gateway: what is told of a request to a Gateway, word for word: the JSON of /api/why
 * without the client. tests/why has the same for people, and many more cases. */
#include "explain_rig.h"

#define API "---\napiVersion: gateway.networking.k8s.io/v1\n"
#define GATEWAY                                                                                    \
    API "kind: GatewayClass\nmetadata: {name: heddle}\n"                                           \
        "spec: {controllerName: heddle.dev/gateway-controller}\n" API                              \
        "kind: Gateway\nmetadata: {name: web, namespace: a}\nspec:\n  gatewayClassName: heddle\n"  \
        "  listeners:\n  - {name: shop, port: 80, protocol: HTTP, hostname: shop.example.com}\n"   \
        "  - {name: all, port: 80, protocol: HTTP}\n"
#define OF_GATEWAY(name, ns, hostnames, path)                                                      \
    API "kind: HTTPRoute\nmetadata: {name: " name ", namespace: " ns "}\nspec:\n"                  \
        "  parentRefs: [{name: web, namespace: a}]\n  hostnames: [" hostnames "]\n  rules:\n"      \
        "  - matches: [{path: {value: " path "}}]\n"                                               \
        "    backendRefs: [{name: one, port: 80}]\n"
#define OWN OF_GATEWAY("r", "a", "shop.example.com", "/cart")
#define NOT_ADMITTED OF_GATEWAY("team", "b", "shop.example.com", "/x")
#define ALL GATEWAY OWN MESH

#define SHOP                                                                                       \
    "{\"listener\":\"a/web/shop\",\"file\":\"test.yaml\",\"line\":13,\"port\":80,"                 \
    "\"protocol\":\"HTTP\",\"hostname\":\"shop.example.com\","                                     \
    "\"verdict\":\"takes the host 'shop.example.com'\"}"
#define EVERY                                                                                      \
    "{\"listener\":\"a/web/all\",\"file\":\"test.yaml\",\"line\":14,\"port\":80,"                  \
    "\"protocol\":\"HTTP\",\"hostname\":\"*\","                                                    \
    "\"verdict\":\"covers 'shop.example.com', too, but its hostname is less specific\"}"
#define TO_SHOP                                                                                    \
    "{\"gateway\":\"a/web\",\"listeners\":[" SHOP "," EVERY "],"                                   \
    "\"routing\":\"domain 'shop.example.com' of listener 'a/web/shop': the routes of its "         \
    "hostnames, the most specific first\","                                                        \
    "\"rules\":[{\"rule\":\"HTTPRoute/a/r/0\",\"file\":\"test.yaml\",\"line\":23,"                 \
    "\"hostname\":\"shop.example.com\",\"match\":\"path below /cart\",\"verdict\":"

static void test_forward(void **state)
{
    static const char wanted[] =
        TO_SHOP "\"takes the request\"}],\"decision\":{\"action\":\"forward\","
                "\"rule\":\"HTTPRoute/a/r/0\",\"file\":\"test.yaml\",\"line\":23," BACKEND_ONE ","
                "\"notes\":[]}}";
    (void)state;
    assert_told(ALL, "gateway/a/web", "GET", "http://Shop.example.com/cart", NULL, wanted);
}

static void test_no_rule(void **state)
{
    static const char wanted[] =
        TO_SHOP "\"path '/x' is not below '/cart'\"}],\"unattached\":[{\"route\":"
                "\"HTTPRoute/b/team\",\"file\":\"test.yaml\",\"line\":47,\"why\":"
                "\"NotAllowedByListeners: no listener of Gateway 'a/web' admits a HTTPRoute of "
                "namespace 'b'\"}],\"decision\":{\"action\":\"error\",\"status\":404,"
                "\"code\":\"UNIMPLEMENTED\",\"outcome\":\"404 (for gRPC UNIMPLEMENTED): no rule "
                "matches\",\"notes\":[]}}";
    (void)state;
    assert_told(ALL NOT_ADMITTED, "gateway/a/web", "GET", "http://10.0.0.9/x",
                "Host: shop.example.com:80", wanted);
}

static void test_no_gateway(void **state)
{
    static const char wanted[] =
        "{\"gateway\":\"a/gone\",\"routing\":\"there is no Gateway 'a/gone'\",\"decision\":{"
        "\"action\":\"error\",\"outcome\":\"the connection is closed: there is no Gateway "
        "'a/gone'\"}}";
    (void)state;
    assert_told(ALL, "gateway/a/gone", "GET", "http://shop.example.com/", NULL, wanted);
    assert_told(ALL, "gateway/a/gone", "", "udp://dns:53", NULL, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_no_rule),
        cmocka_unit_test(test_no_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
