/* SPDX-License-Identifier: Apache-2.0 */
/* test_request: which requests a match takes, and the words for why not. What Envoy and gRPC
 * clients really do is compared in tests/interop/cases/why.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ir/request.h"

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

static struct request request_of(const char *path, const char *query)
{
    return (struct request){.method = STR("GET"), .path = str_from(path), .query = str_from(query)};
}

static void add_header(struct request *request, const char *name, const char *value)
{
    request->headers[request->nheaders++] = (struct ir_header){str_from(name), str_from(value)};
}

/* NULL: it matches. */
static void assert_why_not(const struct ir_match *match, const struct request *request,
                           const char *wanted)
{
    struct str text = ir_match_why_not(match, request, &arena);
    if (!str_eq(text, str_from(wanted))) {
        fail_msg("'%.*s' instead of '%s'", STR_FMT(text), wanted != NULL ? wanted : "");
    }
    assert_int_equal(ir_match_request(match, request), wanted == NULL);
}

struct path_case {
    int type;
    const char *match;
    const char *path;
    bool matches;
};

static void test_paths(void **state)
{
    static const struct path_case cases[] = {
        {IR_PATH_ANY, "", "/", true},
        {IR_PATH_ANY, "", "//%zz", true},
        {IR_PATH_EXACT, "/a", "/a", true},
        {IR_PATH_EXACT, "/a", "/a/", false},
        {IR_PATH_EXACT, "/a", "/A", false},
        {IR_PATH_EXACT, "/a", "/%61", false},
        {IR_PATH_PREFIX, "/a", "/a", true},
        {IR_PATH_PREFIX, "/a", "/a/", true},
        {IR_PATH_PREFIX, "/a", "/a//b", true},
        {IR_PATH_PREFIX, "/a", "/ab", false},
        {IR_PATH_PREFIX, "/a", "//a", false},
        {IR_PATH_PREFIX, "/a", "/a%2Fb", false},
        {IR_PATH_PREFIX, "/a", "/b/../a", false},
        {IR_PATH_RAW_PREFIX, "/pkg.S/", "/pkg.S/M", true},
        {IR_PATH_RAW_PREFIX, "/pkg.S/", "/pkg.S", false},
        {IR_PATH_REGEX, "/a|/b/.*", "/b/c", true},
        {IR_PATH_REGEX, "/a|/b/.*", "/ax", false},
        {IR_PATH_REGEX, "a", "/a", false},
        {IR_PATH_REGEX, "(?i)/a", "/A", true},
        {IR_PATH_REGEX, "/.", "/\xc3\xa9", false}, /* a character is a byte */
        {IR_PATH_REGEX, "(", "/", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ir_match match = {.path_type = cases[i].type, .path = str_from(cases[i].match)};
        struct request request = request_of(cases[i].path, NULL);
        if (ir_match_request(&match, &request) != cases[i].matches) {
            fail_msg("case %zu: '%s' and '%s'", i, cases[i].match, cases[i].path);
        }
    }
}

static void test_values(void **state)
{
    struct ir_value_match header = {.name = STR("x-one"), .value = STR("1")};
    struct ir_value_match param = {.name = STR("p"), .value = STR("a.b"), .regex = true};
    struct ir_match match = {.method = STR("GET"), .headers = {&header, 1}, .query = {&param, 1}};
    struct request request = request_of("/", "P=axb&p=axb&p=2");
    (void)state;
    assert_why_not(&match, &request, "there is no header 'x-one'");
    add_header(&request, "X-One", "2");
    assert_why_not(&match, &request, "header 'x-one' is '2', not '1'");
    request.headers[0].value = STR("1");
    assert_why_not(&match, &request, NULL);
    request.query = STR("p=2&p=axb"); /* the first counts */
    assert_why_not(&match, &request, "query parameter 'p' is '2', which does not match 'a.b'");
    request.query = STR("p=a%2Eb"); /* not decoded */
    assert_why_not(&match, &request, "query parameter 'p' is 'a%2Eb', which does not match 'a.b'");
    request.query = STR("P=axb");
    assert_why_not(&match, &request, "there is no query parameter 'p'");
    request.method = STR("PUT");
    assert_why_not(&match, &request, "the method is PUT, not GET");
}

static void test_empty_values(void **state)
{
    struct ir_value_match param = {.name = STR("p"), .value = STR(".*"), .regex = true};
    struct ir_match match = {.query = {&param, 1}};
    struct request request = request_of("/", "&&p");
    (void)state;
    assert_why_not(&match, &request, NULL);
    request.query = STR("p=&q");
    assert_why_not(&match, &request, NULL);
    request.query = STR("");
    assert_why_not(&match, &request, "there is no query parameter 'p'");
}

static void test_repeated_header(void **state)
{
    struct ir_value_match header = {.name = STR("x"), .value = STR("2")};
    struct ir_match match = {.headers = {&header, 1}};
    struct request request = request_of("/", NULL);
    (void)state;
    add_header(&request, "x", "1");
    add_header(&request, "X", "2");
    assert_why_not(&match, &request, NULL);
    request.joins = true;
    assert_why_not(&match, &request, "header 'x' is '1,2', not '2'");
    header.value = STR("1,2");
    assert_why_not(&match, &request, NULL);
    request.joins = false;
    assert_why_not(&match, &request, "no value of header 'x' ('1,2') is '1,2'");
}

static void assert_text(const struct ir_match *match, const char *wanted)
{
    assert_true(str_eq(ir_match_text(match, &arena), str_from(wanted)));
}

static void test_words(void **state)
{
    struct ir_value_match header = {.name = STR("x"), .value = STR("1")};
    struct ir_value_match param = {.name = STR("p"), .value = STR("a.*"), .regex = true};
    struct ir_match match = {.path_type = IR_PATH_PREFIX,
                             .path = STR("/v2"),
                             .method = STR("GET"),
                             .headers = {&header, 1},
                             .query = {&param, 1}};
    struct request request = request_of("/x", NULL);
    (void)state;
    assert_text(&match, "path below /v2, method GET, header x=1, query p~a.*");
    assert_why_not(&match, &request, "path '/x' is not below '/v2'");
    match.path_type = IR_PATH_EXACT;
    assert_why_not(&match, &request, "path '/x' is not '/v2'");
    match.path_type = IR_PATH_RAW_PREFIX;
    assert_why_not(&match, &request, "path '/x' does not begin with '/v2'");
    match.path_type = IR_PATH_REGEX;
    assert_why_not(&match, &request, "path '/x' does not match '/v2'");
    match = (struct ir_match){.path_type = IR_PATH_ANY};
    assert_text(&match, "any path");
}

static void test_long_text_is_cut(void **state)
{
    char path[200];
    struct ir_match match = {.path_type = IR_PATH_EXACT, .path = STR("/a")};
    (void)state;
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    memcpy(path + 79, "é", 2); /* begins before the cut, ends after it */
    struct request request = request_of(path, NULL);
    struct str text = ir_match_why_not(&match, &request, &arena);
    assert_true(str_ends_with(text, STR("xxx…' is not '/a'")));
    assert_true(text.len < 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),        cmocka_unit_test(test_values),
        cmocka_unit_test(test_empty_values), cmocka_unit_test(test_repeated_header),
        cmocka_unit_test(test_words),        cmocka_unit_test(test_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
