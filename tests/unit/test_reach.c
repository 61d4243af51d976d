/* SPDX-License-Identifier: Apache-2.0 */
/* Are rules that can never be reached found, and no others? */
#include "model_rig.h"

#define HTTP                                                                                       \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\n"             \
    "spec:\n  rules:\n"
#define GRPC                                                                                       \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: a}\n"             \
    "spec:\n  rules:\n"

static size_t unreachable(const char *head, const char *rules)
{
    char yaml[2048];
    struct rig rig;
    size_t len = 0;
    snprintf(yaml, sizeof(yaml), "%s%s", head, rules);
    rig_read(&rig, yaml);
    assert_non_null(rig.result.object);
    for (size_t i = 0; i < rig.problems.len; i++) {
        len += rig.problems.items[i].code == PROBLEM_unreachable_rule ? 1 : 0;
    }
    rig_release(&rig);
    return len;
}

/* All are reached. */
static void expect_none(const char *head, const char *rules)
{
    assert_int_equal(unreachable(head, rules), 0);
}

static void expect_one(const char *head, const char *rules, const char *path, const char *text)
{
    char yaml[2048];
    snprintf(yaml, sizeof(yaml), "%s%s", head, rules);
    rig_expect(yaml, PROBLEM_unreachable_rule, path, text);
}

static void equal_rules(void **state)
{
    (void)state;
    struct rig rig;
    rig_read(&rig, HTTP "  - backendRefs: [{name: a, port: 1, weight: 9}]\n"
                        "  - backendRefs: [{name: b, port: 1, weight: 1}]\n");
    assert_int_equal(rig.problems.len, 1);
    const struct problem *problem = &rig.problems.items[0];
    assert_int_equal(problem->line, 7);
    assert_int_equal(problem->column, 5);
    assert_string_equal(problem->text.ptr,
                        "rule 2 is never reached: rule 1 on line 6 takes all its requests");
    assert_string_equal(
        problem->remedy.ptr,
        "to split requests by weight, put the backendRefs of both rules into rule 1");
    assert_non_null(rig.result.object);
    rig_release(&rig);
}

static void http_matches(void **state)
{
    (void)state;
    /* a more specific match goes first, wherever it stands */
    expect_none(HTTP, "  - {}\n  - matches: [{path: {value: /a}}]\n");
    expect_none(HTTP, "  - {}\n  - matches: [{method: GET}]\n");
    expect_none(HTTP, "  - {}\n  - matches: [{headers: [{name: a, value: b}]}]\n");
    expect_none(HTTP, "  - matches: [{path: {value: /a}}]\n"
                      "  - matches: [{path: {value: /a, type: Exact}}]\n");
    expect_none(HTTP, "  - matches: [{headers: [{name: a, value: b}]}]\n"
                      "  - matches: [{headers: [{name: a, value: c}]}]\n");
    expect_none(HTTP, "  - matches: [{queryParams: [{name: a, value: b}]}]\n"
                      "  - matches: [{queryParams: [{name: A, value: b}]}]\n");
    expect_none(HTTP, "  - matches: [{path: {value: /a}}]\n  - matches: [{path: {value: /ab}}]\n");
    expect_none(HTTP, "  - matches: [{path: {type: RegularExpression, value: /.*}}]\n"
                      "  - matches: [{path: {type: RegularExpression, value: /a.*}}]\n");
    expect_none(HTTP, "  - matches: [{path: {type: RegularExpression, value: /a.*}}]\n"
                      "  - matches: [{path: {value: /b}}, {path: {value: /a, type: Exact}}]\n");
    /* of entries with one name the first counts, so that b is no condition of the second rule */
    expect_none(HTTP, "  - matches: [{headers: [{name: a, value: b}]}]\n"
                      "  - matches: [{headers: [{name: A, value: c}, {name: a, value: b}]}]\n");
    /* twice in one rule does no harm */
    expect_none(HTTP, "  - matches: [{method: GET}, {method: GET}]\n");

    expect_one(HTTP,
               "  - matches: [{path: {value: /a}}]\n"
               "  - matches: [{path: {value: /b}}, {path: {value: /a/}}]\n",
               "spec.rules[1].matches[1]",
               "match 2 of rule 2 is never reached: rule 1 on line 6 takes all its requests");
    expect_one(HTTP,
               "  - matches: [{path: {value: /a}}, {path: {value: /b}}]\n"
               "  - matches: [{path: {value: /b}}]\n  - matches: [{path: {value: /c}}]\n",
               "spec.rules[1]", NULL);
    expect_one(HTTP,
               "  - matches: [{headers: [{name: a, value: b}]}]\n"
               "  - matches: [{headers: [{name: A, value: b}]}]\n",
               "spec.rules[1]", NULL);
    expect_one(HTTP,
               "  - matches: [{path: {type: RegularExpression, value: /.*}}]\n"
               "  - matches: [{path: {type: RegularExpression, value: /.*}}]\n",
               "spec.rules[1]", NULL);
    /* an expression goes before a prefix */
    expect_one(HTTP,
               "  - matches: [{path: {value: /a/b}}]\n"
               "  - matches: [{path: {type: RegularExpression, value: /a/.*}}]\n",
               "spec.rules[0]", NULL);
    assert_int_equal(
        unreachable(HTTP, "  - matches: [{headers: [{name: a, value: b}, {name: A, value: x}]}]\n"
                          "  - matches: [{headers: [{name: a, value: b}]}]\n"),
        1);
    expect_one(HTTP,
               "  - matches: [{headers: [{name: a, value: b}], method: GET}]\n"
               "  - matches: [{headers: [{name: a, value: b}], method: GET}]\n",
               "spec.rules[1]", NULL);
}

static void grpc_matches(void **state)
{
    (void)state;
    expect_none(GRPC, "  - {}\n  - matches: [{method: {service: a.B}}]\n");
    expect_none(GRPC, "  - matches: [{method: {service: a.B}}]\n"
                      "  - matches: [{method: {service: a.B, method: C}}]\n");
    expect_none(GRPC, "  - matches: [{method: {service: a.B}}]\n"
                      "  - matches: [{method: {service: a.C}}]\n  - {}\n");
    expect_one(GRPC, "  - {}\n  - {}\n", "spec.rules[1]", NULL);
    expect_one(GRPC, "  - matches: [{}]\n  - {}\n", "spec.rules[1]",
               "rule 2 is never reached: rule 1 on line 6 takes all its requests");
    expect_one(GRPC,
               "  - matches: [{method: {method: C}}]\n"
               "  - matches: [{method: {service: a.B}}, {method: {method: C}}]\n",
               "spec.rules[1].matches[1]", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_rules),
        cmocka_unit_test(http_matches),
        cmocka_unit_test(grpc_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
