/* SPDX-License-Identifier: Apache-2.0 */
/* Is a GRPCRoute read with its defaults, and refused where the API would refuse it? */
#include "model/route.h"
#include "model_rig.h"

#define HEAD                                                                                       \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: a}\nspec:\n"

static void defaults(void **state)
{
    (void)state;
    struct rig rig;
    const struct grpc_route *route =
        rig_object(&rig, HEAD "  rules:\n  - matches: [{method: {service: a.B}}]\n"
                              "    backendRefs: [{name: b, port: 1}]\n");
    const struct grpc_rule *rule = &route->rules.items[0];
    assert_int_equal(rule->matches.items[0].method->type, METHOD_EXACT);
    assert_int_equal(rule->matches.items[0].method->method.len, 0);
    assert_int_equal(rule->backends.items[0].weight, 1);
    rig_release(&rig);

    route = rig_object(&rig, HEAD "  hostnames: []\n");
    assert_int_equal(route->rules.len, 0);
    rig_release(&rig);
}

static void round_trip(void **state)
{
    (void)state;
    rig_expect_round_trip(
        HEAD "  rules:\n  - name: r\n"
             "    matches:\n"
             "    - method: {type: RegularExpression, service: \"a.*\"}\n"
             "      headers: [{name: x, value: \" y \"}]\n"
             "    - {}\n"
             "    filters:\n"
             "    - {type: ExtensionRef, extensionRef: {group: g, kind: K, name: n}}\n"
             "    - {type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}\n"
             "    sessionPersistence: {type: Header, header: {name: h}}\n");
}

static void wrong_routes(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"matches: [{method: {}}]\n", PROBLEM_union, "spec.rules[0].matches[0].method",
         "the method match names neither a service nor a method"},
        {"matches: [{method: {service: a/b}}]\n", PROBLEM_bad_format,
         "spec.rules[0].matches[0].method.service", "'a/b' is not the name of a gRPC service"},
        {"matches: [{method: {method: a.b}}]\n", PROBLEM_bad_format,
         "spec.rules[0].matches[0].method.method", NULL},
        {"matches: [{method: {type: RegularExpression, method: \"(\"}}]\n", PROBLEM_bad_format,
         NULL, "'(' is not a regular expression: a ')' is missing"},
        {"matches: [{method: {servic: a}}]\n", PROBLEM_unknown_field, NULL, NULL},
        {"matches: [{path: {}}]\n", PROBLEM_unknown_field, NULL, NULL},
        {"filters: [{type: RequestRedirect}]\n", PROBLEM_not_in_enum,
         "spec.rules[0].filters[0].type", "a GRPCRoute has no filter of type 'RequestRedirect'"},
        {"filters: [{type: ExtensionRef, cors: {}}]\n", PROBLEM_unknown_field, NULL, NULL},
        {"timeouts: {}\n", PROBLEM_unknown_field, "spec.rules[0].timeouts", NULL},
        {"backendRefs: [{name: b}]\n", PROBLEM_union, NULL, NULL},
    };
    RIG_EXPECT_ALL(HEAD "  rules:\n  - ", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(wrong_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
