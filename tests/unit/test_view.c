/* SPDX-License-Identifier: Apache-2.0 */
/* test_view: what a node says of itself -> its class -> the chain of its scopes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mesh_rig.h"

#define assert_str(s, text) assert_true(str_eq((s), STR(text)))

/* "scope scope …" of a node, or "refused: why" */
static const char *scopes(const char *id, const char *user_agent, const char *metadata)
{
    static char text[512];
    struct node *node = rig_node(id, user_agent, metadata);
    struct client_class class;
    struct err err;
    struct arena arena;
    arena_init(&arena);
    if (!client_classify(node, &arena, &class, &err)) {
        (void)snprintf(text, sizeof(text), "refused: %.400s", err.text);
    } else {
        struct view view;
        client_view(&class, &arena, &view);
        size_t len = 0;
        for (unsigned i = 0; i < view.nscopes; i++) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s%s", i > 0 ? " " : "",
                                    STR_FMT(view.scopes[i]),
                                    view.on_demand[XDS_LDS] == (int)i ? "!" : "");
        }
    }
    arena_release(&arena);
    node_free(node);
    return text;
}

static void test_sidecars(void **state)
{
    (void)state;
    assert_string_equal(scopes("sidecar/shop/app", "envoy", ""),
                        "sidecar.redirect@shop sidecar.redirect envoy@shop envoy all");
    assert_string_equal(scopes("sidecar/shop/app", "envoy", "interception=redirect"),
                        "sidecar.redirect@shop sidecar.redirect envoy@shop envoy all");
    assert_string_equal(scopes("sidecar/shop/app", "envoy", "interception=none"),
                        "sidecar.bind@shop sidecar.bind envoy@shop envoy all");
    assert_string_equal(
        scopes("sidecar/shop/app", "", "inbound=127.0.0.1:1>127.0.0.1:2 interception=none"),
        "inbound/127.0.0.1:1>127.0.0.1:2 sidecar.bind@shop sidecar.bind envoy@shop envoy all");
    assert_string_equal(scopes("sidecar/shop/app", "", "ipv6=true"),
                        "sidecar.redirect6 sidecar.redirect@shop sidecar.redirect envoy@shop envoy "
                        "all");
    assert_string_equal(scopes("sidecar/shop/app", "", "ipv6=false"),
                        "sidecar.redirect@shop sidecar.redirect envoy@shop envoy all");
    assert_string_equal(scopes("sidecar/shop/app", "", "interception=none ipv6=true"),
                        "sidecar.bind@shop sidecar.bind envoy@shop envoy all");
    /* Behind interception there is one inbound listener for everything. */
    assert_string_equal(scopes("sidecar/shop/app", "", "inbound=127.0.0.1:1>127.0.0.1:2"),
                        "sidecar.redirect@shop sidecar.redirect envoy@shop envoy all");
}

static void test_proxyless(void **state)
{
    (void)state;
    assert_string_equal(scopes("proxyless/shop/app", "gRPC Go", ""),
                        "grpc.go@shop grpc@shop grpc.go! grpc all grpc.stateless");
    assert_string_equal(scopes("proxyless/shop/app", "gRPC C-core linux Python", ""),
                        "grpc.core@shop grpc@shop grpc.core! grpc all grpc.early");
    assert_string_equal(scopes("proxyless/shop/app", "gRPC Java", ""),
                        "grpc.core@shop grpc@shop grpc.core! grpc all grpc.stateless");
    assert_string_equal(scopes("proxyless/shop/app", "gRPC Node Pure JS", ""),
                        "grpc.node@shop grpc@shop grpc.node! grpc all grpc.stateless");
    assert_string_equal(scopes("proxyless/shop/app", "grpc-of-somebody", ""),
                        "grpc.core@shop grpc@shop grpc.core! grpc all grpc.stateless");
}

static void test_foreign_nodes(void **state)
{
    (void)state;
    assert_string_equal(scopes("some-envoy", "envoy", ""),
                        "sidecar.redirect@default sidecar.redirect envoy@default envoy all");
    assert_string_equal(scopes("router~10.0.0.1~x", "gRPC Go", "namespace=shop"),
                        "grpc.go@shop grpc@shop grpc.go! grpc all grpc.stateless");
    /* Four parts, or a namespace that is none, make it a foreign node. */
    assert_string_equal(scopes("proxyless/shop/app/x", "gRPC Go", ""),
                        "grpc.go@default grpc@default grpc.go! grpc all grpc.stateless");
    assert_string_equal(scopes("proxyless/Shop/app", "gRPC Go", ""),
                        "grpc.go@default grpc@default grpc.go! grpc all grpc.stateless");
}

