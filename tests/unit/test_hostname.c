/* SPDX-License-Identifier: Apache-2.0 */
/* Which names do hostname patterns take, and what do two of them share? */
#include "model/hostname.h"
#include "model_rig.h"

static void covering(void **state)
{
    (void)state;
    static const struct {
        const char *outer, *inner;
        bool covers;
    } cases[] = {
        {"", "a.b", true},
        {"*", "*.b", true},
        {"*.b", "", false},
        {"a.b", "a.b", true},
        {"a.b", "A.B", true},
        {"a.b", "x.a.b", false},
        {"*.example.com", "a.example.com", true},
        {"*.example.com", "a.b.example.com", true},
        {"*.example.com", "example.com", false},
        {"*.example.com", ".example.com", false},
        {"*.example.com", "badexample.com", false},
        {"*.example.com", "*.example.com", true},
        {"*.example.com", "*.a.example.com", true},
        {"*.a.example.com", "*.example.com", false},
        {"a.example.com", "*.example.com", false},
        {"*", "*", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (hostname_covers(str_from(cases[i].outer), str_from(cases[i].inner)) !=
            cases[i].covers) {
            fail_msg("'%s' and '%s'", cases[i].outer, cases[i].inner);
        }
    }
}

static void intersecting(void **state)
{
    (void)state;
    struct str narrower;
    assert_true(hostname_intersect(STR("*.b.c"), STR("a.b.c"), &narrower));
    assert_true(str_eq(narrower, STR("a.b.c")));
    assert_true(hostname_intersect(STR("*.a.b.c"), STR("*.b.c"), &narrower));
    assert_true(str_eq(narrower, STR("*.a.b.c")));
    assert_true(hostname_intersect(STR(""), STR("*.c"), &narrower));
    assert_true(str_eq(narrower, STR("*.c")));
    assert_false(hostname_intersect(STR("*.b.c"), STR("b.c"), &narrower));
    assert_false(hostname_intersect(STR("*.b"), STR("*.c"), &narrower));
}

static void ordering(void **state)
{
    (void)state;
    static const char *const ordered[] = {"long.example.com", "a.b", "b.b",
                                          "*.example.com",    "*.b", "*"};
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++) {
            int order = hostname_cmp(str_from(ordered[i]), str_from(ordered[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    assert_int_equal(hostname_cmp(STR(""), STR("*")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covering),
        cmocka_unit_test(intersecting),
        cmocka_unit_test(ordering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
