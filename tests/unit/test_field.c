/* SPDX-License-Identifier: Apache-2.0 */
/* Does the walker do what a field table says, for every type of field? */
#include "model/field.h"
#include "model_rig.h"

struct inner {
    struct str name;
    int32_t number;
    uint32_t line;
};
struct outer {
    struct str text;
    int32_t small;
    int64_t big;
    bool flag, has_flag;
    int color;
    int64_t when;
    int64_t lasting;
    struct int_or_str either;
    bool has_either;
    struct inner embedded;
    struct inner *pointed;
    LIST(struct inner) items;
    LIST(struct str) texts;
    LIST(int32_t) numbers;
    LIST(struct str_pair) pairs;
    struct str flat;
};

static const char *const colors[] = {"Red", "Green", NULL};

static void check_inner(const void *obj, const struct doc_node *node, struct problems *problems,
                        struct str path)
{
    const struct inner *inner = obj;
    if (inner->number == 13) {
        problems_report(problems, PROBLEM_union, node->line, node->column, path, STR_NULL, "13");
    }
}

static const struct field inner_fields[] = {
    FIELD(STR, "name", struct inner, name, .required = true),
    FIELD(INT, "number", struct inner, number, .fallback = "7"),
    FIELD_LINE_OF(struct inner),
    FIELD_END,
};
static const struct schema inner_schema = {
    .name = "an inner", .size = sizeof(struct inner), .fields = inner_fields, .check = check_inner};
static const struct field flat_fields[] = {
    FIELD(STR, "flat", struct outer, flat),
    FIELD_END,
};
static const struct schema flat_schema = {.name = "a nest", .fields = flat_fields};
static const struct field outer_fields[] = {
    FIELD(STR, "text", struct outer, text, .format = &format_label),
    FIELD(INT, "small", struct outer, small, .min = -1, .max = 9),
    FIELD(INT64, "big", struct outer, big),
    FIELD(BOOL, "flag", struct outer, flag, FIELD_HAS(struct outer, has_flag)),
    FIELD(ENUM, "color", struct outer, color, .names = colors, .fallback = "Green"),
    FIELD(TIME, "when", struct outer, when),
    FIELD(DURATION, "lasting", struct outer, lasting),
    FIELD(INT_OR_STR, "either", struct outer, either, .min = 1, .max = 9,
          FIELD_HAS(struct outer, has_either)),
    FIELD(STRUCT, "embedded", struct outer, embedded, .schema = &inner_schema),
    FIELD(PTR, "pointed", struct outer, pointed, .schema = &inner_schema),
    FIELD(LIST, "items", struct outer, items, .schema = &inner_schema, .max = 3, .unique = true,
          .fallback = "one"),
    FIELD(STR_LIST, "texts", struct outer, texts, .max = 2, .unique = true),
    FIELD(INT_LIST, "numbers", struct outer, numbers, .min = 1, .max = 3, .unique = true),
    FIELD(STR_MAP, "pairs", struct outer, pairs),
    FIELD_FLAT("nest", &flat_schema),
    FIELD_KNOWN("known"),
    FIELD_END,
};
static const struct schema outer_schema = {
    .name = "an outer", .size = sizeof(struct outer), .fields = outer_fields};

struct reading {
    struct arena arena;
    struct problems problems;
    struct outer outer;
    bool ok;
};

static void read_outer(struct reading *reading, const char *yaml)
{
    *reading = (struct reading){.ok = false};
    arena_init(&reading->arena);
    problems_init(&reading->problems, &reading->arena);
    struct doc *docs;
    size_t len;
    doc_parse(&reading->arena, str_from(yaml), &docs, &len);
    assert_int_equal(len, 1);
    assert_non_null(docs[0].root);
    reading->ok = field_read(&outer_schema, &reading->outer, docs[0].root, &reading->arena,
                             &reading->problems, STR("root"));
}

static const char everything[] = "text: a-b\nsmall: -1\nbig: 5000000000\nflag: false\ncolor: Red\n"
                                 "when: \"2026-11-23T11:46:58Z\"\nlasting: 1m30s\neither: http\n"
                                 "embedded: {name: e, number: 0}\npointed: {name: p}\n"
                                 "items:\n- {name: x}\n- {name: y, number: 2}\n"
                                 "texts: [b, a]\nnumbers: [3, 1]\npairs: {z: 1, a: true, m: \"\"}\n"
                                 "nest: {flat: f}\nknown: {anything: [goes]}\n";

