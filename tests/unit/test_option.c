/* SPDX-License-Identifier: Apache-2.0 */
/* test_option: options that may be given several times: why -H, bootstrap --xds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

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

/* The command line's values stand in place of the environment's, and those in place of the
 * default. */
static void test_whose_values(void **state)
{
    struct options options;
    struct err err;
    (void)state;
    assert_true(options_parse(&options, CMD_BOOTSTRAP, 0, NULL, &err));
    assert_int_equal(options.lists[O_xds].len, 1);
    assert_string_equal(options.lists[O_xds].items[0], "127.0.0.1:15010");
    options_release(&options);
    assert_int_equal(setenv("HEDDLE_XDS", "127.0.0.2:1", 1), 0);
    assert_true(options_parse(&options, CMD_BOOTSTRAP, 0, NULL, &err));
    assert_int_equal(options.lists[O_xds].len, 1);
    assert_string_equal(options.lists[O_xds].items[0], "127.0.0.2:1");
    options_release(&options);
    assert_true(options_parse(&options, CMD_BOOTSTRAP, 3, ARGV("--xds", "a", "--xds=b"), &err));
    assert_int_equal(options.lists[O_xds].len, 2);
    assert_string_equal(options.lists[O_xds].items[0], "a");
    assert_string_equal(options.lists[O_xds].items[1], "b");
    assert_true(str_eq(option_text(&options, O_xds), STR("b")));
    options_release(&options);
    assert_int_equal(unsetenv("HEDDLE_XDS"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_header_without_a_value),
        cmocka_unit_test(test_what_follows_two_dashes),
        cmocka_unit_test(test_other_commands_have_no_headers),
        cmocka_unit_test(test_whose_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
