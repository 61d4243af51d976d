/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateways: Gateways of a cluster, many listeners, what wakes whom. What a directory shows is
 * in tests/golden/gateway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/attachment.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "mesh_rig.h"
#include "resolve/listener.h"
#include "x509_rig.h"

#define CLASS                                                                                      \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: heddle}\n"     \
    "spec: {controllerName: heddle.dev/gateway-controller}\n---\n"
#define GATEWAY                                                                                    \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: web, namespace: "   \
    "shop}\nspec:\n  gatewayClassName: heddle\n"                                                   \
    "  allowedListeners: {namespaces: {from: All}}\n"
#define HTTP_80 "  listeners: [{name: http, port: 80, protocol: HTTP}]\n"

static struct mesh *new_mesh(bool kubernetes)
{
    const struct mesh_settings settings = {
        .cluster_domain = STR("cluster.local"),
        .trust_domain = STR("cluster.local"),
        .kubernetes = kubernetes,
        .check = true,
    };
    return mesh_new(&settings);
}

static const struct status *status_at(const struct mesh *mesh, unsigned table, const char *key)
{
    const struct status *status =
        (const struct status *)engine_get(mesh_engine(mesh), table, str_from(key));
    assert_non_null(status);
    return status;
}

static const struct status *gateway_status(const struct mesh *mesh)
{
    return status_at(mesh, T_GATEWAY_STATUS, "shop/web");
}

/* "True Accepted"; of a type that is not there "-". */
static const char *say(const struct condition *items, size_t len, const char *type)
{
    static char text[128];
    for (size_t i = 0; i < len; i++) {
        const struct condition_info *info = condition_info((enum condition_id)items[i].id);
        if (strcmp(info->type, type) == 0) {
            (void)snprintf(text, sizeof(text), "%s %s", info->status ? "True" : "False",
                           info->reason);
            return text;
        }
    }
    return "-";
}

static const char *gateway_says(const struct mesh *mesh, const char *type)
{
    const struct status *status = gateway_status(mesh);
    return say(status->conditions.items, status->conditions.len, type);
}

static const char *gateway_message(const struct mesh *mesh, const char *type)
{
    const struct status *status = gateway_status(mesh);
    for (size_t i = 0; i < status->conditions.len; i++) {
        const struct condition *condition = &status->conditions.items[i];
        if (strcmp(condition_info((enum condition_id)condition->id)->type, type) == 0) {
            return condition->message.ptr;
        }
    }
    return "-";
}

static const char *listener_says(const struct status *status, size_t nth, const char *type)
{
    assert_true(nth < status->listeners.len);
    return say(status->listeners.items[nth].conditions.items,
               status->listeners.items[nth].conditions.len, type);
}

/* --- in a cluster ---------------------------------------------------------------------------- */

static void test_ports(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    static const struct {
        int port;
        bool good;
    } cases[] = {{80, true},     {64511, true},  {64512, false}, {65535, false}, {14999, true},
                 {15000, false}, {15020, false}, {15090, false}, {15091, true}};
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    buf_add_text(&yaml, CLASS GATEWAY "  listeners:\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_printf(&yaml, "  - {name: l%zu, port: %d, protocol: HTTP}\n", i, cases[i].port);
    }
    rig_apply_str(mesh, buf_str(&yaml));
    rig_turn(mesh);
    const struct status *status = gateway_status(mesh);
    assert_int_equal(status->listeners.len, sizeof(cases) / sizeof(cases[0]));
    for (size_t i = 0; i < status->listeners.len; i++) {
        assert_string_equal(listener_says(status, i, "Accepted"),
                            cases[i].good ? "True Accepted" : "False PortUnavailable");
        assert_string_equal(listener_says(status, i, "Programmed"),
                            cases[i].good ? "False Pending" : "False PortUnavailable");
    }
    assert_string_equal(gateway_says(mesh, "Accepted"), "True ListenersNotValid");
    mesh_free(mesh);
    mesh = new_mesh(false); /* elsewhere nothing else is in the way */
    rig_apply_str(mesh, buf_str(&yaml));
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "Accepted"), "True Accepted");
    buf_release(&yaml);
    mesh_free(mesh);
}