static void every_type_is_read(void **state)
{
    (void)state;
    struct reading reading;
    read_outer(&reading, everything);
    const struct outer *outer = &reading.outer;
    assert_true(reading.ok);
    assert_int_equal(outer->small, -1);
    assert_int_equal(outer->big, 5000000000);
    assert_true(outer->has_flag && !outer->flag);
    assert_int_equal(outer->color, 0);
    assert_int_equal(outer->lasting, 90000);
    assert_true(str_eq(outer->either.text, STR("http")));
    assert_int_equal(outer->embedded.number, 0);
    assert_int_equal(outer->pointed->number, 7);
    assert_int_equal(outer->items.items[0].line, 12);
    assert_true(str_eq(outer->texts.items[1], STR("a")));
    assert_int_equal(outer->numbers.items[0], 3);
    assert_true(str_eq(outer->pairs.items[0].key, STR("a")));
    assert_true(str_eq(outer->pairs.items[0].value, STR("true")));
    assert_true(str_eq(outer->pairs.items[2].value, STR("1")));
    assert_true(str_eq(outer->flat, STR("f")));
    arena_release(&reading.arena);
}

static void absent_fields_get_defaults(void **state)
{
    (void)state;
    struct reading reading;
    read_outer(&reading, "text: a\nsmall: null\nitems: []\n");
    assert_true(reading.ok);
    assert_int_equal(reading.outer.color, 1);
    assert_int_equal(reading.outer.embedded.number, 7);
    assert_null(reading.outer.pointed);
    assert_int_equal(reading.outer.items.len, 1);
    assert_int_equal(reading.outer.items.items[0].number, 7);
    assert_int_equal(reading.outer.items.items[0].line, 3);
    assert_false(reading.outer.has_flag);
    arena_release(&reading.arena);
}

static void dump(const struct outer *outer, struct buf *ret_text)
{
    struct json json;
    buf_init(ret_text, BUF_UNLIMITED);
    json_init(&json, ret_text, 0);
    field_dump(&outer_schema, outer, &json);
    buf_add_byte(ret_text, '\0');
}

static void dumps_read_as_equal(void **state)
{
    (void)state;
    static const char *const yamls[] = {everything, "text: a\n", "either: 3\nflag: true\n"};
    for (size_t i = 0; i < 3; i++) {
        struct reading first, second;
        struct buf text;
        read_outer(&first, yamls[i]);
        dump(&first.outer, &text);
        read_outer(&second, (const char *)text.data);
        assert_true(second.ok);
        assert_true(field_equal(&outer_schema, &first.outer, &second.outer));
        buf_release(&text);
        arena_release(&first.arena);
        arena_release(&second.arena);
    }
}

static void each_difference_counts(void **state)
{
    (void)state;
    static const char *const changes[][2] = {
        {"a-b", "a-c"},
        {"small: -1", "small: 1"},
        {"5000000000", "5000000001"},
        {"flag: false", ""},
        {"Red", "Green"},
        {"11:46:58", "11:46:59"},
        {"1m30s", "1m31s"},
        {"http", "3"},
        {"number: 0", "number: 1"},
        {"{name: p}", "null"},
        {"{name: x}", "{name: w}"},
        {"- {name: x}\n", ""},
        {"[b, a]", "[a, b]"},
        {"[3, 1]", "[3, 2]"},
        {"z: 1", "z: 2"},
        {"flat: f", "flat: g"},
    };
    struct reading first;
    read_outer(&first, everything);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char yaml[1024];
        const char *at = strstr(everything, changes[i][0]);
        assert_non_null(at);
        snprintf(yaml, sizeof(yaml), "%.*s%s%s", (int)(at - everything), everything, changes[i][1],
                 at + strlen(changes[i][0]));
        struct reading second;
        read_outer(&second, yaml);
        assert_true(second.ok);
        if (field_equal(&outer_schema, &first.outer, &second.outer)) {
            fail_msg("no difference seen: '%s'", changes[i][0]);
        }
        arena_release(&second.arena);
    }
    struct reading moved; /* to other lines */
    char yaml[1024];
    snprintf(yaml, sizeof(yaml), "\n\n%s", everything);
    read_outer(&moved, yaml);
    assert_true(field_equal(&outer_schema, &first.outer, &moved.outer));
    arena_release(&moved.arena);
    arena_release(&first.arena);
}

struct wrong_case {
    const char *yaml;
    enum problem_code code;
    const char *path, *text, *remedy;
};

