/* SPDX-License-Identifier: Apache-2.0 */
/* Are a TLSRoute and a TCPRoute read with their defaults, and refused where the API would refuse
 * them? */
#include "model/route.h"
#include "model_rig.h"

#define HEAD(kind, version)                                                                        \
    "apiVersion: gateway.networking.k8s.io/" version "\nkind: " kind "\nmetadata: {name: a}\n"     \
    "spec:\n"
#define TCP HEAD("TCPRoute", "v1")
#define TLS HEAD("TLSRoute", "v1")
#define RULES "  rules: [{backendRefs: [{name: b, port: 1}]}]\n"

static void defaults(void **state)
{
    (void)state;
    struct rig rig;
    const struct l4_route *route = rig_object(&rig, TCP RULES);
    assert_true(str_eq(rig.result.key, STR("TCPRoute/default/a")));
    assert_int_equal(route->rules.len, 1);
    const struct backend_ref *backend = &route->rules.items[0].backends.items[0];
    assert_int_equal(backend->weight, 1);
    assert_true(str_eq(backend->ref.kind, STR("Service")));
    assert_int_equal(route->rules.items[0].line, 5);
    rig_release(&rig);

    route = rig_object(&rig, TLS "  hostnames: [a.example.com, \"*.example.com\", com]\n" RULES);
    assert_true(str_eq(rig.result.key, STR("TLSRoute/default/a")));
    assert_int_equal(route->route.hostnames.len, 3);
    rig_release(&rig);
}

static void round_trip(void **state)
{
    (void)state;
    rig_expect_round_trip(TCP
                          "  parentRefs: [{group: \"\", kind: Service, name: s, sectionName: p}]\n"
                          "  useDefaultGateways: None\n"
                          "  rules:\n"
                          "  - name: r\n"
                          "    backendRefs:\n"
                          "    - {name: b, port: 1, weight: 0}\n"
                          "    - {name: c, namespace: n, port: 65535, weight: 1000000}\n"
                          "    - {group: example.org, kind: Thing, name: d}\n");
    rig_expect_round_trip(TLS "  hostnames: [\"*.a\", b.a]\n" RULES);
}

static void wrong_tcp_routes(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"  rules: []\n", PROBLEM_out_of_range, "spec.rules", NULL},
        {"  parentRefs: []\n", PROBLEM_required, NULL, "a TCPRoute's spec lacks 'rules'"},
        {"  rules:\n  - {backendRefs: [{name: b, port: 1}]}\n"
         "  - {backendRefs: [{name: b, port: 2}]}\n",
         PROBLEM_out_of_range, "spec.rules", NULL},
        {"  rules: [{name: r}]\n", PROBLEM_required, NULL, "a rule lacks 'backendRefs'"},
        {"  rules: [{backendRefs: []}]\n", PROBLEM_out_of_range, "spec.rules[0].backendRefs", NULL},
        {"  rules: [{backendRefs: [{name: b}]}]\n", PROBLEM_union,
         "spec.rules[0].backendRefs[0].port", "the backendRef to Service 'b' lacks 'port'"},
        {"  rules: [{backendRefs: [{name: b, port: 1, weight: 1000001}]}]\n", PROBLEM_out_of_range,
         NULL, NULL},
        {"  rules: [{backendRefs: [{name: b, port: 1, filters: []}]}]\n", PROBLEM_unknown_field,
         "spec.rules[0].backendRefs[0].filters", NULL},
        {"  rules: [{matches: [], backendRefs: [{name: b, port: 1}]}]\n", PROBLEM_unknown_field,
         NULL, NULL},
        {"  hostnames: [a]\n" RULES, PROBLEM_unknown_field, "spec.hostnames", NULL},
        {"  parentRefs: [{name: p}, {name: p}]\n" RULES, PROBLEM_union, "spec.parentRefs[1]", NULL},
    };
    RIG_EXPECT_ALL(TCP, cases);
}

static void wrong_tls_routes(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {RULES, PROBLEM_required, NULL, "a TLSRoute's spec lacks 'hostnames'"},
        {"  hostnames: []\n" RULES, PROBLEM_out_of_range, "spec.hostnames", NULL},
        {"  hostnames: [10.0.0.1]\n" RULES, PROBLEM_bad_format, "spec.hostnames[0]",
         "'10.0.0.1' is not a server name"},
        {"  hostnames: [a, \"*\"]\n" RULES, PROBLEM_bad_format, "spec.hostnames[1]", NULL},
        {"  hostnames: [\"a.*.b\"]\n" RULES, PROBLEM_bad_format, NULL, NULL},
        {"  hostnames: [A.example.com]\n" RULES, PROBLEM_bad_format, NULL, NULL},
        {"  hostnames: [a]\n", PROBLEM_required, NULL, "a TLSRoute's spec lacks 'rules'"},
        {"  hostnames: [a]\n  rules: [{filters: [], backendRefs: [{name: b, port: 1}]}]\n",
         PROBLEM_unknown_field, NULL, NULL},
    };
    RIG_EXPECT_ALL(TLS, cases);
}

/* 1024 hostnames, not one more. */
static void hostnames_are_bounded(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        struct buf yaml;
        struct rig rig;
        buf_init(&yaml, BUF_UNLIMITED);
        buf_add_text(&yaml, TLS RULES "  hostnames: [h0");
        for (unsigned i = 1; i < 1024 + more; i++) {
            buf_printf(&yaml, ", h%u", i);
        }
        buf_add_text(&yaml, "]\n");
        buf_add_byte(&yaml, '\0');
        rig_read(&rig, (const char *)yaml.data);
        assert_int_equal(rig.problems.len, more);
        assert_true((rig.result.object == NULL) == (more == 1));
        rig_release(&rig);
        buf_release(&yaml);
    }
}

static void only_v1_is_served(void **state)
{
    (void)state;
    static const char *const documents[] = {
        HEAD("TCPRoute", "v1alpha2") RULES,
        HEAD("TLSRoute", "v1alpha2") "  hostnames: [a]\n" RULES,
        HEAD("TLSRoute", "v1alpha3") "  hostnames: [a]\n" RULES,
    };
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        rig_expect(documents[i], PROBLEM_unknown_version, "apiVersion", NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(wrong_tcp_routes),
        cmocka_unit_test(wrong_tls_routes),
        cmocka_unit_test(hostnames_are_bounded),
        cmocka_unit_test(only_v1_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