static void place(struct mesh *mesh, const char *address, int32_t ready, const char *error,
                  bool unusable)
{
    struct placed_row *row = row_new(sizeof(*row), 256);
    struct arena *arena = &row->row.arena;
    row->addresses.items = ARENA_ARRAY(arena, 1, struct ir_address);
    if (address != NULL) {
        row->addresses.items[row->addresses.len++] =
            (struct ir_address){STR("IPAddress"), arena_str(arena, str_from(address))};
    }
    row->ready = ready;
    row->error = arena_str(arena, str_from(error));
    row->address_unusable = unusable;
    mesh_put_placed(mesh, STR("shop/web"), row);
    rig_turn(mesh);
}

static void test_programmed(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    rig_apply(mesh, CLASS GATEWAY HTTP_80);
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "Accepted"), "True Accepted");
    assert_string_equal(gateway_says(mesh, "Programmed"), "False Pending");
    assert_int_equal(gateway_status(mesh)->addresses.len, 0);
    place(mesh, NULL, 1, "", false);
    assert_string_equal(gateway_says(mesh, "Programmed"), "False AddressNotAssigned");
    place(mesh, "10.0.0.1", 0, "", false);
    assert_string_equal(gateway_says(mesh, "Programmed"), "False Pending");
    assert_int_equal(gateway_status(mesh)->addresses.len, 1);
    place(mesh, "10.0.0.1", 1, "no such address", true);
    assert_string_equal(gateway_says(mesh, "Programmed"), "False AddressNotUsable");
    place(mesh, "10.0.0.1", 1, "forbidden", false);
    assert_string_equal(gateway_says(mesh, "Programmed"), "False Pending");
    assert_string_equal(listener_says(gateway_status(mesh), 0, "Programmed"), "False Pending");
    place(mesh, "10.0.0.1", 1, "", false);
    assert_string_equal(gateway_says(mesh, "Programmed"), "True Programmed");
    assert_string_equal(listener_says(gateway_status(mesh), 0, "Programmed"), "True Programmed");
    assert_true(str_eq(gateway_status(mesh)->addresses.items[0].value, STR("10.0.0.1")));
    struct placed_row *row = row_new(sizeof(*row), 256);
    row->addresses.items = ARENA_ARRAY(&row->row.arena, 1, struct ir_address);
    row->addresses.items[row->addresses.len++] =
        (struct ir_address){STR("IPAddress"), STR("10.0.0.1")};
    row->ready = 2;
    row->former = STR("Deployment 'shop/web-next' has yet to become ready");
    mesh_put_placed(mesh, STR("shop/web"), row);
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "Programmed"), "True Programmed");
    assert_string_equal(
        gateway_message(mesh, "Programmed"),
        "2 Envoys are ready, of the class that the Gateway had before: Deployment 'shop/web-next' "
        "has yet to become ready");
    mesh_put_placed(mesh, STR("shop/web"), NULL);
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "Programmed"), "False Pending");
    mesh_free(mesh);
}

static void test_hostname_address(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    rig_apply(mesh, CLASS GATEWAY HTTP_80
              "  addresses: [{type: Hostname, value: lb.example.com}, {type: Hostname}]\n");
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "Accepted"), "True Accepted");
    const struct ir_gateway *gateway =
        (const struct ir_gateway *)engine_get(mesh_engine(mesh), T_GATEWAYS, STR("shop/web"));
    assert_int_equal(gateway->wanted.len, 1); /* the other has no value */
    mesh_free(mesh);
}

/* --- many listeners -------------------------------------------------------------------------- */

static void put_sets(struct mesh *mesh, unsigned sets, unsigned each)
{
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    for (unsigned i = 0; i < sets; i++) {
        buf_clear(&yaml);
        buf_printf(&yaml,
                   "apiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet\n"
                   "metadata: {name: s%05u, namespace: shop}\nspec:\n  parentRef: {name: web}\n"
                   "  listeners:\n",
                   i);
        for (unsigned j = 0; j < each; j++) {
            buf_printf(&yaml, "  - {name: l%u, port: 80, protocol: HTTP, hostname: h%u-%u.test}\n",
                       j, i, j);
        }
        rig_apply_str(mesh, buf_str(&yaml));
    }
    buf_release(&yaml);
}

