/* SPDX-License-Identifier: Apache-2.0 */
/* test_option: the command line of `heddle why`, whose -H may be given several times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/option.h"

#define ARGV(...)                                                                                  \
    (char *[])                                                                                     \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define ARGC(...) (int)(sizeof(ARGV(__VA_ARGS__)) / sizeof(char *))
#define PARSE(options, err, ...)                                                                   \
    options_parse((options), CMD_WHY, ARGC(__VA_ARGS__), ARGV(__VA_ARGS__), (err))

static void test_headers(void **state)
{
    struct options options;
    struct err err;
    (void)state;
    assert_true(PARSE(&options, &err, "-H", "a: 1", "node", "--header", "b: 2", "GET",
                      "--header=c: 3", "url", "-H", ""));
    const struct option_values *headers = &options.lists[O_header];
    assert_int_equal(headers->len, 4);
    assert_string_equal(headers->items[0], "a: 1");
    assert_string_equal(headers->items[1], "b: 2");
    assert_string_equal(headers->items[2], "c: 3");
    assert_string_equal(headers->items[3], "");
    assert_int_equal(options.arguments.len, 3);
    assert_string_equal(options.arguments.items[2], "url");
    options_release(&options);
}

static void test_header_without_a_value(void **state)
{
    struct options options;
    struct err err;
    (void)state;
    assert_false(PARSE(&options, &err, "node", "-H"));
    assert_string_equal(err.text, "--header wants NAME: VALUE");
    options_release(&options);
}

static void test_what_follows_two_dashes(void **state)
{
    struct options options;
    struct err err;
    (void)state;
    assert_true(PARSE(&options, &err, "--", "-H", "x"));
    assert_int_equal(options.lists[O_header].len, 0);
    assert_int_equal(options.arguments.len, 2);
    options_release(&options);
}

static void test_other_commands_have_no_headers(void **state)
{
    struct options options;
    struct err err;
    (void)state;
    assert_false(options_parse(&options, CMD_CHECK, 2, ARGV("-H", "a: 1"), &err));
    options_release(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_header_without_a_value),
        cmocka_unit_test(test_what_follows_two_dashes),
        cmocka_unit_test(test_other_commands_have_no_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
