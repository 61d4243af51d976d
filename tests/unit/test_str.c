/* SPDX-License-Identifier: Apache-2.0 */
/* Does str compare, cut and measure as its header says, at the edges too? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define assert_str(s, text) assert_true(str_eq((s), str_from(text)))

static void empty_strings_are_equal(void **state)
{
    (void)state;
    assert_true(str_eq(STR_NULL, STR("")));
    assert_true(str_eq(str_from(NULL), STR_NULL));
    assert_int_equal(str_cmp(STR_NULL, STR("")), 0);
    assert_true(str_eq_nocase(STR_NULL, STR("")));
    assert_true(str_starts_with(STR_NULL, STR_NULL));
    assert_true(str_ends_with(STR_NULL, STR_NULL));
    assert_true(str_contains(STR_NULL, STR_NULL));
    assert_int_equal(str_index(STR_NULL, 'a'), 0);
    assert_int_equal(str_rindex(STR_NULL, 'a'), 0);
    assert_int_equal(str_trim(STR_NULL).len, 0);
    assert_int_equal(str_sub(STR_NULL, 3, 3).len, 0);
}

static void order_is_bytewise_then_shorter_first(void **state)
{
    (void)state;
    assert_int_equal(str_cmp(STR("a"), STR("b")), -1);
    assert_int_equal(str_cmp(STR("b"), STR("a")), 1);
    assert_int_equal(str_cmp(STR("a"), STR("ab")), -1);
    assert_int_equal(str_cmp(STR("ab"), STR("a")), 1);
    assert_int_equal(str_cmp(STR("a\xff"), STR("ab")), 1);
    assert_int_equal(str_cmp(STR("a\0b"), STR("a\0c")), -1);
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_true(str_eq_nocase(STR("Content-Type"), STR("cONTENT-tYPE")));
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
    assert_false(str_eq_nocase(STR("a"), STR("aa")));
}

static void parts_are_found(void **state)
{
    (void)state;
    assert_true(str_starts_with(STR("abc"), STR("ab")));
    assert_false(str_starts_with(STR("a"), STR("ab")));
    assert_true(str_ends_with(STR("abc"), STR("bc")));
    assert_false(str_ends_with(STR("c"), STR("bc")));
    assert_true(str_contains(STR("aaab"), STR("aab")));
    assert_true(str_contains(STR("abc"), STR("abc")));
    assert_false(str_contains(STR("abc"), STR("abcd")));
    assert_false(str_contains(STR("ababac"), STR("abc")));
    assert_int_equal(str_index(STR("a/b/c"), '/'), 1);
    assert_int_equal(str_rindex(STR("a/b/c"), '/'), 3);
    assert_int_equal(str_index(STR("abc"), '/'), 3);
    assert_int_equal(str_rindex(STR("abc"), '/'), 3);
}

static void sub_and_trim_clamp(void **state)
{
    (void)state;
    assert_str(str_sub(STR("abcdef"), 2, 3), "cde");
    assert_str(str_sub(STR("abc"), 2, SIZE_MAX), "c");
    assert_str(str_sub(STR("abc"), 3, 1), "");
    assert_str(str_sub(STR("abc"), SIZE_MAX, SIZE_MAX), "");
    assert_str(str_trim(STR(" \t a b \r\n")), "a b");
    assert_str(str_trim(STR(" \v\f ")), "");
}

static void cut_yields_every_piece_once(void **state)
{
    (void)state;
    static const char *const want[] = {"a", "", "b", ""};
    struct str rest = STR("a,,b,");
    unsigned n = 0;
    while (rest.ptr != NULL) {
        struct str piece = str_cut(&rest, ',');
        assert_true(n < 4);
        assert_str(piece, want[n]);
        n++;
    }
    assert_int_equal(n, 4);
    assert_int_equal(rest.len, 0);
}

static void numbers_are_digits_only(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(str_to_u64(STR("0"), &value));
    assert_int_equal(value, 0);
    assert_true(str_to_u64(STR("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    value = 7;
    assert_false(str_to_u64(STR("18446744073709551616"), &value));
    assert_false(str_to_u64(STR(""), &value));
    assert_false(str_to_u64(STR("-1"), &value));
    assert_false(str_to_u64(STR("+1"), &value));
    assert_false(str_to_u64(STR(" 1"), &value));
    assert_false(str_to_u64(STR("1x"), &value));
    assert_int_equal(value, 7);
}

static void hex_digits_are_digits_and_six_letters(void **state)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    (void)state;
    for (int c = -128; c < 128; c++) {
        const char *at = c != 0 ? strchr(digits, (char)c) : NULL;
        int value = at != NULL ? (int)(at - digits) : -1;
        assert_int_equal(str_hex_digit((char)c), value < 16 ? value : value - 6);
    }
}

static void dup_ends_in_nul(void **state)
{
    (void)state;
    char *copy = str_dup(str_sub(STR("abc"), 0, 2));
    assert_string_equal(copy, "ab");
    free(copy);
    copy = str_dup(STR_NULL);
    assert_string_equal(copy, "");
    free(copy);
}

static void distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(str_distance(STR(""), STR(""), 3), 0);
    assert_int_equal(str_distance(STR("port"), STR("port"), 0), 0);
    assert_int_equal(str_distance(STR("port"), STR("prot"), 3), 1);
    assert_int_equal(str_distance(STR("port"), STR("ports"), 3), 1);
    assert_int_equal(str_distance(STR("port"), STR("pot"), 3), 1);
    assert_int_equal(str_distance(STR("port"), STR("part"), 3), 1);
    assert_int_equal(str_distance(STR("ca"), STR("abc"), 5), 3);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 9), 3);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 2), 3);
    assert_int_equal(str_distance(STR("abc"), STR("xyz"), 1), 2);
    assert_int_equal(str_distance(STR(""), STR("abc"), 3), 3);
    assert_int_equal(str_distance(STR("abc"), STR(""), 1), 2);
    char text[256];
    memset(text, 'a', sizeof(text));
    assert_int_equal(str_distance(str_span(text, 128), str_span(text, 128), 2), 0);
    assert_int_equal(str_distance(str_span(text, 129), str_span(text, 129), 2), 3);
}

static void utf8_is_strict(void **state)
{
    (void)state;
    assert_int_equal(str_utf8_len(STR("a"), 0), 1);
    assert_int_equal(str_utf8_len(STR("\0"), 0), 1);
    assert_int_equal(str_utf8_len(STR("a"), 1), 0);
    assert_int_equal(str_utf8_len(STR("a\xc3\xa9"), 1), 2);
    assert_int_equal(str_utf8_len(STR("\xe2\x82\xac"), 0), 3);
    assert_int_equal(str_utf8_len(STR("\xf0\x9f\x98\x80"), 0), 4);
    assert_int_equal(str_utf8_len(STR("\xf4\x8f\xbf\xbf"), 0), 4);
    assert_int_equal(str_utf8_len(STR("\xc0\x80"), 0), 0);         /* overlong */
    assert_int_equal(str_utf8_len(STR("\xe0\x9f\xbf"), 0), 0);     /* overlong */
    assert_int_equal(str_utf8_len(STR("\xf0\x8f\xbf\xbf"), 0), 0); /* overlong */
    assert_int_equal(str_utf8_len(STR("\xed\xa0\x80"), 0), 0);     /* surrogate */
    assert_int_equal(str_utf8_len(STR("\xf4\x90\x80\x80"), 0), 0); /* past U+10FFFF */
    assert_int_equal(str_utf8_len(STR("\xf8\x88\x80\x80"), 0), 0);
    assert_int_equal(str_utf8_len(STR("\x80"), 0), 0);
    assert_int_equal(str_utf8_len(STR("\xe2\x82"), 0), 0); /* cut off */
    assert_int_equal(str_utf8_len(STR("\xe2\x82x"), 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_strings_are_equal),
        cmocka_unit_test(order_is_bytewise_then_shorter_first),
        cmocka_unit_test(parts_are_found),
        cmocka_unit_test(sub_and_trim_clamp),
        cmocka_unit_test(cut_yields_every_piece_once),
        cmocka_unit_test(numbers_are_digits_only),
        cmocka_unit_test(hex_digits_are_digits_and_six_letters),
        cmocka_unit_test(dup_ends_in_nul),
        cmocka_unit_test(distance_counts_edits),
        cmocka_unit_test(utf8_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