static size_t served(const struct mesh *mesh)
{
    const struct ir_gateway *gateway =
        (const struct ir_gateway *)engine_get(mesh_engine(mesh), T_GATEWAYS, STR("shop/web"));
    size_t n = 0;
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        n += gateway->listeners.items[i].served;
    }
    return n;
}

static void test_thousand_listeners(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    rig_apply(mesh, CLASS GATEWAY HTTP_80);
    put_sets(mesh, 500, 2);
    rig_turn(mesh);
    assert_int_equal(served(mesh), 1001);
    assert_int_equal(gateway_status(mesh)->attached_sets, 500);
    assert_string_equal(gateway_says(mesh, "Accepted"), "True Accepted");
    mesh_free(mesh);
}

static void test_too_many_listeners(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    rig_apply(mesh, CLASS GATEWAY HTTP_80);
    put_sets(mesh, 10000 / GATEWAY_LISTENERS_MAX, GATEWAY_LISTENERS_MAX);
    rig_turn(mesh);
    assert_int_equal(served(mesh), LISTENERS_MAX);
    const struct status *status = status_at(mesh, T_LISTENERSET_STATUS, "shop/s00100");
    assert_string_equal(listener_says(status, 0, "Accepted"), "False TooManyListeners");
    assert_string_equal(say(status->conditions.items, status->conditions.len, "Accepted"),
                        "False ListenersNotValid");
    assert_string_equal(gateway_says(mesh, "Accepted"), "True ListenersNotValid");
    mesh_free(mesh);
}

/* --- what wakes whom ------------------------------------------------------------------------- */

static uint64_t evaluations(const struct mesh *mesh)
{
    return engine_stats(mesh_engine(mesh), T_GATEWAYS).evaluations;
}

static void test_routes_wake_no_gateway(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    rig_apply(mesh, CLASS GATEWAY HTTP_80);
    rig_turn(mesh);
    uint64_t before = evaluations(mesh);
    rig_apply(mesh,
              "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
              "metadata: {name: r, namespace: shop}\nspec: {parentRefs: [{name: web}]}\n---\n"
              "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\n"
              "metadata: {name: other, namespace: shop}\nstringData: {tls.crt: a, tls.key: b}\n");
    rig_turn(mesh);
    assert_int_equal(evaluations(mesh), before);
    assert_int_equal(gateway_status(mesh)->listeners.items[0].attached, 1);
    rig_delete(mesh, KIND_HTTPROUTE, "HTTPRoute/shop/r");
    rig_turn(mesh);
    assert_int_equal(evaluations(mesh), before);
    assert_int_equal(gateway_status(mesh)->listeners.items[0].attached, 0);
    mesh_free(mesh);
}

#define ROUTE                                                                                      \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"                                  \
    "metadata: {name: %s, namespace: shop}\nspec: {parentRefs: [{%s}], hostnames: [%s]}\n"

static void put_route(struct mesh *mesh, const char *name, const char *parent, const char *host)
{
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    buf_printf(&yaml, ROUTE, name, parent, host);
    rig_apply_str(mesh, buf_str(&yaml));
    buf_release(&yaml);
}

/* A ListenerSet more is read by no route of another, and by no domain that it does not own. */
static void test_listener_wakes_its_own(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    rig_apply(mesh, CLASS GATEWAY HTTP_80);
    put_sets(mesh, 2, 2);
    put_route(mesh, "of-gateway", "name: web", "h2-0.test, other.test");
    put_route(mesh, "of-set", "kind: ListenerSet, name: s00000, sectionName: l0", "h0-0.test");
    rig_turn(mesh);
    const struct engine *engine = mesh_engine(mesh);
    uint64_t attached = engine_stats(engine, T_ATTACHMENT).evaluations;
    uint64_t routed = engine_stats(engine, T_GATEWAY_ROUTING).evaluations;
    put_sets(mesh, 3, 2);
    rig_turn(mesh);
    assert_int_equal(engine_stats(engine, T_ATTACHMENT).evaluations, attached);
    /* h2-0.test changes hands, h2-1.test is new */
    assert_int_equal(engine_stats(engine, T_GATEWAY_ROUTING).evaluations, routed + 2);
    const struct ir_routing *taken = (const struct ir_routing *)engine_get(
        engine, T_GATEWAY_ROUTING, STR("gateway/shop/web:80|h2-0.test"));
    assert_true(str_eq(taken->listener, STR("shop/web/shop/s00002/l0")));
    mesh_free(mesh);
}

