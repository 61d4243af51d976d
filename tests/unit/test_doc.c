/* SPDX-License-Identifier: Apache-2.0 */
/* Are documents read as kubectl reads them, and do errors say where and what to do? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "codec/doc.h"

struct parsed {
    struct arena arena;
    struct doc *docs;
    size_t len;
    struct buf json;
};

static struct parsed parsed;

static int parsed_end(void **state)
{
    (void)state;
    arena_release(&parsed.arena);
    buf_release(&parsed.json);
    return 0;
}

static void parse(struct str text)
{
    arena_release(&parsed.arena);
    char *copy = str_dup(text); /* exact size, and gone afterwards: nothing may point into it */
    doc_parse(&parsed.arena, str_span(copy, text.len), &parsed.docs, &parsed.len);
    free(copy);
}

static const char *json_of(const struct doc_node *node)
{
    buf_init(&parsed.json, BUF_UNLIMITED);
    assert_non_null(node);
    doc_to_json(node, &parsed.json);
    buf_add_byte(&parsed.json, '\0');
    return (const char *)parsed.json.data;
}

static void expect_json(const char *yaml, const char *json)
{
    parse(str_from(yaml));
    assert_int_equal(parsed.len, 1);
    assert_string_equal(parsed.docs[0].error.text.ptr != NULL ? parsed.docs[0].error.text.ptr : "",
                        "");
    assert_string_equal(json_of(parsed.docs[0].root), json);
    buf_release(&parsed.json);
}

static void expect_part(struct str whole, const char *part)
{
    if (!str_contains(whole, str_from(part))) {
        print_error("'%.*s' does not contain '%s'\n", STR_FMT(whole), part);
        fail();
    }
}

static void expect_error(const char *yaml, uint32_t line, uint32_t column, const char *text,
                         const char *hint)
{
    parse(str_from(yaml));
    assert_int_equal(parsed.len, 1);
    const struct doc *doc = &parsed.docs[0];
    assert_null(doc->root);
    expect_part(doc->error.text, text);
    expect_part(doc->error.hint, hint);
    assert_int_equal(doc->error.line, line);
    assert_int_equal(doc->error.column, column);
}

static void scalars_mean_what_kubectl_makes_of_them(void **state)
{
    (void)state;
    expect_json("[true, True, TRUE, yes, Yes, YES, on, On, ON]",
                "[true,true,true,true,true,true,true,true,true]");
    expect_json("[false, No, off]", "[false,false,false]");
    expect_json("[~, null, Null, NULL, ]", "[null,null,null,null]");
    expect_json("a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}");
    expect_json("[tRUE, y, n, nULL, 'true', \"5\"]",
                "[\"tRUE\",\"y\",\"n\",\"nULL\",\"true\",\"5\"]");
    expect_json("[0, -0, 7, +7, -7, 9223372036854775807, -9223372036854775808]",
                "[0,0,7,7,-7,9223372036854775807,-9223372036854775808]");
    expect_json("[1., .5, 1.5e3, -1E-2, 9223372036854775808]",
                "[1,0.5,1500,-0.01,9.223372036854776e+18]");
    expect_json("[0777, 0x1f, 1_000, 1e400, .inf, .nan, 1.2.3, '-', 5s, 1e, 2020-01-01, 1:30]",
                "[\"0777\",\"0x1f\",\"1_000\",\"1e400\",\".inf\",\".nan\",\"1.2.3\",\"-\",\"5s\","
                "\"1e\",\"2020-01-01\",\"1:30\"]");
    expect_json("[!!str 5, !!int '7', ! 8, !!bool no]", "[\"5\",7,\"8\",false]");
    expect_json("!!map {a: !!seq [b]}", "{\"a\":[\"b\"]}");
    expect_json("{on: 1, 2: b, null: c}", "{\"on\":1,\"2\":\"b\",\"null\":\"c\"}");
    expect_json("|\n  a\n  b\n", "\"a\\nb\\n\"");
    expect_json("~", "null");
}

