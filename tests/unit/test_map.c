/* SPDX-License-Identifier: Apache-2.0 */
/* Does the map find what was put and nothing else, through growth, removal and reuse? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"

#define NAMES 2000

static char names[NAMES][8];

static int name_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof(names[i]), "n%u", i);
    }
    return 0;
}

static void empty_map_has_nothing(void **state)
{
    (void)state;
    struct map map = {0};
    assert_null(map_get(&map, STR("a")));
    assert_null(map_remove(&map, STR("a")));
    assert_int_equal(map_next(&map, 0), 0);
    map_clear(&map);
    map_release(&map);
}

static void put_replaces_value_and_key(void **state)
{
    (void)state;
    struct map map = {0};
    char first[] = "key", second[] = "key";
    int one, two;
    assert_null(map_put(&map, str_from(first), &one));
    assert_ptr_equal(map_put(&map, str_from(second), &two), &one);
    assert_int_equal(map.len, 1);
    first[0] = 'X'; /* the first key is no longer looked at */
    assert_ptr_equal(map_get(&map, STR("key")), &two);
    assert_ptr_equal(map.slots[map_next(&map, 0)].key.ptr, second);
    assert_null(map_put(&map, STR_NULL, &one));
    assert_ptr_equal(map_get(&map, STR("")), &one);
    assert_null(map_get(&map, STR("key\0")));
    map_release(&map);
}

static void all_members_are_found_and_visited(void **state)
{
    (void)state;
    struct map map = {0};
    for (unsigned i = 0; i < NAMES; i++) {
        assert_null(map_put(&map, str_from(names[i]), names[i]));
    }
    assert_int_equal(map.len, NAMES);
    assert_true(map.len <= map.cap / 4 * 3);
    bool seen[NAMES] = {false};
    size_t visited = 0;
    for (size_t i = map_next(&map, 0); i < map.cap; i = map_next(&map, i + 1)) {
        size_t index = (size_t)((char(*)[8])map.slots[i].value - names);
        assert_false(seen[index]);
        seen[index] = true;
        visited++;
    }
    assert_int_equal(visited, NAMES);
    map_clear(&map);
    assert_null(map_get(&map, str_from(names[7])));
    assert_int_equal(map_next(&map, 0), map.cap);
    map_release(&map);
}

/* Random puts and removals against a plain array; a small map makes runs wrap around the end. */
static void agrees_with_an_array(unsigned keys, unsigned steps)
{
    struct map map = {0};
    bool present[NAMES] = {false};
    size_t len = 0;
    uint32_t random = 12345;
    for (unsigned step = 0; step < steps; step++) {
        random = random * 1664525u + 1013904223u;
        unsigned i = (random >> 8) % keys;
        struct str key = str_from(names[i]);
        void *want = present[i] ? names[i] : NULL;
        if ((random >> 30) != 0) {
            assert_ptr_equal(map_put(&map, key, names[i]), want);
            len += !present[i];
            present[i] = true;
        } else {
            assert_ptr_equal(map_remove(&map, key), want);
            len -= present[i];
            present[i] = false;
        }
        assert_int_equal(map.len, len);
        if (step % 64 == 0) {
            for (unsigned k = 0; k < keys; k++) {
                assert_ptr_equal(map_get(&map, str_from(names[k])), present[k] ? names[k] : NULL);
            }
        }
    }
    for (unsigned k = 0; k < keys; k++) {
        map_remove(&map, str_from(names[k]));
    }
    assert_int_equal(map.len, 0);
    map_release(&map);
}

static void random_steps_agree(void **state)
{
    (void)state;
    agrees_with_an_array(6, 4000);
    agrees_with_an_array(12, 8000);
    agrees_with_an_array(300, 20000);
}

static void hash_is_steady_within_a_process(void **state)
{
    (void)state;
    assert_true(map_hash(STR("a")) == map_hash(STR("a")));
    assert_true(map_hash(STR_NULL) == map_hash(STR("")));
    assert_true(map_hash(STR("a")) != map_hash(STR("b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_map_has_nothing),
        cmocka_unit_test(put_replaces_value_and_key),
        cmocka_unit_test(all_members_are_found_and_visited),
        cmocka_unit_test(random_steps_agree),
        cmocka_unit_test(hash_is_steady_within_a_process),
    };
    return cmocka_run_group_tests(tests, name_all, NULL);
}