static void test_class_comes_and_goes(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    rig_apply(mesh, GATEWAY HTTP_80);
    rig_turn(mesh);
    assert_null(engine_get(mesh_engine(mesh), T_GATEWAYS, STR("shop/web")));
    rig_apply(mesh, "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\n"
                    "metadata: {name: heddle}\n"
                    "spec: {controllerName: heddle.dev/gateway-controller}\n");
    rig_turn(mesh);
    assert_non_null(engine_get(mesh_engine(mesh), T_GATEWAYS, STR("shop/web")));
    rig_delete(mesh, KIND_GATEWAYCLASS, "heddle");
    rig_turn(mesh);
    assert_null(engine_get(mesh_engine(mesh), T_GATEWAY_STATUS, STR("shop/web")));
    mesh_free(mesh);
}

/* --- what an Envoy rejects ------------------------------------------------------------------- */

static void test_rejected(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(false);
    rig_apply(mesh, CLASS GATEWAY HTTP_80);
    rig_open(mesh, 1, "gateway/shop/web", "envoy");
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "Programmed"), "True Programmed");
    assert_string_equal(gateway_says(mesh, "heddle.dev/Programmed"), "-");
    const struct resource *listener =
        rig_resource(mesh, XDS_LDS, "gateway/shop/web", "gateway/shop/web:80");
    assert_non_null(listener);
    mesh_rejected(mesh, 1, XDS_LDS, &listener, 1, STR("address in use"));
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "heddle.dev/Programmed"), "False Rejected");
    mesh_accepted(mesh, 1, XDS_LDS, &listener, 1);
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "heddle.dev/Programmed"), "-");
    mesh_close(mesh, 1);
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "Programmed"), "False Pending");
    mesh_free(mesh);
}

/* "key: |" and the text, in. */
static void put_pem(struct buf *yaml, const char *key, const struct buf *pem)
{
    struct str rest = buf_str(pem);
    buf_printf(yaml, "  %s: |\n", key);
    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        buf_printf(yaml, "    %.*s\n", STR_FMT(line));
    }
}

static void put_tls_gateway(struct buf *yaml, const char *name)
{
    buf_printf(yaml,
               "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
               "metadata: {name: %s, namespace: shop}\nspec:\n  gatewayClassName: heddle\n"
               "  listeners:\n  - {name: https, port: 443, protocol: HTTPS,\n"
               "     tls: {certificateRefs: [{name: pair}]}}\n"
               "  tls: {frontend: {default: {validation: {caCertificateRefs:\n"
               "    [{group: '', kind: ConfigMap, name: ca}]}}}}\n",
               name);
}

/* Two Gateways are sent the same certificate and the same authority: it counts whose Envoy rejects
 * them. */
static void test_rejected_secrets(void **state)
{
    static const char *const secrets[] = {"cert/shop/pair", "ca/shop/ca"};
    struct mesh *mesh = new_mesh(false);
    struct x509_pair pair;
    struct buf yaml;
    (void)state;
    x509_rig_ec("P-256", &pair);
    buf_init(&yaml, BUF_UNLIMITED);
    buf_printf(&yaml, CLASS "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\n"
                            "metadata: {name: pair, namespace: shop}\nstringData:\n");
    put_pem(&yaml, "tls.crt", &pair.cert);
    put_pem(&yaml, "tls.key", &pair.key);
    buf_printf(&yaml, "---\napiVersion: v1\nkind: ConfigMap\n"
                      "metadata: {name: ca, namespace: shop}\ndata:\n");
    put_pem(&yaml, "ca.crt", &pair.cert);
    put_tls_gateway(&yaml, "web");
    put_tls_gateway(&yaml, "other");
    rig_apply_str(mesh, buf_str(&yaml));
    rig_open(mesh, 1, "gateway/shop/web", "envoy");
    rig_open(mesh, 2, "gateway/shop/other", "envoy");
    rig_turn(mesh);
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        const struct resource *secret =
            rig_resource(mesh, XDS_SDS, "gateway/shop/other", secrets[i]);
        assert_non_null(secret);
        mesh_rejected(mesh, 2, XDS_SDS, &secret, 1, STR("no"));
        rig_turn(mesh);
        const struct status *other = status_at(mesh, T_GATEWAY_STATUS, "shop/other");
        assert_string_equal(
            say(other->conditions.items, other->conditions.len, "heddle.dev/Programmed"),
            "False Rejected");
        assert_string_equal(gateway_says(mesh, "heddle.dev/Programmed"), "-");
        mesh_accepted(mesh, 2, XDS_SDS, &secret, 1);
        rig_turn(mesh);
    }
    buf_release(&yaml);
    x509_rig_release(&pair);
    mesh_free(mesh);
}

