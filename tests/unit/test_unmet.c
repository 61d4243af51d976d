/* SPDX-License-Identifier: Apache-2.0 */
/* Are conditions found that no request meets or that nobody looks at, and no others? */
#include "model_rig.h"

#define ROUTE(kind)                                                                                \
    "apiVersion: gateway.networking.k8s.io/v1\nkind: " kind "\nmetadata: {name: a}\n"              \
    "spec:\n  rules:\n  - matches:\n    - headers: [{name: before, value: b}]\n    - "
#define PLACE "spec.rules[0].matches[1]."

/* match: the second one of the rule, on line 8. */
static void expect_none(const char *match)
{
    static const char *const kinds[] = {ROUTE("HTTPRoute"), ROUTE("GRPCRoute")};
    size_t len = strstr(match, "headers") != NULL ? 2 : 1; /* what both kinds have */
    for (size_t i = 0; i < len; i++) {
        char yaml[1024];
        struct rig rig;
        snprintf(yaml, sizeof(yaml), "%s%s\n", kinds[i], match);
        rig_object(&rig, yaml);
        rig_release(&rig);
    }
}

static void expect_one(const char *head, const char *match, enum problem_code code, uint32_t column,
                       const char *path, const char *remedy)
{
    char yaml[1024];
    struct rig rig;
    snprintf(yaml, sizeof(yaml), "%s%s\n", head, match);
    rig_read(&rig, yaml);
    rig_print(&rig);
    assert_int_equal(rig.problems.len, 1);
    const struct problem *problem = &rig.problems.items[0];
    assert_int_equal(problem->code, code);
    assert_int_equal(problem->line, 8);
    assert_int_equal(problem->column, column);
    assert_string_equal(problem->path.ptr, path);
    assert_non_null(strstr(problem->remedy.ptr, remedy));
    assert_non_null(rig.result.object); /* it is in force */
    rig_release(&rig);
}

static void expect_header(const char *match, enum problem_code code, uint32_t column,
                          const char *path, const char *remedy)
{
    expect_one(ROUTE("HTTPRoute"), match, code, column, path, remedy);
    expect_one(ROUTE("GRPCRoute"), match, code, column, path, remedy);
}

static void headers(void **state)
{
    (void)state;
    expect_none("headers: [{name: x, value: a b}, {name: y, value: a}]");

    expect_header("headers: [{name: x, value: a}, {name: y, value: b}, {name: X, value: c}]",
                  PROBLEM_ignored_condition, 66, PLACE "headers[2].name", "one expression");
}

static void query(void **state)
{
    (void)state;
    expect_none("queryParams: [{name: a, value: \"b%20c+d=/?Ü\"}, {name: A, value: b}]");
    expect_none("queryParams: [{name: a, value: 'b c', type: RegularExpression}]");

    enum problem_code unmet = PROBLEM_unmet_condition;
    expect_one(ROUTE("HTTPRoute"), "queryParams: [{name: a, value: b c}]", unmet, 38,
               PLACE "queryParams[0].value", "'%20'");
    expect_one(ROUTE("HTTPRoute"), "queryParams: [{name: a, value: b}, {name: b, value: 'c&d'}]",
               unmet, 59, PLACE "queryParams[1].value", "'%26'");
    expect_one(ROUTE("HTTPRoute"), "queryParams: [{name: 'a#', value: b, type: RegularExpression}]",
               unmet, 28, PLACE "queryParams[0].name", "'%23'");
}

static void paths_and_methods(void **state)
{
    (void)state;
    expect_none("path: {type: RegularExpression, value: /a}");
    expect_none("path: {type: RegularExpression, value: .*a}");
    expect_none("path: {type: RegularExpression, value: 'a?/b'}");
    expect_none("path: {type: RegularExpression, value: 'a*/b'}");
    expect_none("path: {type: RegularExpression, value: 'a{0}/b'}");
    expect_none("path: {type: RegularExpression, value: 'a|/b'}");
    expect_none("path: {type: RegularExpression, value: '(a|/)b'}");
    expect_none("{method: OPTIONS}");

    enum problem_code unmet = PROBLEM_unmet_condition;
    expect_one(ROUTE("HTTPRoute"), "path: {type: RegularExpression, value: api/.*}", unmet, 46,
               PLACE "path.value", "begin with '/'");
    expect_one(ROUTE("HTTPRoute"), "path: {type: RegularExpression, value: a}", unmet, 46,
               PLACE "path.value", "begin with '/'");
    expect_one(ROUTE("HTTPRoute"), "method: CONNECT", unmet, 15, PLACE "method", "take it out");
}

/* A route and a rule that say nothing have a match that is a default. */
static void defaults(void **state)
{
    (void)state;
    struct rig rig;
    rig_object(&rig, "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
                     "metadata: {name: a}\nspec: {}\n");
    rig_release(&rig);
    rig_object(&rig, "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
                     "metadata: {name: a}\nspec: {rules: [{matches: null}]}\n");
    rig_release(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),
        cmocka_unit_test(query),
        cmocka_unit_test(paths_and_methods),
        cmocka_unit_test(defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
