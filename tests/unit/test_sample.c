/* SPDX-License-Identifier: Apache-2.0 */
/* test_sample: requests made up from matches, which must take them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/request.h"
#include "ir/sample.h"

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

/* What the sample says must be what the match asks for. */
static void assert_taken(const struct ir_match *match, const struct sample *sample)
{
    struct request request = {.method = sample->method, .query = sample->path};
    request.path = str_cut(&request.query, '?');
    for (size_t i = 0; i < sample->headers.len; i++) {
        request.headers[request.nheaders++] = sample->headers.items[i];
    }
    struct str why = ir_match_why_not(match, &request, &arena);
    if (why.len > 0) {
        fail_msg("'%.*s' is not taken: %.*s", STR_FMT(sample->path), STR_FMT(why));
    }
}

/* wanted: NULL: there is none. */
static void assert_path(int type, const char *path, bool grpc, unsigned nth, const char *wanted)
{
    const struct ir_match match = {.path_type = type, .path = str_from(path)};
    struct sample sample;
    assert_int_equal(sample_of_match(&match, grpc, nth, &arena, &sample), wanted != NULL);
    if (wanted != NULL) {
        assert_true(str_eq(sample.path, str_from(wanted)));
        assert_true(str_eq(sample.method, grpc ? STR("POST") : STR("GET")));
        assert_taken(&match, &sample);
    }
}

static void test_paths(void **state)
{
    (void)state;
    assert_path(IR_PATH_ANY, "", false, 0, "/");
    assert_path(IR_PATH_ANY, "", false, 1, "/x");
    assert_path(IR_PATH_ANY, "", true, 0, "/package.Service/Method");
    assert_path(IR_PATH_ANY, "", true, 1, NULL);
    assert_path(IR_PATH_EXACT, "/a", false, 0, "/a");
    assert_path(IR_PATH_EXACT, "/a", false, 1, NULL);
    assert_path(IR_PATH_PREFIX, "/a", false, 0, "/a");
    assert_path(IR_PATH_PREFIX, "/a", false, 1, "/a/x");
    assert_path(IR_PATH_RAW_PREFIX, "/p.S/", true, 0, "/p.S/Method");
    assert_path(IR_PATH_REGEX, "/v[0-9]", false, 0, "/v0");
    assert_path(IR_PATH_REGEX, "/[^/]+/M", true, 0, "/x/M");
    assert_path(IR_PATH_REGEX, "/a$b", false, 0, NULL);
    assert_path(IR_PATH_REGEX, ".*", false, 0, "/");
    assert_path(IR_PATH_REGEX, ".*x", false, 0, "/x");
    assert_path(IR_PATH_REGEX, "(/a)?", false, 0, NULL); /* there is one, but it is not found */
    assert_path(IR_PATH_REGEX, "a", false, 0, NULL);
}

static void test_conditions(void **state)
{
    struct ir_value_match headers[] = {{STR("version"), STR("two"), false},
                                       {STR("user"), STR("[a-c]{3}"), true}};
    struct ir_value_match query[] = {{STR("q"), STR("1"), false}, {STR("r"), STR("x?y"), true}};
    struct ir_match match = {.path_type = IR_PATH_EXACT, .path = STR("/a"), .method = STR("PUT")};
    struct sample sample;
    (void)state;
    match.headers.items = headers;
    match.headers.len = 2;
    match.query.items = query;
    match.query.len = 2;
    assert_true(sample_of_match(&match, false, 0, &arena, &sample));
    assert_true(str_eq(sample.method, STR("PUT")));
    assert_true(str_eq(sample.path, STR("/a?q=1&r=y")));
    assert_int_equal(sample.headers.len, 2);
    assert_true(str_eq(sample.headers.items[0].name, STR("version")));
    assert_true(str_eq(sample.headers.items[0].value, STR("two")));
    assert_true(str_eq(sample.headers.items[1].value, STR("aaa")));
    assert_taken(&match, &sample);

    headers[1].value = STR("a$b");
    assert_false(sample_of_match(&match, false, 0, &arena, &sample));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_conditions),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
