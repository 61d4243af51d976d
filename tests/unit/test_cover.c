/* SPDX-License-Identifier: Apache-2.0 */
/* test_cover: which matches take all that others take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/cover.h"
#include "ir/request.h"
#include "ir/sample.h"

#define SAMPLES 4

static const struct {
    int type;
    const char *text;
} paths[] = {
    {IR_PATH_ANY, ""},          {IR_PATH_EXACT, "/a"},
    {IR_PATH_EXACT, "/a/"},     {IR_PATH_EXACT, "/a/b"},
    {IR_PATH_EXACT, "/ab"},     {IR_PATH_PREFIX, "/a"},
    {IR_PATH_PREFIX, "/a/b"},   {IR_PATH_PREFIX, "/ab"},
    {IR_PATH_RAW_PREFIX, "/a"}, {IR_PATH_RAW_PREFIX, "/a/"},
    {IR_PATH_REGEX, ".*"},      {IR_PATH_REGEX, "/.*"},
    {IR_PATH_REGEX, "/a.*"},    {IR_PATH_REGEX, "/a/.*"},
    {IR_PATH_REGEX, "/a/[b]"},  {IR_PATH_REGEX, "/(a|c)/.*"},
};
#define PATHS (sizeof(paths) / sizeof(paths[0]))

/* A line for each path as the outer one, a column for each as the inner one. */
static const char *const covers[PATHS] = {
    "1111111111111111", /* any */
    ".1..............", /* = /a */
    "..1.............", /* = /a/ */
    "...1............", /* = /a/b */
    "....1...........", /* = /ab */
    ".111.11..1...1..", /* /a */
    "...1..1.........", /* /a/b */
    "....1..1........", /* /ab */
    ".111111111..11..", /* bytes /a */
    "..11..1..1...1..", /* bytes /a/ */
    "1111111111111111", /* .* */
    "1111111111111111", /* /.* */
    ".111111111..11..", /* /a.* */
    "..11..1..1...1..", /* /a/.* */
    "..............1.", /* /a/[b] */
    "...............1", /* /(a|c)/.* */
};

static struct ir_match match_of(size_t path)
{
    return (struct ir_match){.path_type = paths[path].type, .path = str_from(paths[path].text)};
}

static void test_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < PATHS; i++) {
        for (size_t j = 0; j < PATHS; j++) {
            struct ir_match outer = match_of(i), inner = match_of(j);
            if (ir_match_covers(&outer, &inner) != (covers[i][j] == '1')) {
                fail_msg("'%s' and '%s'", paths[i].text, paths[j].text);
            }
        }
    }
}

/* What the inner one takes must be taken by the outer one. */
static void test_samples(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    size_t taken = 0;
    for (size_t i = 0; i < PATHS * PATHS * SAMPLES; i++) {
        struct ir_match outer = match_of(i % PATHS), inner = match_of(i / PATHS % PATHS);
        unsigned nth = (unsigned)(i / PATHS / PATHS);
        struct sample sample;
        if (ir_match_covers(&outer, &inner) &&
            sample_of_match(&inner, false, nth, &arena, &sample)) {
            struct request request = {.method = sample.method, .query = sample.path};
            request.path = str_cut(&request.query, '?');
            struct str why = ir_match_why_not(&outer, &request, &arena);
            if (why.len > 0) {
                fail_msg("'%.*s' is not of '%.*s'", STR_FMT(sample.path), STR_FMT(outer.path));
            }
            taken++;
        }
    }
    assert_true(taken > 100);
    arena_release(&arena);
}

static void test_conditions(void **state)
{
    (void)state;
    struct ir_value_match a = {STR("x"), STR("1"), false}, b = {STR("y"), STR("2"), false};
    struct ir_value_match expression = {STR("x"), STR("1"), true};
    struct ir_value_match ab[] = {a, b}, ba[] = {b, a};
    const struct {
        struct ir_match outer, inner;
        bool covers;
    } cases[] = {
        {{.method = STR("GET")}, {.method = STR("GET")}, true},
        {{.method = STR_NULL}, {.method = STR("GET")}, true},
        {{.method = STR("GET")}, {.method = STR_NULL}, false},
        {{.method = STR("GET")}, {.method = STR("PUT")}, false},
        {{.headers = {ab, 2}}, {.headers = {ba, 2}}, true},
        {{.headers = {ab, 1}}, {.headers = {ba, 2}}, true},
        {{.headers = {ab, 2}}, {.headers = {ba, 1}}, false},
        {{.headers = {&expression, 1}}, {.headers = {&expression, 1}}, true},
        {{.headers = {&expression, 1}}, {.headers = {&a, 1}}, false},
        {{.query = {ab, 1}}, {.query = {ba, 2}}, true},
        {{.query = {ab, 2}}, {.query = {ba, 1}}, false},
        {{.query = {ab, 1}}, {.headers = {ab, 1}}, false},
        {{.headers = {ab, 1}}, {.query = {ab, 1}}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (ir_match_covers(&cases[i].outer, &cases[i].inner) != cases[i].covers) {
            fail_msg("case %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
