/* SPDX-License-Identifier: Apache-2.0 */
/* test_exclusion: lists of what is not to be intercepted, as people write them. */
#include "ir/exclusion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX 256

static void add(void *user, const struct exclusion *exclusion)
{
    char *text = user;
    size_t len = strlen(text);
    if (exclusion->cidr.len > 0) {
        (void)snprintf(text + len, TEXT_MAX - len, "[%d %.*s]", exclusion->ipv6 ? 6 : 4,
                       STR_FMT(exclusion->cidr));
    } else {
        (void)snprintf(text + len, TEXT_MAX - len, "[%u %u]", exclusion->from, exclusion->to);
    }
}

/* What is read, or "!" and why not. */
static const char *read_list(enum exclusion_kind kind, const char *list)
{
    static char text[TEXT_MAX + ERR_TEXT_MAX];
    struct err err;
    text[0] = '\0';
    if (!exclusions_read(kind, str_from(list), add, text, &err)) {
        assert_string_equal(text, ""); /* all or nothing */
        (void)snprintf(text, sizeof(text), "!%s", err.text);
    }
    return text;
}

static void test_ports(void **state)
{
    (void)state;
    assert_string_equal(read_list(EXCLUDED_PORTS, ""), "");
    assert_string_equal(read_list(EXCLUDED_PORTS, "  "), "");
    assert_string_equal(read_list(EXCLUDED_PORTS, "22, 80-90 ,65535"),
                        "[22 22][80 90][65535 65535]");
    assert_string_equal(read_list(EXCLUDED_PORTS, "0"),
                        "!'0' is not a port or a range of ports, from 1 to 65535");
    assert_string_equal(read_list(EXCLUDED_PORTS, "22,65536"),
                        "!'65536' is not a port or a range of ports, from 1 to 65535");
    assert_string_equal(read_list(EXCLUDED_PORTS, "90-80"),
                        "!'90-80' is not a port or a range of ports, from 1 to 65535");
    assert_string_equal(read_list(EXCLUDED_PORTS, "80-"),
                        "!'80-' is not a port or a range of ports, from 1 to 65535");
    assert_string_equal(read_list(EXCLUDED_PORTS, "22,"),
                        "!'' is not a port or a range of ports, from 1 to 65535");
}

static void test_user_ids(void **state)
{
    (void)state;
    assert_string_equal(read_list(EXCLUDED_UIDS, "0,1000-1010"), "[0 0][1000 1010]");
    assert_string_equal(read_list(EXCLUDED_UIDS, "4294967295"),
                        "!'4294967295' is not a user id or a range of them, from 0 to 4294967294");
    assert_string_equal(read_list(EXCLUDED_UIDS, "root"),
                        "!'root' is not a user id or a range of them, from 0 to 4294967294");
}

static void test_addresses(void **state)
{
    (void)state;
    assert_string_equal(read_list(EXCLUDED_CIDRS, "10.0.0.0/8,192.0.2.1,fd00::/8, ::1"),
                        "[4 10.0.0.0/8][4 192.0.2.1][6 fd00::/8][6 ::1]");
    static const char *const wrong[] = {"10.0.0.0/33", "fd00::/129",      "10.0.0/8",
                                        "10.0.0.1/",   "10.0.0.1 return", "10.0.0.0/8x",
                                        "host.example"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char expected[TEXT_MAX];
        (void)snprintf(expected, sizeof(expected), "!'%s' is not an address or ADDRESS/BITS",
                       wrong[i]);
        assert_string_equal(read_list(EXCLUDED_CIDRS, wrong[i]), expected);
    }
}

static void test_limit(void **state)
{
    struct err err;
    char list[2 * (EXCLUSIONS_MAX + 1)] = "";
    (void)state;
    for (size_t i = 0; i < EXCLUSIONS_MAX; i++) {
        list[2 * i] = '1';
        list[2 * i + 1] = ',';
    }
    list[2 * EXCLUSIONS_MAX] = '1';
    assert_false(
        exclusions_read(EXCLUDED_UIDS, str_span(list, sizeof(list) - 1), NULL, NULL, &err));
    assert_string_equal(err.text, "there are more than 256");
    assert_true(exclusions_read(EXCLUDED_UIDS, str_span(list, sizeof(list) - 3), NULL, NULL, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_user_ids),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
