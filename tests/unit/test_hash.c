/* SPDX-License-Identifier: Apache-2.0 */
/* Are hashes the same everywhere and always, and is base64 what RFC 4648 says? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "codec/base64.h"
#include "codec/hash.h"

static void hashes_never_change(void **state)
{
    (void)state;
    char text[HASH_TEXT_LEN];
    hash_text(hash_bytes(STR("")), text);
    assert_string_equal(text, "99aa06d3014798d8"); /* XXH3-128 of nothing, from its specification */
    assert_true(hash_eq(hash_bytes(STR_NULL), hash_bytes(STR(""))));
    assert_true(hash_bytes(STR("")).low == UINT64_C(0x6001c324468d497f));
    assert_true(hash_eq(hash_bytes(STR("abc")), hash_bytes(STR("abc"))));
    assert_false(hash_eq(hash_bytes(STR("abc")), hash_bytes(STR("abd"))));
    assert_false(hash_eq(hash_bytes(STR("a\0")), hash_bytes(STR("a"))));
    hash_text((struct hash){.high = 0x1f, .low = 1}, text);
    assert_string_equal(text, "000000000000001f");
}

static void mixing_minds_the_order(void **state)
{
    (void)state;
    struct hash a = hash_bytes(STR("a")), b = hash_bytes(STR("b"));
    assert_true(hash_eq(hash_mix(a, b), hash_mix(a, b)));
    assert_false(hash_eq(hash_mix(a, b), hash_mix(b, a)));
    assert_false(hash_eq(hash_mix(a, a), a));
}

static const struct {
    const char *bytes;
    const char *text;
} pairs[] = {{"", ""},
             {"f", "Zg=="},
             {"fo", "Zm8="},
             {"foo", "Zm9v"},
             {"foob", "Zm9vYg=="},
             {"fooba", "Zm9vYmE="},
             {"foobar", "Zm9vYmFy"}};

static void base64_goes_both_ways(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 64);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        buf_clear(&out);
        base64_encode(str_from(pairs[i].bytes), &out);
        assert_true(str_eq(buf_str(&out), str_from(pairs[i].text)));
        buf_clear(&out);
        assert_true(base64_decode(str_from(pairs[i].text), &out));
        assert_true(str_eq(buf_str(&out), str_from(pairs[i].bytes)));
    }
    buf_clear(&out);
    base64_encode(STR("\0\xff\xfe"), &out);
    assert_true(str_eq(buf_str(&out), STR("AP/+")));
    buf_clear(&out);
    assert_true(base64_decode(STR(" Zm9v\r\n Zg = =\n"), &out));
    assert_true(str_eq(buf_str(&out), STR("foof")));
    buf_release(&out);
}

static void bad_base64_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z",    "Zg",    "Zg=",      "Zm9",    "Zg==Zg==", "=",
                                      "====", "Z===",  "Zh==",     "Zm9=",   "Zm9v=",    "Zm-v",
                                      "Zg=a", "Z\x80", "Zm9vZg=a", "Zm9vYg="};
    struct buf out;
    buf_init(&out, 64);
    buf_add_text(&out, "kept");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (base64_decode(str_from(bad[i]), &out)) {
            print_error("taken for base64: %s\n", bad[i]);
            fail();
        }
        assert_true(str_eq(buf_str(&out), STR("kept")));
    }
    assert_false(base64_decode(STR("Zm\0v"), &out));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_never_change),
        cmocka_unit_test(mixing_minds_the_order),
        cmocka_unit_test(base64_goes_both_ways),
        cmocka_unit_test(bad_base64_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
