/* SPDX-License-Identifier: Apache-2.0 */
/* regex: what every data plane compiles is taken, what one of them refuses is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/regex.h"

static const char *why(const char *text)
{
    const char *reason = NULL;
    return regex_check(str_from(text), &reason) ? NULL : reason;
}

static void test_taken(void **state)
{
    static const char *const good[] = {
        "/v[0-9]+/.*", "a|b|",       "(?i)abc",       "(?:a(b)?)*",     "(?P<n>x)(?P<m>y)",
        "/users/{id}", "a{2}",       "a{2,}b",        "x{,3}",          "[]a]",
        "[^]a-]",      "[\\d-z]",    "[[:^alpha:]x]", "\\p{Greek}\\PL", "\\x41\\x{7e}",
        "^a$",         "\\bword\\b", "a+?b*?",        "\\/\\.\\-\\_",   "世+",
        "(?s-m:.)",    ".",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (why(good[i]) != NULL) {
            fail_msg("'%s': %s", good[i], why(good[i]));
        }
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } bad[] = {
        {"", "is empty"},
        {"(", "')' is missing"},
        {"a)", "has no '('"},
        {"[a", "']' is missing"},
        {"[]", "']' is missing"},
        {"[z-a]", "ends before it begins"},
        {"[a-\\d]", "an escape"},
        {"[[:foo:]]", "name of a class"},
        {"*a", "nothing to repeat"},
        {"a|*", "nothing to repeat"},
        {"a**", "follows another one"},
        {"a++", "follows another one"},
        {"a{2}{3}", "follows another one"},
        {"a{1001}", "1,000 times"},
        {"a{3,2}", "n above m"},
        {"((a{10}){10}){11}", "1,000 times"},
        {"\\pL{1000}", "too large"},
        {"(?=a)", "look-around"},
        {"(?<!a)b", "look-around"},
        {"(?>a)", "look-around"},
        {"(?i", "look-around"},
        {"(?P<n>a)(?P<n>b)", "stands twice"},
        {"(?P<n>a)(?P<an>)(?P<n>b)", "stands twice"},
        {"(?P<>a)", "name is not made"},
        {"(a)\\1", "back references"},
        {"a\\", "last '\\'"},
        {"[a\\", "last '\\'"},
        {"\\Z", "an escape"},
        {"\\p{Klingon}", "not known everywhere"},
        {"\\p{L", "'}'"},
        {"\\x4", "\\x takes"},
        {"\\x{1F600}", "\\x takes"}, /* Envoy compiles for bytes, not UTF-8 */
        {"[é]", "beyond ASCII"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *reason = why(bad[i].text);
        if (reason == NULL || strstr(reason, bad[i].why) == NULL) {
            fail_msg("'%s': %s", bad[i].text, reason != NULL ? reason : "taken");
        }
    }
}

static void test_depth(void **state)
{
    char text[4 * REGEX_DEPTH_MAX];
    (void)state;
    memset(text, '(', REGEX_DEPTH_MAX);
    memset(text + REGEX_DEPTH_MAX, ')', REGEX_DEPTH_MAX);
    text[2 * REGEX_DEPTH_MAX] = '\0';
    assert_non_null(strstr(why(text), "too deeply"));
    memset(text, '(', REGEX_DEPTH_MAX - 1);
    memset(text + REGEX_DEPTH_MAX - 1, ')', REGEX_DEPTH_MAX - 1);
    text[2 * REGEX_DEPTH_MAX - 2] = '\0';
    assert_null(why(text));
}

static void test_names(void **state)
{
    static const char *const good[] = {
        "(?P<a>x)(?P<ba>y)", /* one ends like the other */
        "(?P<ba>x)(?P<a>y)",
        "(?P<a>x)\\(?P<a>", /* these only look like groups */
        "(?P<a>x)[(?P<a>]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (why(good[i]) != NULL) {
            fail_msg("'%s': %s", good[i], why(good[i]));
        }
    }
    char text[(REGEX_NAMES_MAX + 1) * 16];
    size_t len = 0;
    for (unsigned i = 0; i < REGEX_NAMES_MAX; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "(?P<n%u>a)", i);
    }
    assert_null(why(text));
    snprintf(text + len, sizeof(text) - len, "(?P<x>a)");
    assert_non_null(strstr(why(text), "too many groups"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