static void text_is_kept_as_written(void **state)
{
    (void)state;
    parse(STR("a: +07\nb: \"x\\ty\"\nc: +7\n"));
    const struct doc_node *root = parsed.docs[0].root;
    assert_true(str_eq(doc_get(root, STR("a"))->text, STR("+07")));
    assert_int_equal(doc_get(root, STR("a"))->type, DOC_STRING);
    assert_true(str_eq(doc_get(root, STR("b"))->text, STR("x\ty")));
    assert_true(str_eq(doc_get(root, STR("c"))->text, STR("+7")));
    assert_int_equal(doc_get(root, STR("c"))->integer, 7);
}

static void nodes_know_where_they_stood(void **state)
{
    (void)state;
    parse(STR("# c\n---\nspec:\n  rules:\n  - name: x\n"));
    assert_int_equal(parsed.len, 1);
    assert_int_equal(parsed.docs[0].line, 3);
    const struct doc_entry *spec = doc_find(parsed.docs[0].root, STR("spec"));
    assert_int_equal(spec->line, 3);
    assert_int_equal(spec->column, 1);
    const struct doc_entry *rules = doc_find(spec->value, STR("rules"));
    assert_int_equal(rules->line, 4);
    assert_int_equal(rules->column, 3);
    const struct doc_node *name = doc_get(rules->value->items[0], STR("name"));
    assert_int_equal(name->line, 5);
    assert_int_equal(name->column, 11);
    assert_null(doc_find(parsed.docs[0].root, STR("status")));
    assert_null(doc_get(rules->value, STR("name")));
    assert_null(doc_get(NULL, STR("name")));
    assert_string_equal(doc_type_name(rules->value->type), "a list");
}

static void files_are_cut_into_documents(void **state)
{
    (void)state;
    static const struct str files[] = {STR(""),
                                       STR("\n \n"),
                                       STR("# only\n---\n# comments\n---"),
                                       STR("...\n---\n...\n"),
                                       STR("%YAML 1.1\n---\n"),
                                       STR_NULL};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        parse(files[i]);
        assert_int_equal(parsed.len, 0);
    }
    parse(STR("\xEF\xBB\xBF%YAML 1.1\n# c\n---\r\na: 1\r\n--- # c\nb: |\n  ---\n ...\n...\n"
              "c: 3\n--- {d: 4}\n---x: 1\n---\n- e"));
    assert_int_equal(parsed.len, 5);
    assert_string_equal(json_of(parsed.docs[0].root), "{\"a\":1}");
    buf_release(&parsed.json);
    assert_int_equal(parsed.docs[0].line, 4);
    assert_int_equal(parsed.docs[1].line, 6);
    assert_string_equal(json_of(parsed.docs[2].root), "{\"c\":3}");
    buf_release(&parsed.json);
    assert_int_equal(parsed.docs[3].line, 11);
    assert_non_null(parsed.docs[3].error.text.ptr); /* "---x" is no separator */
    assert_string_equal(json_of(parsed.docs[4].root), "[\"e\"]");
}

static void a_slip_leaves_its_neighbours_alone(void **state)
{
    (void)state;
    parse(STR("a: 1\n---\nb: [\n---\nc: \"x\n---\nd: 4\n"));
    assert_int_equal(parsed.len, 4);
    assert_non_null(parsed.docs[0].root);
    assert_null(parsed.docs[1].root);
    assert_null(parsed.docs[2].root);
    assert_int_equal(parsed.docs[2].error.line, 5);
    assert_string_equal(json_of(parsed.docs[3].root), "{\"d\":4}");
}

static void json_is_read_too(void **state)
{
    (void)state;
    expect_json("{\n\t\"a\": [1, -2.5, \"x\\n\\u00e9\\/\", true, null],\n\t\"b\":{}\n}\n",
                "{\"a\":[1,-2.5,\"x\\n\xc3\xa9/\",true,null],\"b\":{}}");
}

