/* SPDX-License-Identifier: Apache-2.0 */
/* test_expression: texts made from regular expressions, which must match them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/expression.h"
#include "model/regex.h"

struct sample_case {
    const char *expression;
    const char *text; /* NULL: none is found */
};

static void assert_sample(const char *expression, const char *wanted)
{
    struct arena arena;
    struct str text;
    const char *why;
    arena_init(&arena);
    assert_true(regex_check(str_from(expression), &why));
    bool made = expression_sample(str_from(expression), &arena, &text);
    if (made != (wanted != NULL) || (made && !str_eq(text, str_from(wanted)))) {
        fail_msg("'%s' gave '%.*s' instead of '%s'", expression, made ? (int)text.len : 6,
                 made ? text.ptr : "(none)", wanted != NULL ? wanted : "(none)");
    }
    arena_release(&arena);
}

static void test_samples(void **state)
{
    static const struct sample_case cases[] = {
        {"/exact", "/exact"},
        {"/v[0-9]+/.+", "/v0/x"},
        {"/v[0-9]*/.*", "/v/"},
        {"/(a|b)/(?:c|d)", "/a/c"},
        {"|a", ""},
        {"(|a)b", "b"},
        {"a|b|c", "a"},
        {"(?P<name>ab)c", "abc"},
        {"(?i)Ab", "Ab"},
        {"(?i:Ab)+", "Ab"},
        {"^/a$", "/a"},
        {"\\A/a\\z", "/a"},
        {"/a\\.b\\\\c", "/a.b\\c"},
        {"\\x2f\\x{41}", "/A"},
        {"\\d\\D\\w\\W\\s", "0xx-\t"},
        {"\\pN\\p{Lu}", "0X"},
        {"[^x0]", "X"},
        {"[]a]", "]"},
        {"[^]]", "x"},
        {"[[:digit:]a-c]", "0"},
        {"[\\]x]", "x"},
        {"a{3}b{2,}c{0,4}d{1,2}?", "aaabbd"},
        {"(ab){2}(c{2}){2}", "ababcccc"},
        {"a{,2}", "a{,2}"},
        {"a{x}", "a{x}"},
        {"x+?y*?z??", "x"},
        {"gr\xc3\xbc\xc3\x9f"
         "e?",
         "gr\xc3\xbc\xc3\x9f"},
        {"a$b", NULL}, /* no text matches it */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_sample(cases[i].expression, cases[i].text);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct arena arena;
    struct str text;
    arena_init(&arena);
    assert_true(expression_sample(STR("(abcd){1000}"), &arena, &text));
    assert_int_equal(text.len, 4000);
    assert_false(expression_sample(STR("(abcde){1000}"), &arena, &text));
    arena_release(&arena);
}

static void test_matches(void **state)
{
    (void)state;
    assert_true(expression_matches(STR("a+"), STR("aa")));
    assert_false(expression_matches(STR("a+"), STR("aab")));
    assert_false(expression_matches(STR("a"), STR("a\n"))); /* '$' is the very end */
    assert_false(expression_matches(STR("("), STR("(")));   /* no expression */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
