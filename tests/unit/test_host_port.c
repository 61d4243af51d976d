/* SPDX-License-Identifier: Apache-2.0 */
/* test_host_port: addresses and names of options that say whom to ask. */
#include "cli/host_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *parse(const char *text)
{
    static char result[HOST_MAX + 64];
    struct host_port host_port;
    struct err err;
    if (!host_port_parse(str_from(text), &host_port, &err)) {
        return "refused";
    }
    (void)snprintf(result, sizeof(result), "%s %s %u", host_port.is_name ? "name" : "address",
                   host_port.host, host_port.port);
    return result;
}

static void test_addresses(void **state)
{
    (void)state;
    assert_string_equal(parse("10.0.0.1:15010"), "address 10.0.0.1 15010");
    assert_string_equal(parse("[fd00::1]:15010"), "address fd00::1 15010");
    assert_string_equal(parse("localhost:1"), "address 127.0.0.1 1");
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(parse("heddle.heddle-system.svc.cluster.local:15010"),
                        "name heddle.heddle-system.svc.cluster.local 15010");
    assert_string_equal(parse("heddle:15010"), "name heddle 15010");
    assert_string_equal(parse("heddle.svc.:15010"), "name heddle.svc. 15010");
}

static void test_mistakes(void **state)
{
    static const char *const wrong[] = {
        "",       "heddle",           "heddle:",      "heddle:65536", "heddle:http",
        ":15010", "10.0.0.300:15010", "10.0.0:15010", "Heddle:15010", "fd00::1:15010",
        "[a]:1",  "http://heddle:80", "a..b:15010",   "a b:15010",    "heddle:-1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_string_equal(parse(wrong[i]), "refused");
    }
}

static void test_longest(void **state)
{
    char text[HOST_MAX + 8];
    (void)state;
    for (size_t i = 0; i < HOST_MAX + 1; i++) {
        text[i] = i % 50 == 49 ? '.' : 'a';
    }
    (void)snprintf(text + HOST_MAX, 8, ":1");
    assert_string_not_equal(parse(text), "refused");
    (void)snprintf(text + HOST_MAX, 8, "a:1");
    assert_string_equal(parse(text), "refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
