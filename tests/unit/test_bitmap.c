/* SPDX-License-Identifier: Apache-2.0 */
/* Does the bitmap count, find and grow right, at word borders above all? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bitmap.h"

static void empty_is_valid(void **state)
{
    (void)state;
    struct bitmap bm = {0};
    assert_false(bitmap_test(&bm, 0));
    assert_false(bitmap_clear(&bm, 1000));
    assert_int_equal(bitmap_next(&bm, 0), BITMAP_END);
    assert_int_equal(bitmap_next_and(&bm, &bm, 5), BITMAP_END);
    bitmap_clear_all(&bm);
    bitmap_release(&bm);
}

static void bits_are_set_once(void **state)
{
    (void)state;
    static const uint32_t bits[] = {0, 1, 63, 64, 65, 127, 128, 1000, 100000};
    enum { BITS = sizeof(bits) / sizeof(bits[0]) };
    struct bitmap bm = {0};
    for (unsigned i = BITS; i > 0; i--) {
        assert_true(bitmap_set(&bm, bits[i - 1]));
        assert_false(bitmap_set(&bm, bits[i - 1]));
    }
    assert_int_equal(bm.count, BITS);
    unsigned n = 0;
    bitmap_for_each (bit, &bm) {
        assert_int_equal(bit, bits[n]);
        n++;
    }
    assert_int_equal(n, BITS);
    assert_false(bitmap_test(&bm, 2));
    assert_false(bitmap_test(&bm, UINT32_MAX - 1));
    assert_int_equal(bitmap_next(&bm, 66), 127);
    assert_int_equal(bitmap_next(&bm, 100001), BITMAP_END);
    assert_int_equal(bitmap_next(&bm, BITMAP_END), BITMAP_END);
    assert_true(bitmap_clear(&bm, 63));
    assert_false(bitmap_clear(&bm, 63));
    assert_int_equal(bitmap_next(&bm, 2), 64);
    assert_int_equal(bm.count, BITS - 1);
    bitmap_clear_all(&bm);
    assert_int_equal(bm.count, 0);
    assert_int_equal(bitmap_next(&bm, 0), BITMAP_END);
    bitmap_release(&bm);
}

static void and_needs_both(void **state)
{
    (void)state;
    struct bitmap a = {0}, b = {0};
    for (uint32_t i = 0; i < 1000; i += 3) {
        bitmap_set(&a, i);
    }
    for (uint32_t i = 0; i < 500; i += 5) {
        bitmap_set(&b, i);
    }
    uint32_t want = 0;
    for (uint32_t bit = bitmap_next_and(&a, &b, 0); bit != BITMAP_END;
         bit = bitmap_next_and(&b, &a, bit + 1)) {
        assert_int_equal(bit, want);
        want += 15;
    }
    assert_int_equal(want, 510);
    assert_int_equal(bitmap_next_and(&a, &b, 496), BITMAP_END);
    bitmap_release(&a);
    bitmap_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_is_valid),
        cmocka_unit_test(bits_are_set_once),
        cmocka_unit_test(and_needs_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
