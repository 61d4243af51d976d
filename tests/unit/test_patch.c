/* SPDX-License-Identifier: Apache-2.0 */
/* Does the patch between two values turn the one into the other, and say no more than that? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inject/patch.h"
#include "json_patch.h"

static void patches_are_short(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *patch;
    } cases[] = {
        {"{}", "{}", "[]"},
        {"{\"a\":1}", "{\"a\":2}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":2}]"},
        {"{\"a\":1}", "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]"},
        {"{}", "{\"a/b~c\":{}}", "[{\"op\":\"add\",\"path\":\"/a~1b~0c\",\"value\":{}}]"},
        {"[1]", "{}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{}}]"},
        {"[1,2]", "[0,1,2]", "[{\"op\":\"add\",\"path\":\"/0\",\"value\":0}]"},
        {"[1,2]", "[1,2,3]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":3}]"},
        {"[1,2,3]", "[1,3]", "[{\"op\":\"remove\",\"path\":\"/1\"}]"},
        {"[1,2,3,4]", "[1,9,4]",
         "[{\"op\":\"remove\",\"path\":\"/2\"},{\"op\":\"remove\",\"path\":\"/1\"},"
         "{\"op\":\"add\",\"path\":\"/1\",\"value\":9}]"},
        {"[{\"name\":\"a\",\"x\":1}]", "[{\"name\":\"n\"},{\"name\":\"a\",\"x\":1,\"y\":2}]",
         "[{\"op\":\"add\",\"path\":\"/0\",\"value\":{\"name\":\"n\"}},"
         "{\"op\":\"add\",\"path\":\"/1/y\",\"value\":2}]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *from = json_loads(cases[i].from, 0, NULL);
        json_t *to = json_loads(cases[i].to, 0, NULL);
        json_t *patch = patch_between(from, to);
        char *text = json_dumps(patch, JSON_COMPACT);
        assert_string_equal(text, cases[i].patch);
        free(text);
        json_decref(from);
        json_decref(to);
        json_decref(patch);
    }
}

static uint32_t seed = 7;

static unsigned pick(unsigned below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % below;
}

/* Few keys and values, so that two of them have much in common. */
static json_t *any_value(unsigned depth)
{
    static const char *const keys[] = {"name", "a", "b/c", "~", ""};
    unsigned sort = depth == 0 ? 2 + pick(2) : pick(4);
    if (sort >= 2) {
        return sort == 2 ? json_integer((json_int_t)pick(3)) : json_string(keys[pick(3)]);
    }
    json_t *value = sort == 0 ? json_object() : json_array();
    for (unsigned n = pick(5); n > 0; n--) {
        if (sort == 0) {
            json_object_set_new(value, keys[pick(5)], any_value(depth - 1));
        } else {
            json_array_append_new(value, any_value(depth - 1));
        }
    }
    return value;
}

static void patches_lead_from_one_to_the_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        json_t *from = any_value(3);
        json_t *to = any_value(3);
        json_t *patch = patch_between(from, to);
        json_t *got = json_patch_apply(from, patch);
        assert_non_null(got);
        assert_true(json_equal(got, to));
        assert_true((json_array_size(patch) == 0) == (json_equal(from, to) != 0));
        json_decref(from);
        json_decref(to);
        json_decref(patch);
        json_decref(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_are_short),
        cmocka_unit_test(patches_lead_from_one_to_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