/* --- what cannot be read --------------------------------------------------------------------- */

static void put_fault(struct mesh *mesh, const char *yaml, enum kind_id kind, const char *key)
{
    struct arena arena;
    struct doc *docs;
    size_t len;
    struct problems problems;
    arena_init(&arena);
    doc_parse(&arena, str_from(yaml), &docs, &len);
    problems_init(&problems, &arena);
    problems_report(&problems, PROBLEM_bad_format, 1, 1, STR("spec.x"), STR("mend it"), "is odd");
    mesh_put_fault(mesh, fault_new(kind, docs[0].root, &problems), str_from(key));
    arena_release(&arena);
    rig_turn(mesh);
}

static void test_unreadable(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    rig_apply(mesh, CLASS GATEWAY HTTP_80
              "---\napiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet\n"
              "metadata: {name: web, namespace: shop}\nspec:\n  parentRef: {name: web}\n"
              "  listeners: [{name: more, port: 81, protocol: HTTP}]\n");
    rig_turn(mesh);
    assert_string_equal(gateway_says(mesh, "Accepted"), "True Accepted");
    put_fault(mesh, "metadata: {name: web, namespace: shop, generation: 7}\n", KIND_GATEWAY,
              "shop/web");
    assert_string_equal(gateway_says(mesh, "Accepted"), "False Invalid");
    assert_int_equal(gateway_status(mesh)->generation, 7);
    assert_int_equal(served(mesh), 2); /* what was readable stays in force */
    put_fault(mesh, "metadata: {name: web, namespace: shop, generation: 3}\n", KIND_LISTENERSET,
              "shop/web");
    const struct status *status = status_at(mesh, T_LISTENERSET_STATUS, "shop/web");
    assert_string_equal(say(status->conditions.items, status->conditions.len, "Accepted"),
                        "False Invalid");
    mesh_free(mesh);
}

/* "Routes with any other value for the Accepted condition MUST NOT be included" (AttachedRoutes):
 * an older generation is in force, but of the route Accepted is False. */
static void test_unreadable_route_is_not_counted(void **state)
{
    (void)state;
    struct mesh *mesh = new_mesh(true);
    rig_apply(mesh, CLASS GATEWAY HTTP_80);
    put_route(mesh, "a", "name: web", "a.test");
    put_route(mesh, "b", "name: web", "b.test");
    rig_turn(mesh);
    assert_int_equal(gateway_status(mesh)->listeners.items[0].attached, 2);
    put_fault(mesh,
              "metadata: {name: a, namespace: shop, generation: 2}\n"
              "spec: {parentRefs: [{name: web}]}\n",
              KIND_HTTPROUTE, "HTTPRoute/shop/a");
    const struct status *status = status_at(mesh, T_STATUS, "HTTPRoute/shop/a");
    assert_int_equal(status->parents.items[0].conditions.items[0].id, C_unreadable);
    assert_non_null(engine_get(mesh_engine(mesh), T_GATEWAY_ROUTING,
                               STR("gateway/shop/web:80|a.test"))); /* it is in force */
    assert_int_equal(gateway_status(mesh)->listeners.items[0].attached, 1);
    put_route(mesh, "a", "name: web", "a.test");
    rig_turn(mesh);
    assert_int_equal(gateway_status(mesh)->listeners.items[0].attached, 2);
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_programmed),
        cmocka_unit_test(test_hostname_address),
        cmocka_unit_test(test_thousand_listeners),
        cmocka_unit_test(test_too_many_listeners),
        cmocka_unit_test(test_routes_wake_no_gateway),
        cmocka_unit_test(test_listener_wakes_its_own),
        cmocka_unit_test(test_class_comes_and_goes),
        cmocka_unit_test(test_rejected),
        cmocka_unit_test(test_rejected_secrets),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_unreadable_route_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