static void wrong_values_are_explained(void **state)
{
    (void)state;
    static const struct wrong_case cases[] = {
        {"txet: a", PROBLEM_unknown_field, "root.txet", "an outer has no field 'txet'",
         "did you mean 'text'?"},
        {"embedded: {name: a, size: 1}", PROBLEM_unknown_field, "root.embedded.size",
         "an inner has no field 'size'", "known fields are 'name', 'number'"},
        {"text: 12", PROBLEM_wrong_type, "root.text", "'text' is an integer, not a string",
         "put it in quotes: \"12\""},
        {"text: A", PROBLEM_bad_format, "root.text", "'A' is not an RFC 1123 label", NULL},
        {"text: \"\"", PROBLEM_out_of_range, "root.text", "'text' is empty", NULL},
        {"small: 10", PROBLEM_out_of_range, "root.small", "'small' is 10, more than 9",
         "write an integer from -1 to 9"},
        {"small: \"1\"", PROBLEM_wrong_type, "root.small", "'small' is a string, not an integer",
         "write it without quotes"},
        {"flag: 1", PROBLEM_wrong_type, "root.flag", "'flag' is an integer, not true or false",
         NULL},
        {"color: Blue", PROBLEM_not_in_enum, "root.color", "'Blue' is not a value of 'color'",
         "use one of 'Red', 'Green'"},
        {"lasting: 5", PROBLEM_wrong_type, "root.lasting",
         "'lasting' is an integer, not a duration", NULL},
        {"when: soon", PROBLEM_bad_format, "root.when", "'soon' is not a time", NULL},
        {"either: 0", PROBLEM_out_of_range, "root.either", NULL, NULL},
        {"pointed: {}", PROBLEM_required, "root.pointed.name", "an inner lacks 'name'",
         "add 'name'"},
        {"pointed: x", PROBLEM_wrong_type, "root.pointed", "'pointed' is a string, not a mapping",
         NULL},
        {"items: [{name: a}, {name: b, number: x}]", PROBLEM_wrong_type, "root.items[1].number",
         NULL, NULL},
        {"items: [{name: a}, 3]", PROBLEM_wrong_type, "root.items[1]", NULL, NULL},
        {"items: [{name: a}, {name: a}]", PROBLEM_union, "root.items[1]",
         "'a' stands twice in 'items', the first time on line 1", NULL},
        {"items: {name: a}", PROBLEM_wrong_type, "root.items", "'items' is a mapping, not a list",
         "begin each item of a list with '- '"},
        {"texts: [a, b, c]", PROBLEM_out_of_range, "root.texts", "'texts' has 3 items, more than 2",
         NULL},
        {"numbers: [1, 2, 3, 3]", PROBLEM_out_of_range, "root.numbers", NULL, NULL},
        {"pairs: [a]", PROBLEM_wrong_type, "root.pairs", NULL, NULL},
        {"pairs: {a: {}}", PROBLEM_wrong_type, "root.pairs.a", NULL, NULL},
        {"embedded: {name: a, number: 13}", PROBLEM_union, "root.embedded", "13", NULL},
        {"nest: {flt: a}", PROBLEM_unknown_field, "root.nest.flt", "a nest has no field 'flt'",
         "did you mean 'flat'?"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reading reading;
        read_outer(&reading, cases[i].yaml);
        assert_false(reading.ok);
        assert_int_equal(reading.problems.len, 1);
        const struct problem *problem = &reading.problems.items[0];
        assert_int_equal(problem->code, cases[i].code);
        assert_string_equal(problem->path.ptr, cases[i].path);
        if (cases[i].text != NULL) {
            assert_string_equal(problem->text.ptr, cases[i].text);
        }
        if (cases[i].remedy != NULL) {
            assert_string_equal(problem->remedy.ptr, cases[i].remedy);
        }
        arena_release(&reading.arena);
    }
}

/* A rule between fields is not looked at while one of them is wrong. */
static void checks_wait_for_the_fields(void **state)
{
    (void)state;
    struct reading reading;
    read_outer(&reading, "items: [{name: 1, number: 13}, {name: b, number: 13}]");
    assert_int_equal(reading.problems.len, 2);
    assert_int_equal(reading.problems.items[0].code, PROBLEM_wrong_type);
    assert_int_equal(reading.problems.items[1].code, PROBLEM_union);
    arena_release(&reading.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),         cmocka_unit_test(absent_fields_get_defaults),
        cmocka_unit_test(dumps_read_as_equal),        cmocka_unit_test(each_difference_counts),
        cmocka_unit_test(wrong_values_are_explained), cmocka_unit_test(checks_wait_for_the_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