static void anchors_are_shared(void **state)
{
    (void)state;
    expect_json("a: &x {k: [1]}\nb: *x\nc: *x\n",
                "{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]},\"c\":{\"k\":[1]}}");
    assert_ptr_equal(doc_get(parsed.docs[0].root, STR("a")),
                     doc_get(parsed.docs[0].root, STR("b")));
    expect_json("a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}");
    expect_error("a: &x [1, *x]\n", 1, 11, "inside of its own anchor", "write the value out");
    expect_error("a: *x\n", 1, 4, "there is no anchor '&x'", "in quotes");
    expect_error("a: &x {b: 1}\nc:\n  <<: *x\n", 3, 3, "merge key '<<'", "write the fields out");
}

static void keys_are_unique_and_plain(void **state)
{
    (void)state;
    expect_error("a: 1\nb: 2\na: 3\n", 3, 1, "'a' is given twice, in lines 1 and 3", "keep one");
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    for (unsigned i = 0; i < 40; i++) {
        buf_printf(&yaml, "k%u: 1\n", i);
    }
    buf_add_text(&yaml, "'k3': 1\n");
    buf_add_byte(&yaml, '\0');
    expect_error((const char *)yaml.data, 41, 1, "'k3' is given twice, in lines 4 and 41", "");
    buf_release(&yaml);
    expect_error("? [a]\n: b\n", 1, 3, "a key must be", "key: value");
    expect_error("a: {{ .Values.x }}\n", 1, 5, "'{' where a key", "rendered");
    expect_error(": b\n", 1, 1, "a key is missing", "");
    expect_error("?\n: b\n", 1, 2, "a key is missing", "");
    expect_error("a: !secret b\n", 1, 4, "tag '!secret'", "leave the tag out");
    expect_error("a: !x [b]\n", 1, 4, "tag '!x'", "");
}

static void complaints_become_advice(void **state)
{
    (void)state;
    expect_error("a:\n\tb: 1\n", 2, 1, "tab", "spaces, not tabs");
    expect_error("a:\n  b: 1\n\tc: 1\n", 3, 1, "tab", "spaces, not tabs");
    expect_error("x: 1\na: \"x\nb: 1\n", 2, 4, "quote is not closed (opened in line 2)", "close");
    expect_error("a: [1, 2\nb: 1\n", 2, 2, "']' is missing (the '[' was opened in line 1)", "']'");
    expect_error("{\n\"a\": 1\n\"b\": 2\n}\n", 3, 4, "'}' is missing", "separate fields");
    expect_error("a: 1\nkey\nb: 2\n", 2, 1, "a key without a colon", "key: value");
    expect_error("a:\n  b: 1\n   c: 2\n", 3, 5, "':' stands where no key", "indentation");
    expect_error("x:\n    b: 1\n  c: 2\n", 3, 3,
                 "does not fit the mapping (which begins in line 1)", "same indentation");
    expect_error("- a\nb: 1\n", 2, 1, "does not fit the list (which begins in line 1)", "'- '");
    expect_error("a: \"x\" y\n", 1, 8, "more text", "quotes");
    expect_error("a: [1]]\n", 1, 7, "closes nothing", "remove it");
    expect_error("a: - b\n", 1, 4, "list item", "line of its own");
    expect_error("a: *.example.com\n", 1, 4, "'*'", "in quotes");
    expect_error("a: @x\n", 1, 4, "no value can begin", "in quotes");
    expect_error("  a: 1\nb: 2\n", 2, 1, "outside of the document", "'---'");
    expect_error("a: \"\\q\"\n", 1, 5, "backslash", "double the backslash");
    expect_error("a: x\nb: \x01\n", 2, 4, "control character", "remove it");
}

