/* SPDX-License-Identifier: Apache-2.0 */
/* doc_json: what is JSON, what it means, and walking over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "codec/doc_json.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static const struct doc_node *parse(const char *text)
{
    struct doc_node *root = NULL;
    struct err err = {"no words"};
    if (!doc_json_parse(&arena, str_from(text), 1000, &root, &err)) {
        fail_msg("%s: %s", text, err.text);
    }
    return root;
}

static bool parses(const char *text)
{
    struct doc_node *root = NULL;
    struct err err = {""};
    bool good = doc_json_parse(&arena, str_from(text), 1000, &root, &err);
    assert_true(good ? root != NULL : err.text[0] != '\0' && root == NULL);
    return good;
}

static void test_scalars(void **state)
{
    (void)state;
    assert_int_equal(parse(" null\n")->type, DOC_NULL);
    assert_true(parse("true")->type == DOC_BOOL && parse("true")->boolean);
    assert_true(parse("false")->type == DOC_BOOL && !parse("false")->boolean);
    assert_true(parse("-12")->type == DOC_INT && parse("-12")->integer == -12);
    assert_true(parse("9223372036854775807")->integer == INT64_MAX);
    assert_int_equal(parse("9223372036854775808")->type, DOC_FLOAT);
    assert_true(parse("1.5e1")->type == DOC_FLOAT && parse("1.5e1")->real == 15);
    assert_true(str_eq(parse("1.50")->text, STR("1.50")));
    assert_int_equal(parse("\"12\"")->type, DOC_STRING); /* as JSON says */
    assert_int_equal(parse("\"true\"")->type, DOC_STRING);
    assert_int_equal(parse("\"\"")->type, DOC_STRING);
}

static void test_texts(void **state)
{
    (void)state;
    assert_true(str_eq(parse("\"a\\n\\\"\\\\\\/\\b\\f\\r\\t\"")->text, STR("a\n\"\\/\b\f\r\t")));
    assert_true(str_eq(parse("\"\\u0041\\u00e9\\u20ac\"")->text, STR("A\xc3\xa9\xe2\x82\xac")));
    assert_true(str_eq(parse("\"\\ud83d\\ude00\"")->text, STR("\xf0\x9f\x98\x80")));
    assert_true(str_eq(parse("\"\xf0\x9f\x98\x80\"")->text, STR("\xf0\x9f\x98\x80")));
    assert_true(str_eq(parse("\"x\\u0000y\"")->text, STR("x\0y")));
    assert_true(str_eq(parse("\"\\ud83dx\"")->text, STR("\xef\xbf\xbdx"))); /* half a pair */
    assert_true(str_eq(parse("\"\\ud83d\\u0041\"")->text, STR("\xef\xbf\xbd"
                                                              "A")));
    assert_true(str_eq(parse("\"\\ude00\"")->text, STR("\xef\xbf\xbd")));
    assert_int_equal(parse("\"abc\"")->text.ptr[3], '\0');
}

static void test_trees(void **state)
{
    const struct doc_node *root = parse("{\"a\": [1, \"two\", {}, []], \"b\": {\"c\": null}}");
    const struct doc_node *a = doc_get(root, STR("a"));
    (void)state;
    assert_int_equal(root->type, DOC_MAPPING);
    assert_int_equal(root->len, 2);
    assert_int_equal(a->type, DOC_SEQUENCE);
    assert_int_equal(a->len, 4);
    assert_true(str_eq(a->items[1]->text, STR("two")));
    assert_true(a->items[2]->type == DOC_MAPPING && a->items[2]->len == 0);
    assert_true(a->items[3]->type == DOC_SEQUENCE && a->items[3]->len == 0);
    assert_int_equal(doc_get(doc_get(root, STR("b")), STR("c"))->type, DOC_NULL);
}

