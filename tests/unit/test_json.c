/* SPDX-License-Identifier: Apache-2.0 */
/* Is what the JSON writer writes JSON, and does it leave foreign JSON as it was but for space? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "codec/json.h"

static struct buf out;
static struct json json;

static int out_end(void **state)
{
    (void)state;
    buf_release(&out);
    return 0;
}

static void start(unsigned indent)
{
    buf_release(&out);
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, indent);
}

#define assert_out(text) assert_true(str_eq(buf_str(&out), str_from(text)))

static void write_sample(void)
{
    json_open(&json, '{');
    json_key(&json, "a");
    json_int(&json, -1);
    json_key_str(&json, STR("b\""));
    json_open(&json, '[');
    json_bool(&json, true);
    json_nil(&json);
    json_open(&json, '{');
    json_close(&json, '}');
    json_uint(&json, UINT64_MAX);
    json_close(&json, ']');
    json_key(&json, "c");
    json_open(&json, '[');
    json_close(&json, ']');
    json_key(&json, "d");
    json_raw(&json, STR("{\"x\":1}"));
    json_close(&json, '}');
}

static void commas_and_indentation(void **state)
{
    (void)state;
    start(0);
    write_sample();
    assert_out("{\"a\":-1,\"b\\\"\":[true,null,{},18446744073709551615],\"c\":[],"
               "\"d\":{\"x\":1}}");
    start(2);
    write_sample();
    assert_out("{\n  \"a\": -1,\n  \"b\\\"\": [\n    true,\n    null,\n    {},\n"
               "    18446744073709551615\n  ],\n  \"c\": [],\n  \"d\": {\"x\":1}\n}");
}

static void strings_are_escaped(void **state)
{
    (void)state;
    start(0);
    json_open(&json, '[');
    json_text(&json, "a\"\\\n\r\t\b\x01/\x7f");
    json_str(&json, STR("\0x"));
    json_str(&json, STR("\xc3\xa9\xff\xed\xa0\x80\xe2\x82"));
    json_str(&json, STR_NULL);
    json_str(&json, STR("\xc2\x85\xc2\xa0\xe2\x80\xa8\xef\xbb\xbf\xef\xbf\xbf\xf0\x9f\x98\x80"));
    json_close(&json, ']');
    assert_out("[\"a\\\"\\\\\\n\\r\\t\\u0008\\u0001/\\u007f\",\"\\u0000x\","
               "\"\xc3\xa9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
               "\xEF\xBF\xBD\",\"\",\"\\u0085\xc2\xa0\\u2028\\ufeff\\uffff\xf0\x9f\x98\x80\"]");
}

static void reals_are_short_and_exact(void **state)
{
    (void)state;
    start(0);
    json_open(&json, '[');
    json_double(&json, 0.1);
    json_double(&json, 1.0);
    json_double(&json, 1.0 / 3.0);
    json_double(&json, DBL_MAX);
    json_double(&json, (double)NAN);
    json_double(&json, (double)INFINITY);
    json_double(&json, (double)-INFINITY);
    json_double(&json, -0.0);
    json_close(&json, ']');
    assert_out("[0.1,1,0.3333333333333333,1.7976931348623157e+308,\"NaN\",\"Infinity\","
               "\"-Infinity\",0]");
}

static void reindent_changes_only_space(void **state)
{
    (void)state;
    start(2);
    json_open(&json, '[');
    assert_true(json_reindent(&json, STR(" {\"a\" : [1.50,-0,1e+5, \"\\u00e9\\/\" ],\"b\":{}}\n")));
    assert_true(json_reindent(&json, STR("123456789012345678901234567890")));
    assert_true(json_reindent(&json, STR("null")));
    json_close(&json, ']');
    assert_out("[\n  {\n    \"a\": [\n      1.50,\n      -0,\n      1e+5,\n      \"\\u00e9\\/\"\n"
               "    ],\n    \"b\": {}\n  },\n  123456789012345678901234567890,\n  null\n]");
}

static void reindent_refuses_what_is_no_json(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "  ",       "{",        "[1,]",    "{\"a\":1,}",  "[1 2]",  "{\"a\" 1}",
        "{a:1}", "01",       "-",        "1.",      ".5",          "1e",     "+1",
        "nul",   "nulll",    "\"a",      "\"\\x\"", "\"\\u12g4\"", "\"\n\"", "[1]]",
        "[1}",   "{\"a\":}", "\"\xff\"", "'a'",     "[,1]",        "{,}",    "1 2",
        "tru",   "\"\\u12",  "\"\\",     "{\"a\"",  "[",           "NaN",    "/* */1",
    };
    start(0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (json_reindent(&json, str_from(bad[i]))) {
            print_error("taken for JSON: %s\n", bad[i]);
            fail();
        }
    }
    assert_false(json_reindent(&json, STR("1\0")));
    assert_int_equal(out.len, 0);
}

static void reindent_minds_the_depth(void **state)
{
    (void)state;
    char nested[2 * (JSON_DEPTH_MAX + 1)];
    for (size_t levels = JSON_DEPTH_MAX; levels <= JSON_DEPTH_MAX + 1; levels++) {
        memset(nested, '[', levels);
        memset(nested + levels, ']', levels);
        start(0);
        assert_int_equal(json_reindent(&json, str_span(nested, 2 * levels)),
                         levels <= JSON_DEPTH_MAX);
    }
}

/* jansson, linked into the same program, must find its own functions, not ours. */
static void jansson_is_not_disturbed(void **state)
{
    (void)state;
    json_error_t error;
    json_t *root = json_loads("{\"a\": null, \"b\": 1.5, \"c\": [true]}", 0, &error);
    assert_non_null(root);
    assert_true(json_is_null(json_object_get(root, "a")));
    assert_true(json_real_value(json_object_get(root, "b")) > 1.4);
    json_decref(root);
    start(2);
    write_sample();
    root = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, &error);
    assert_null(root); /* 2^64 - 1 is too large for jansson */
    assert_non_null(strstr(error.text, "too big integer"));
}

static void members_at_once(void **state)
{
    (void)state;
    start(0);
    json_open(&json, '{');
    json_member_str(&json, "a", STR("x\""));
    json_member_text(&json, "b", "y");
    json_member_int(&json, "c", -1);
    json_member_uint(&json, "d", UINT64_MAX);
    json_member_bool(&json, "e", false);
    json_close(&json, '}');
    assert_out("{\"a\":\"x\\\"\",\"b\":\"y\",\"c\":-1,\"d\":18446744073709551615,\"e\":false}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(commas_and_indentation, out_end),
        cmocka_unit_test_teardown(members_at_once, out_end),
        cmocka_unit_test_teardown(strings_are_escaped, out_end),
        cmocka_unit_test_teardown(reals_are_short_and_exact, out_end),
        cmocka_unit_test_teardown(reindent_changes_only_space, out_end),
        cmocka_unit_test_teardown(reindent_refuses_what_is_no_json, out_end),
        cmocka_unit_test_teardown(reindent_minds_the_depth, out_end),
        cmocka_unit_test_teardown(jansson_is_not_disturbed, out_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