static void a_missing_space_is_found_and_mended(void **state)
{
    (void)state;
    static const char route[] = "kind: GRPCRoute\n"
                                "spec:\n"
                                "  rules:\n"
                                "  - matches:\n"
                                "    - method:\n"
                                "        service:echo_basic.grpcecho.GrpcEcho\n"
                                "        method: Echo\n";
    expect_error(route, 6, 9, "'service:echo_basic.grpcecho.GrpcEcho' is one word",
                 "write 'service: echo_basic.grpcecho.GrpcEcho' with a space after the colon "
                 "(line 6)");
    assert_string_equal(json_of(parsed.docs[0].mended),
                        "{\"kind\":\"GRPCRoute\",\"spec\":{\"rules\":[{\"matches\":[{\"method\":{"
                        "\"service\":\"echo_basic.grpcecho.GrpcEcho\",\"method\":\"Echo\"}}]}]}}");
    buf_release(&parsed.json);
    expect_error("- name:foo\n  port:80\n  x: 1\n", 1, 3, "'name:foo'", "; likewise line 2");
    assert_string_equal(json_of(parsed.docs[0].mended), "[{\"name\":\"foo\",\"port\":80,\"x\":1}]");
    buf_release(&parsed.json);
    expect_error("---\na: x\nnamespace:foo\nb: 3\n", 3, 1, "'namespace:foo'", "(line 3)");
    assert_non_null(parsed.docs[0].mended);
    /* What is no slip, or is not what went wrong, is not blamed. */
    expect_error("a:\n  url: http://x\n  http://y\n b: 1\n", 3, 3, "without a colon", "");
    assert_null(parsed.docs[0].mended);
    assert_int_equal(parsed.docs[0].error.hint.len, strlen("write 'key: value' with a colon and a "
                                                           "space after the key"));
    /* A slip is told even if it is not all that is wrong. */
    expect_error("a: 1\nimage:x\n}\n", 2, 1, "'image:x' is one word", "write 'image: x'");
    assert_null(parsed.docs[0].mended);
}

static void too_many_slips_are_not_mended(void **state)
{
    (void)state;
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    for (unsigned i = 0; i < 9; i++) {
        buf_printf(&yaml, "k%u:\n  a:1\n  b: 2\n", i);
    }
    parse(buf_str(&yaml));
    assert_null(parsed.docs[0].root);
    assert_null(parsed.docs[0].mended);
    assert_int_equal(parsed.docs[0].error.line, 2);
    expect_part(parsed.docs[0].error.hint, "write 'a: 1'");
    parse(str_sub(buf_str(&yaml), 0, yaml.len - strlen("k8:\n  a:1\n  b: 2\n")));
    assert_non_null(parsed.docs[0].mended);
    buf_release(&yaml);
}

static void nest(struct buf *yaml, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++) {
        buf_add_byte(yaml, '[');
    }
    for (unsigned i = 0; i < levels; i++) {
        buf_add_byte(yaml, ']');
    }
}

static void depth_is_limited(void **state)
{
    (void)state;
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    nest(&yaml, DOC_DEPTH_MAX);
    parse(buf_str(&yaml));
    assert_non_null(parsed.docs[0].root);
    buf_clear(&yaml);
    nest(&yaml, DOC_DEPTH_MAX + 1);
    parse(buf_str(&yaml));
    expect_part(parsed.docs[0].error.text, "nested too deep");
    buf_clear(&yaml);
    nest(&yaml, 500000);
    parse(buf_str(&yaml));
    expect_part(parsed.docs[0].error.text, "nested too deep");
    buf_clear(&yaml); /* an alias is as deep as what it stands for */
    buf_add_text(&yaml, "- &a ");
    nest(&yaml, DOC_DEPTH_MAX - 1);
    buf_add_text(&yaml, "\n- [*a]\n");
    parse(buf_str(&yaml));
    expect_part(parsed.docs[0].error.text, "nested too deep");
    buf_release(&yaml);
}

static void laughs_are_counted(void **state)
{
    (void)state;
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    buf_add_text(&yaml, "- &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (unsigned i = 1; i < 10; i++) {
        buf_printf(&yaml, "- &a%u [", i);
        for (unsigned k = 0; k < 10; k++) {
            buf_printf(&yaml, "*a%u,", i - 1);
        }
        buf_add_text(&yaml, "]\n");
    }
    parse(buf_str(&yaml));
    expect_part(parsed.docs[0].error.text, "more than 200000 values");
    buf_clear(&yaml); /* few nodes, much text */
    buf_add_text(&yaml, "- &a \"");
    for (unsigned i = 0; i < 100000; i++) {
        buf_add_text(&yaml, "xxxxxxxxxx");
    }
    buf_add_text(&yaml, "\"\n");
    for (unsigned i = 0; i < 100; i++) {
        buf_add_text(&yaml, "- *a\n");
    }
    parse(buf_str(&yaml));
    expect_part(parsed.docs[0].error.text, "bytes of text");
    buf_release(&yaml);
}

