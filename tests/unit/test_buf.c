/* SPDX-License-Identifier: Apache-2.0 */
/* Does buf grow to its maximum and not a byte further? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void appends_are_kept_in_order(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, BUF_UNLIMITED);
    assert_int_equal(buf_str(&buf).len, 0);
    buf_add(&buf, NULL, 0);
    buf_add_str(&buf, STR_NULL);
    buf_add_text(&buf, "ab");
    buf_add_byte(&buf, 'c');
    buf_printf(&buf, "%d", 42);
    buf_add_str(&buf, STR("\0z"));
    assert_true(str_eq(buf_str(&buf), STR("abc42\0z")));
    for (unsigned i = 0; i < 10000; i++) {
        buf_printf(&buf, "%04u", i);
    }
    assert_int_equal(buf.len, 40007);
    assert_memory_equal(buf.data + 40003, "9999", 4);
    buf_release(&buf);
    assert_null(buf.data);
}

static void the_maximum_is_exact(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 5);
    buf_add_text(&buf, "abcde");
    assert_true(buf_ok(&buf));
    buf_add(&buf, "", 0);
    assert_true(buf_ok(&buf));
    buf_add_byte(&buf, 'f');
    assert_false(buf_ok(&buf));
    assert_true(str_eq(buf_str(&buf), STR("abcde")));
    buf_clear(&buf);
    assert_true(buf_ok(&buf));
    buf_add_text(&buf, "abcdef");
    buf_add_text(&buf, "a"); /* would fit, but what came before was dropped */
    assert_false(buf_ok(&buf));
    assert_int_equal(buf.len, 0);
    buf_release(&buf);
    buf_printf(&buf, "%s", "12345");
    assert_true(buf_ok(&buf));
    buf_printf(&buf, "%s", "6");
    assert_false(buf_ok(&buf));
    assert_true(str_eq(buf_str(&buf), STR("12345")));
    buf_release(&buf);
}

static void a_maximum_of_zero_takes_nothing(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 0);
    assert_non_null(buf_reserve(&buf, 0));
    buf_add_byte(&buf, 'a');
    assert_false(buf_ok(&buf));
    buf_release(&buf);
    buf_init(&buf, SIZE_MAX);
    assert_int_equal(buf.max, BUF_UNLIMITED);
    assert_null(buf_reserve(&buf, SIZE_MAX));
    buf_release(&buf);
}

static void reserve_and_commit(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    uint8_t *room = buf_reserve(&buf, 100);
    memset(room, 'x', 100);
    assert_int_equal(buf.len, 0);
    buf_commit(&buf, 60);
    assert_int_equal(buf.len, 60);
    assert_null(buf_reserve(&buf, 41));
    assert_false(buf_ok(&buf));
    buf_release(&buf);
}

static void consume_drops_the_front(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    buf_consume(&buf, 0);
    buf_add_text(&buf, "hello world");
    buf_consume(&buf, 6);
    assert_true(str_eq(buf_str(&buf), STR("world")));
    buf_consume(&buf, 5);
    assert_int_equal(buf.len, 0);
    buf_release(&buf);
}

static void steal_gives_a_c_string(void **state)
{
    (void)state;
    struct buf buf;
    size_t len = 9;
    buf_init(&buf, 64);
    char *text = buf_steal(&buf, &len);
    assert_string_equal(text, "");
    assert_int_equal(len, 0);
    free(text);
    for (unsigned i = 0; i < 64; i++) {
        buf_add_byte(&buf, 'y');
    }
    text = buf_steal(&buf, &len);
    assert_int_equal(len, 64);
    assert_int_equal(strlen(text), 64);
    assert_int_equal(buf.len, 0);
    free(text);
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_are_kept_in_order),       cmocka_unit_test(the_maximum_is_exact),
        cmocka_unit_test(a_maximum_of_zero_takes_nothing), cmocka_unit_test(reserve_and_commit),
        cmocka_unit_test(consume_drops_the_front),         cmocka_unit_test(steal_gives_a_c_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