static void test_last_duplicate_counts(void **state)
{
    struct buf text;
    (void)state;
    const struct doc_node *root = parse("{\"a\": 1, \"b\": 2, \"a\": 3}");
    assert_int_equal(root->len, 2);
    assert_int_equal(doc_get(root, STR("a"))->integer, 3);
    buf_init(&text, BUF_UNLIMITED);
    buf_add_byte(&text, '{');
    for (unsigned i = 0; i < 100; i++) { /* more than are compared pairwise */
        buf_printf(&text, "\"k%u\": %u, ", i % 50, i);
    }
    buf_add_text(&text, "\"z\": 0}");
    buf_add_byte(&text, '\0');
    root = parse((const char *)text.data);
    assert_int_equal(root->len, 51);
    assert_int_equal(doc_get(root, STR("k7"))->integer, 57);
    buf_release(&text);
}

static void test_no_json(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "{\"a\"",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a: 1}",
        "{1: 2}",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "0x1",
        "1e999",
        "nul",
        "True",
        "\"a",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u123\"",
        "\"a\nb\"",
        "\"\x01\"",
        "1 2",
        "{} x",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "'a'",
        "[1 2]",
        "]",
        "\"\\",
        "{\"a\" 1}",
        "NaN",
        "/* */ 1",
        "\"\xed\xa0\x80\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parses(bad[i])) {
            fail_msg("'%s' is no JSON", bad[i]);
        }
    }
    struct doc_node *root;
    assert_false(doc_json_parse(&arena, STR("[\0]"), 10, &root, NULL));
}

static void test_limits(void **state)
{
    char text[3 * DOC_DEPTH_MAX];
    struct doc_node *root;
    (void)state;
    for (unsigned depth = DOC_DEPTH_MAX; depth <= DOC_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        assert_int_equal(parses(text), depth == DOC_DEPTH_MAX);
    }
    assert_true(doc_json_parse(&arena, STR("[1,2]"), 3, &root, NULL));
    assert_false(doc_json_parse(&arena, STR("[1,2]"), 2, &root, NULL));
}

/* The walk's members as "key=value;", "!" at the end when it was none. */
static bool walks(const char *text, const char *members)
{
    struct doc_json_walk walk;
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    for (bool more = doc_json_walk(str_from(text), &walk); more; more = doc_json_step(&walk)) {
        buf_printf(&out, "%.*s=%.*s;", STR_FMT(walk.key), STR_FMT(walk.value));
    }
    if (!doc_json_walked(&walk)) {
        buf_add_byte(&out, '!');
    }
    assert_false(doc_json_step(&walk)); /* stays at the end */
    bool same = str_eq(buf_str(&out), str_from(members));
    if (!same) {
        print_error("%s: %.*s, not %s\n", text, STR_FMT(buf_str(&out)), members);
    }
    buf_release(&out);
    return same;
}

static void test_walks(void **state)
{
    (void)state;
    assert_true(walks("{}", ""));
    assert_true(walks(" [ ] \n", ""));
    assert_true(walks("[1, \"a,]\" ,{\"x\":[2,3]}]", "=1;=\"a,]\";={\"x\":[2,3]};"));
    assert_true(
        walks("{\"a\" : {\"b\": \"}\\\"]\"} , \"c\":null}", "a={\"b\": \"}\\\"]\"};c=null;"));
    assert_true(walks("", "!"));
    assert_true(walks("1", "!"));
    assert_true(walks("\"a\"", "!"));
    assert_true(walks("null", "!"));
    assert_true(walks("[", "!"));
    assert_true(walks("[1", "=1;!"));
    assert_true(walks("[1,]", "=1;!"));
    assert_true(walks("[1,,2]", "=1;!"));
    assert_true(walks("[1 2]", "=1;!"));
    assert_true(walks("[1] x", "=1;!"));
    assert_true(walks("[\"a]", "!"));
    assert_true(walks("[{]", "={];!")); /* which bracket, its parse says */
    assert_true(walks("{\"a\"}", "!"));
    assert_true(walks("{\"a\":}", "!"));
    assert_true(walks("{a:1}", "!"));
    assert_true(walks("{\"a\":1]", "a=1;!"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_scalars), TEST(test_texts),  TEST(test_trees), TEST(test_last_duplicate_counts),
        TEST(test_no_json), TEST(test_limits), TEST(test_walks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
