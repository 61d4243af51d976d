/* SPDX-License-Identifier: Apache-2.0 */
/* test_match: matches of both route kinds as one form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolve/match.h"

#define assert_str(s, text) assert_true(str_eq((s), STR(text)))

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct ir_match from_path(int type, struct str value)
{
    const struct http_match match = {.path = {type, value}};
    struct ir_match ir = {.path_type = IR_PATH_REGEX};
    match_from_http(&arena, &match, &ir);
    return ir;
}

static struct ir_match from_method(int type, struct str service, struct str name)
{
    struct method_match method = {type, service, name};
    const struct grpc_match match = {.method = &method};
    struct ir_match ir = {.path_type = IR_PATH_ANY};
    match_from_grpc(&arena, &match, &ir);
    return ir;
}

static void test_paths(void **state)
{
    (void)state;
    assert_int_equal(from_path(PATH_PREFIX, STR("/")).path_type, IR_PATH_ANY);
    assert_int_equal(from_path(PATH_PREFIX, STR("")).path_type, IR_PATH_ANY);
    struct ir_match ir = from_path(PATH_PREFIX, STR("/a/b/"));
    assert_int_equal(ir.path_type, IR_PATH_PREFIX);
    assert_str(ir.path, "/a/b");
    ir = from_path(PATH_EXACT, STR("/a/"));
    assert_int_equal(ir.path_type, IR_PATH_EXACT);
    assert_str(ir.path, "/a/");
    ir = from_path(PATH_REGEX, STR("/a.*"));
    assert_int_equal(ir.path_type, IR_PATH_REGEX);
    assert_str(ir.path, "/a.*");
}

static void test_no_match_is_every_request(void **state)
{
    (void)state;
    struct ir_match ir = {.path_type = IR_PATH_ANY};
    match_from_http(&arena, NULL, &ir);
    match_from_grpc(&arena, NULL, &ir);
    assert_int_equal(ir.path_type, IR_PATH_ANY);
    assert_int_equal(ir.headers.len, 0);
}

static void test_values(void **state)
{
    (void)state;
    struct header_match headers[] = {{HEADER_EXACT, STR("X-One"), STR("A")},
                                     {HEADER_REGEX, STR("two"), STR("b.*")},
                                     {HEADER_EXACT, STR("x-ONE"), STR("C")}};
    struct header_match query[] = {{HEADER_EXACT, STR("q"), STR("1")},
                                   {HEADER_EXACT, STR("Q"), STR("2")},
                                   {HEADER_EXACT, STR("q"), STR("3")}};
    const struct http_match match = {
        .path = {PATH_PREFIX, STR("/")},
        .headers = {headers, 3},
        .query = {query, 3},
        .method = STR("GET"),
    };
    struct ir_match ir = {.path_type = IR_PATH_ANY};
    match_from_http(&arena, &match, &ir);
    assert_str(ir.method, "GET");
    assert_int_equal(ir.headers.len, 2);
    assert_str(ir.headers.items[0].name, "x-one");
    assert_str(ir.headers.items[0].value, "A");
    assert_false(ir.headers.items[0].regex);
    assert_true(ir.headers.items[1].regex);
    assert_int_equal(ir.query.len, 2);
    assert_str(ir.query.items[0].value, "1");
    assert_str(ir.query.items[1].name, "Q");
}

static void test_grpc_methods(void **state)
{
    (void)state;
    struct ir_match ir = from_method(METHOD_EXACT, STR("a.B"), STR("M"));
    assert_int_equal(ir.path_type, IR_PATH_EXACT);
    assert_str(ir.path, "/a.B/M");
    ir = from_method(METHOD_EXACT, STR("a.B"), STR(""));
    assert_int_equal(ir.path_type, IR_PATH_RAW_PREFIX);
    assert_str(ir.path, "/a.B/");
    ir = from_method(METHOD_EXACT, STR(""), STR("M"));
    assert_int_equal(ir.path_type, IR_PATH_REGEX);
    assert_str(ir.path, "/[^/]+/M");
    ir = from_method(METHOD_EXACT, STR(""), STR(""));
    assert_int_equal(ir.path_type, IR_PATH_ANY);
    /* Alternatives must not leak out of their part. */
    ir = from_method(METHOD_REGEX, STR("a|b"), STR(""));
    assert_int_equal(ir.path_type, IR_PATH_REGEX);
    assert_str(ir.path, "/(?:a|b)/(?:[^/]+)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_no_match_is_every_request),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_grpc_methods),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
