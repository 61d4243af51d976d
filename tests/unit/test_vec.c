/* SPDX-License-Identifier: Apache-2.0 */
/* Do vec and list, the two containers that live in headers, keep their members? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"
#include "base/vec.h"

struct bag {
    VEC(int) numbers;
};

static void vec_grows_and_shrinks(void **state)
{
    (void)state;
    struct bag bag = {0};
    for (int i = 0; i < 1000; i++) {
        vec_push(&bag.numbers, i);
    }
    assert_int_equal(bag.numbers.len, 1000);
    assert_true(bag.numbers.cap >= 1000 && bag.numbers.cap <= 1500);
    vec_swap_remove(&bag.numbers, 0);
    assert_int_equal(bag.numbers.items[0], 999);
    assert_int_equal(vec_pop(&bag.numbers), 998);
    assert_int_equal(bag.numbers.len, 998);
    vec_swap_remove(&bag.numbers, 997); /* the last one */
    assert_int_equal(bag.numbers.len, 997);
    vec_clear(&bag.numbers);
    assert_int_equal(bag.numbers.len, 0);
    vec_release(&bag.numbers);
    assert_null(bag.numbers.items);
    vec_release(&bag.numbers);
}

static void vec_grows_by_half_from_eight(void **state)
{
    (void)state;
    struct bag bag = {0};
    vec_push(&bag.numbers, 1);
    assert_int_equal(bag.numbers.cap, 8);
    vec_reserve(&bag.numbers, 9);
    assert_int_equal(bag.numbers.cap, 12);
    vec_reserve(&bag.numbers, 12);
    assert_int_equal(bag.numbers.cap, 12);
    vec_reserve(&bag.numbers, 100);
    assert_int_equal(bag.numbers.cap, 100);
    assert_int_equal(bag.numbers.items[0], 1);
    vec_release(&bag.numbers);
}

struct member {
    int number;
    struct list link;
};

static int sum(struct list *head)
{
    int total = 0;
    list_for_each (it, head) {
        total = total * 10 + list_entry(it, struct member, link)->number;
    }
    return total;
}

static void list_keeps_order_and_forgets(void **state)
{
    (void)state;
    struct list head;
    struct member members[4] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};
    list_init(&head);
    assert_true(list_empty(&head));
    for (unsigned i = 0; i < 4; i++) {
        list_append(&head, &members[i].link);
    }
    assert_int_equal(sum(&head), 1234);
    list_remove(&members[1].link);
    list_remove(&members[1].link);
    assert_int_equal(sum(&head), 134);
    list_for_each_safe (it, &head) {
        if (list_entry(it, struct member, link)->number != 3) {
            list_remove(it);
        }
    }
    assert_int_equal(sum(&head), 3);
    list_remove(&members[2].link);
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vec_grows_and_shrinks),
        cmocka_unit_test(vec_grows_by_half_from_eight),
        cmocka_unit_test(list_keeps_order_and_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
