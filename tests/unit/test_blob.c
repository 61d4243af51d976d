/* SPDX-License-Identifier: Apache-2.0 */
/* Does a blob live exactly as long as its references, and does the clock write times right? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/blob.h"
#include "base/clock.h"

static void blob_keeps_bytes_until_the_last_reference(void **state)
{
    (void)state;
    struct blob *blob = blob_new("ab\0cd", 5);
    assert_int_equal(blob->refs, 1);
    assert_true(str_eq(blob_str(blob), STR("ab\0cd")));
    assert_ptr_equal(blob_ref(blob), blob);
    blob_unref(blob);
    assert_true(str_eq(blob_str(blob), STR("ab\0cd")));
    blob_unref(blob);
    blob_unref(NULL);
}

static void blob_may_be_empty_or_filled_later(void **state)
{
    (void)state;
    struct blob *blob = blob_new(NULL, 0);
    assert_int_equal(blob_str(blob).len, 0);
    blob_unref(blob);
    blob = blob_alloc(1000);
    memset(blob->data, 'x', 1000);
    assert_int_equal(blob_str(blob).len, 1000);
    blob_unref(blob);
}

static void rfc3339_is_utc_with_milliseconds(void **state)
{
    (void)state;
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {999, "1970-01-01T00:00:00.999Z"},
        {UINT64_C(951782400001), "2000-02-29T00:00:00.001Z"},
        {UINT64_C(1795434418123), "2026-11-23T11:46:58.123Z"},
        {UINT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
        {UINT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[CLOCK_RFC3339_LEN];
        clock_rfc3339(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void clocks_move_on(void **state)
{
    (void)state;
    uint64_t before = clock_mono_ns();
    assert_true(clock_mono_ns() >= before);
    assert_true(clock_wall_ms() > UINT64_C(1700000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blob_keeps_bytes_until_the_last_reference),
        cmocka_unit_test(blob_may_be_empty_or_filled_later),
        cmocka_unit_test(rfc3339_is_utc_with_milliseconds),
        cmocka_unit_test(clocks_move_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
