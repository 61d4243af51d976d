/* SPDX-License-Identifier: Apache-2.0 */
/* Are Gateways, ListenerSets and BackendTLSPolicies read with their defaults? What the API refuses
 * is in tests/crd. */
#include "model/gateway.h"
#include "model/tls_policy.h"
#include "model_rig.h"

#define HEAD(kind) "apiVersion: gateway.networking.k8s.io/v1\nkind: " kind "\nmetadata: {name: a}\n"

static const char *const all_of_a_gateway =
    HEAD("Gateway") "spec:\n"
                    "  gatewayClassName: heddle\n"
                    "  defaultScope: All\n"
                    "  listeners:\n"
                    "  - {name: http, port: 80, protocol: HTTP, filters: {}}\n"
                    "  - name: https\n"
                    "    port: 443\n"
                    "    protocol: HTTPS\n"
                    "    hostname: '*.example.com'\n"
                    "    tls:\n"
                    "      certificateRefs: [{name: c}, {name: d, namespace: n}]\n"
                    "      options: {example.com/x: y}\n"
                    "    allowedRoutes:\n"
                    "      kinds: [{kind: HTTPRoute}, {group: example.com, kind: Thing}]\n"
                    "      namespaces: {from: Selector, selector: {matchLabels: {a: b}}}\n"
                    "  - {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}}\n"
                    "  - {name: new, port: 1, protocol: example.com/new}\n"
                    "  addresses: [{value: 10.0.0.1}, {type: Hostname, value: a.b}, {}]\n"
                    "  infrastructure:\n"
                    "    labels: {a: b}\n"
                    "    annotations: {c: d}\n"
                    "    parametersRef: {group: '', kind: ConfigMap, name: p}\n"
                    "  allowedListeners: {namespaces: {from: Same}}\n"
                    "  tls:\n"
                    "    backend: {clientCertificateRef: {name: client}}\n"
                    "    frontend:\n"
                    "      default:\n"
                    "        validation:\n"
                    "          caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]\n"
                    "      perPort:\n"
                    "      - {port: 443, tls: {}}\n"
                    "      - port: 444\n"
                    "        tls:\n"
                    "          validation:\n"
                    "            mode: AllowInsecureFallback\n"
                    "            caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]\n"
                    "status: {x: y}\n";

static void a_gateway(void **state)
{
    struct rig rig;
    (void)state;
    const struct gateway *gateway = rig_object(&rig, all_of_a_gateway);
    assert_true(str_eq(rig.result.key, STR("default/a")));
    assert_int_equal(gateway->listeners.len, 4);
    const struct listener *https = &gateway->listeners.items[1];
    assert_int_equal(https->line, 9);
    assert_int_equal(https->tls->mode, TLS_TERMINATE);
    assert_true(str_eq(https->tls->certificates.items[0].kind, STR("Secret")));
    assert_true(str_eq(https->tls->certificates.items[1].ns, STR("n")));
    assert_int_equal(https->allowed->from, FROM_SELECTOR);
    assert_int_equal(https->allowed->selector->labels.len, 1);
    assert_true(str_eq(https->allowed->kinds.items[0].group, STR("gateway.networking.k8s.io")));
    assert_null(gateway->listeners.items[0].allowed);
    assert_int_equal(gateway->listeners.items[2].tls->mode, TLS_PASSTHROUGH);
    assert_true(str_eq(gateway->addresses.items[0].type, STR("IPAddress")));
    assert_int_equal(gateway->addresses.items[2].value.len, 0);
    assert_true(str_eq(gateway->infrastructure->parameters->name, STR("p")));
    assert_int_equal(gateway->sets_from, FROM_SAME);
    assert_true(str_eq(gateway->tls->client_certificate->kind, STR("Secret")));
    assert_int_equal(gateway->tls->frontend->mode, FRONTEND_ALLOW_VALID_ONLY);
    assert_null(gateway->tls->ports.items[0].validation);
    assert_int_equal(gateway->tls->ports.items[1].validation->mode,
                     FRONTEND_ALLOW_INSECURE_FALLBACK);
    rig_release(&rig);
    rig_expect_round_trip(all_of_a_gateway);
}

#define LEAST                                                                                      \
    "spec: {gatewayClassName: c, listeners: [{name: l, port: 1, protocol: HTTP, allowedRoutes: "   \
    "{}}]}\n"

static void defaults_of_a_gateway(void **state)
{
    struct rig rig;
    (void)state;
    const struct gateway *gateway = rig_object(&rig, HEAD("Gateway") LEAST);
    assert_int_equal(gateway->sets_from, FROM_NONE);
    assert_null(gateway->sets_selector);
    assert_int_equal(gateway->listeners.items[0].allowed->from, FROM_SAME);
    assert_null(gateway->listeners.items[0].tls);
    assert_null(gateway->infrastructure);
    assert_null(gateway->tls);
    rig_release(&rig);
    rig_expect_round_trip(HEAD("Gateway") LEAST);
    rig_expect_round_trip("apiVersion: gateway.networking.k8s.io/v1beta1\nkind: Gateway\nmetadata: "
                          "{name: a}\n" LEAST);
}

/* The index of "None" is no value of a listener's `from`. */
static void no_routes_from_none(void **state)
{
    (void)state;
    rig_expect(HEAD("Gateway") "spec:\n  gatewayClassName: c\n"
                               "  listeners: [{name: l, port: 1, protocol: HTTP,"
                               " allowedRoutes: {namespaces: {from: None}}}]\n",
               PROBLEM_not_in_enum, "spec.listeners[0].allowedRoutes.namespaces.from", NULL);
}

static void a_listener_set(void **state)
{
    static const char yaml[] = HEAD("ListenerSet") "spec:\n"
                                                   "  parentRef: {name: g}\n"
                                                   "  listeners:\n"
                                                   "  - {name: l, port: 80, protocol: HTTP}\n";
    struct rig rig;
    (void)state;
    const struct listener_set *set = rig_object(&rig, yaml);
    assert_true(str_eq(set->parent.group, STR("gateway.networking.k8s.io")));
    assert_true(str_eq(set->parent.kind, STR("Gateway")));
    assert_int_equal(set->parent.ns.len, 0);
    assert_int_equal(set->listeners.items[0].port, 80);
    rig_release(&rig);
    rig_expect_round_trip(yaml);
}

static void a_policy(void **state)
{
    static const char yaml[] =
        HEAD("BackendTLSPolicy") "spec:\n"
                                 "  targetRefs:\n"
                                 "  - {group: '', kind: Service, name: s, sectionName: p}\n"
                                 "  - {group: '', kind: Service, name: t}\n"
                                 "  validation:\n"
                                 "    wellKnownCACertificates: System\n"
                                 "    hostname: a.b\n"
                                 "    subjectAltNames:\n"
                                 "    - {type: Hostname, hostname: '*.a'}\n"
                                 "    - {type: URI, uri: 'spiffe://a/b'}\n"
                                 "  options: {a: b}\n";
    struct rig rig;
    (void)state;
    const struct tls_policy *policy = rig_object(&rig, yaml);
    assert_int_equal(policy->targets.len, 2);
    assert_int_equal(policy->targets.items[1].line, 7);
    assert_true(str_eq(policy->well_known, STR("System")));
    assert_int_equal(policy->sans.items[1].type, SAN_URI);
    rig_release(&rig);
    rig_expect_round_trip(yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway),
        cmocka_unit_test(defaults_of_a_gateway),
        cmocka_unit_test(no_routes_from_none),
        cmocka_unit_test(a_listener_set),
        cmocka_unit_test(a_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