static void test_places(void **state)
{
    (void)state;
    assert_string_equal(scopes("proxyless/shop/app", "gRPC Go", "zone=a"),
                        "grpc.go@shop grpc@shop grpc.go! grpc all@zone/a all grpc.stateless");
    assert_string_equal(
        scopes("sidecar/shop/app", "envoy",
               "inbound=127.0.0.1:1>127.0.0.1:2 interception=none node_name=n1.x zone=eu-1a"),
        "inbound/127.0.0.1:1>127.0.0.1:2 sidecar.bind@shop sidecar.bind envoy@shop envoy "
        "all@node/n1.x all@zone/eu-1a all");
    /* What cannot be the name of a zone or node is as good as none. */
    assert_string_equal(scopes("proxyless/shop/app", "gRPC Go", "zone=a/b node_name=N_1"),
                        "grpc.go@shop grpc@shop grpc.go! grpc all grpc.stateless");
    assert_string_equal(scopes("proxyless/shop/app", "gRPC Go", "zone=a@b node_name=@"),
                        "grpc.go@shop grpc@shop grpc.go! grpc all grpc.stateless");
}

static void test_gateways(void **state)
{
    (void)state;
    assert_string_equal(scopes("gateway/infra/front", "envoy", ""), "gateway/infra/front all");
    assert_string_equal(
        scopes("gateway/infra/front-7d4-x2", "envoy", "gateway=front node_name=n1 zone=eu-1a"),
        "gateway/infra/front all@node/n1 all@zone/eu-1a all");
    assert_string_equal(scopes("gateway/infra/front", "envoy", "ipv6=true mesh_routes=true"),
                        "gateway6/infra/front gateway/infra/front envoy@infra envoy all");
    /* Neither interception nor another Gateway's scope by a name with a slash. */
    assert_string_equal(scopes("gateway/infra/front", "envoy", "interception=none"),
                        "gateway/infra/front all");
    assert_string_equal(scopes("gateway/infra/front", "envoy", "gateway=x/y"),
                        "refused: node 'gateway/infra/front': 'x/y' is no Gateway's name; set "
                        "node.metadata.gateway to the name of its Gateway");
    assert_string_equal(scopes("gateway/infra/Front", "envoy", ""),
                        "refused: node 'gateway/infra/Front': 'Front' is no Gateway's name; set "
                        "node.metadata.gateway to the name of its Gateway");
}

/* "" or why a node with that certificate is refused. */
static const char *proof(bool kubernetes, const char *id, const char *metadata,
                         const char *identity)
{
    static char text[512];
    struct settings_row settings = {.trust_domain = STR("mesh.test"), .kubernetes = kubernetes};
    struct node *node = rig_node(id, "envoy", metadata);
    struct client_class class;
    struct arena arena;
    struct err err = {""};
    arena_init(&arena);
    node->identity = str_from(identity);
    assert_true(client_classify(node, &arena, &class, &err));
    bool ok = client_prove(node, &class, &settings, &err);
    (void)snprintf(text, sizeof(text), "%s", ok ? "" : err.text);
    arena_release(&arena);
    node_free(node);
    return text;
}

static void test_gateways_prove_who_they_are(void **state)
{
    (void)state;
    const char *pod = "gateway/infra/front-x2";
    const char *of = "gateway=front";
    assert_string_equal(proof(true, pod, of, "spiffe://mesh.test/gateway/infra/front"), "");
    assert_string_equal(proof(true, pod, of, ""),
                        "node 'gateway/infra/front-x2' shows no certificate, and only who proves "
                        "to be Gateway 'infra/front' is sent its keys; connect to heddle's port "
                        "for TLS (--xds-tls, 15011) with a client certificate for "
                        "'spiffe://mesh.test/gateway/infra/front'");
    static const char *const others[] = {
        "spiffe://mesh.test/gateway/infra/back",     "spiffe://mesh.test/gateway/shop/front",
        "spiffe://other.test/gateway/infra/front",   "spiffe://mesh.test/gateway/infra/front/x",
        "spiffe://mesh.test/ns/infra/sa/front",      "spiffe://mesh.test/gateway/infra/fron",
        "spiffe://mesh.test/gateway/infra/front-x2",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const char *why = proof(true, pod, of, others[i]);
        assert_non_null(strstr(why, "but its certificate is for 'spiffe://"));
        assert_non_null(strstr(why, "it must be for 'spiffe://mesh.test/gateway/infra/front'"));
    }
    /* Where people run Envoy, files say all there is to say; and others have no secrets. */
    assert_string_equal(proof(false, pod, of, ""), "");
    assert_string_equal(proof(true, "sidecar/shop/app", "", ""), "");
    assert_string_equal(proof(true, "some-envoy", "", ""), "");
}

static void test_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(scopes("sidecar/a/b", "", "interception=maybe"), "must be redirect"));
    assert_non_null(
        strstr(scopes("sidecar/a/b", "", "inbound=x interception=none"), "is not LISTEN>APP"));
    assert_non_null(strstr(scopes("x", "", "namespace=a@b"), "is not a namespace"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sidecars),      cmocka_unit_test(test_proxyless),
        cmocka_unit_test(test_foreign_nodes), cmocka_unit_test(test_places),
        cmocka_unit_test(test_gateways),      cmocka_unit_test(test_gateways_prove_who_they_are),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