static void files_are_limited(void **state)
{
    (void)state;
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    for (unsigned i = 0; i < DOC_PER_FILE_MAX; i++) {
        buf_add_text(&yaml, "---\na\n");
    }
    parse(buf_str(&yaml));
    assert_int_equal(parsed.len, DOC_PER_FILE_MAX);
    buf_add_text(&yaml, "---\na\n");
    parse(buf_str(&yaml));
    assert_int_equal(parsed.len, 1);
    expect_part(parsed.docs[0].error.text, "more than 10000 documents");
    buf_clear(&yaml);
    uint8_t *room = buf_reserve(&yaml, DOC_BYTES_MAX + 1);
    memset(room, '#', DOC_BYTES_MAX + 1);
    parse(str_span((const char *)room, DOC_BYTES_MAX));
    assert_int_equal(parsed.len, 0);
    parse(str_span((const char *)room, DOC_BYTES_MAX + 1));
    assert_int_equal(parsed.len, 1);
    expect_part(parsed.docs[0].error.text, "larger than 8388608 bytes");
    buf_release(&yaml);
    expect_error("a: 1\nb: \xff\n", 2, 0, "not UTF-8", "save it as UTF-8");
    expect_error("\xff\xfe"
                 "a",
                 1, 0, "not UTF-8", "");
}

/* Documents that are each within the limits may be too much for one file. */
static void documents_are_weighed_together(void **state)
{
    (void)state;
    struct buf yaml;
    buf_init(&yaml, BUF_UNLIMITED);
    for (unsigned i = 0; i < DOC_FILE_NODES_MAX / 160000; i++) {
        buf_add_text(&yaml,
                     "---\n- &a [1,2,3,4,5,6,7,8,9]\n- &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n");
        for (unsigned j = 0; j < 1570; j++) {
            buf_add_text(&yaml, "- *b\n");
        }
    }
    parse(buf_str(&yaml));
    assert_int_equal(parsed.len, DOC_FILE_NODES_MAX / 160000);
    assert_non_null(parsed.docs[0].root);
    struct buf more;
    buf_init(&more, BUF_UNLIMITED);
    buf_add_str(&more, buf_str(&yaml));
    buf_add_str(&more, str_sub(buf_str(&yaml), 0, yaml.len / 2));
    parse(buf_str(&more));
    assert_int_equal(parsed.len, 1);
    expect_part(parsed.docs[0].error.text, "the file has more than 2000000 values");
    expect_part(parsed.docs[0].error.hint, "an alias counts");
    buf_clear(&more);
    for (unsigned i = 0; i < 5; i++) {
        buf_add_text(&more, "---\n- &a \"");
        for (unsigned j = 0; j < 10000; j++) {
            buf_add_text(&more, "xxxxxxxxxx");
        }
        buf_add_text(&more, "\"\n");
        for (unsigned j = 0; j < 80; j++) {
            buf_add_text(&more, "- *a\n");
        }
    }
    parse(buf_str(&more));
    expect_part(parsed.docs[0].error.text, "the file holds more than 33554432 bytes of text");
    buf_release(&more);
    buf_release(&yaml);
}

#define TEST(name) cmocka_unit_test_teardown(name, parsed_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scalars_mean_what_kubectl_makes_of_them),
        TEST(text_is_kept_as_written),
        TEST(nodes_know_where_they_stood),
        TEST(files_are_cut_into_documents),
        TEST(a_slip_leaves_its_neighbours_alone),
        TEST(json_is_read_too),
        TEST(anchors_are_shared),
        TEST(keys_are_unique_and_plain),
        TEST(complaints_become_advice),
        TEST(a_missing_space_is_found_and_mended),
        TEST(too_many_slips_are_not_mended),
        TEST(depth_is_limited),
        TEST(laughs_are_counted),
        TEST(files_are_limited),
        TEST(documents_are_weighed_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
