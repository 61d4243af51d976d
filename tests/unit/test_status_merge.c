/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_merge: the cases of status_merge.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status/merge.h"

#define CASES_MIN 20 /* so that a file that cannot be read does not pass */

static struct str read_cases(struct arena *arena)
{
    const char *dir = getenv("UNIT_DATA");
    struct str path = arena_printf(arena, "%s/status_merge.yaml", dir != NULL ? dir : "tests/unit");
    FILE *file = fopen(path.ptr, "re");
    assert_non_null(file);
    char *text = arena_alloc(arena, 1u << 18);
    size_t len = fread(text, 1, 1u << 18, file);
    assert_true(len > 0 && feof(file));
    assert_int_equal(fclose(file), 0);
    return str_span(text, len);
}

static int64_t number(const struct doc_node *item, struct str key)
{
    const struct doc_node *node = doc_get(item, key);
    return node == NULL ? 0 : node->type == DOC_BOOL ? (int64_t)node->boolean : node->integer;
}

static const char *json_of(const struct doc_node *node, struct arena *arena)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    doc_to_json(node, &text);
    const char *copy = arena_str(arena, buf_str(&text)).ptr;
    buf_release(&text);
    return copy;
}

static const char *merged(const struct doc_node *seen, const struct doc_node *wanted,
                          struct arena *arena, struct merge *ret_merge)
{
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    json_open(&json, '{');
    status_merge(seen, wanted, &json, ret_merge);
    json_close(&json, '}');
    const char *copy = arena_str(arena, buf_str(&out)).ptr;
    buf_release(&out);
    return copy;
}

static void check_turns(const struct doc_node *item, const struct merge *merge)
{
    const struct doc_node *turns = doc_get(item, STR("turns"));
    assert_int_equal(merge->nturns, turns != NULL ? turns->len : 0);
    for (unsigned i = 0; i < merge->nturns; i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "%.*s %.*s", STR_FMT(merge->turns[i].type),
                       STR_FMT(merge->turns[i].reason));
        assert_true(str_eq(str_from(text), turns->items[i]->text));
    }
}

/* What was written is what is wanted: merged once more it gives nothing to write. */
static void check_rest(const struct doc_node *seen, const struct doc_node *wanted,
                       const char *patch, struct arena *arena)
{
    struct doc *docs;
    size_t len;
    struct merge again;
    doc_parse(arena, str_from(patch), &docs, &len);
    assert_int_equal(len, 1);
    struct doc_node after = *docs[0].root;
    struct doc_entry entries[8];
    uint32_t n = 0;
    for (uint32_t i = 0; i < after.len; i++) {
        entries[n++] = after.entries[i];
    }
    for (uint32_t i = 0; seen != NULL && i < seen->len; i++) {
        if (doc_get(docs[0].root, seen->entries[i].key) == NULL) {
            entries[n++] = seen->entries[i];
        }
    }
    after.entries = entries;
    after.len = n;
    assert_string_equal(merged(&after, wanted, arena, &again), "{}");
    assert_false(again.differs);
    assert_int_equal(again.nturns, 0);
}

static void check_case(const struct doc_node *item, struct arena *arena)
{
    struct merge merge;
    const struct doc_node *seen = doc_get(item, STR("seen"));
    const struct doc_node *wanted = doc_get(item, STR("wanted"));
    const struct doc_node *patch = doc_get(item, STR("patch"));
    print_message("%.*s\n", STR_FMT(doc_get(item, STR("case"))->text));
    const char *got = merged(seen, wanted, arena, &merge);
    assert_int_equal(merge.newer, number(item, STR("newer")));
    assert_int_equal(merge.dropped, number(item, STR("dropped")));
    check_turns(item, &merge);
    if (merge.newer) {
        return; /* not to be written, whatever it is */
    }
    assert_string_equal(got, patch != NULL ? json_of(patch, arena) : "{}");
    assert_int_equal(merge.differs, patch != NULL);
    assert_int_equal(merge.urgent, patch != NULL && number(item, STR("words")) == 0);
    check_rest(seen, wanted, got, arena);
}

static void test_cases(void **state)
{
    (void)state;
    struct arena arena;
    struct doc *docs;
    size_t len;
    arena_init(&arena);
    doc_parse(&arena, read_cases(&arena), &docs, &len);
    assert_true(len >= CASES_MIN);
    for (size_t i = 0; i < len; i++) {
        assert_non_null(docs[i].root);
        check_case(docs[i].root, &arena);
    }
    arena_release(&arena);
}

/* What is kept of a status is what a merge looks at. */
static void test_part(void **state)
{
    (void)state;
    struct arena arena;
    struct doc *docs;
    size_t len;
    struct buf out;
    struct json json;
    arena_init(&arena);
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    doc_parse(&arena, STR("{loadBalancer: {ingress: [1]}, parents: [{a: 1}], conditions: []}"),
              &docs, &len);
    json_open(&json, '{');
    assert_true(status_merge_part(docs[0].root, &json));
    json_close(&json, '}');
    assert_true(str_eq(buf_str(&out), STR("{\"parents\":[{\"a\":1}]}")));
    assert_false(status_merge_part(NULL, &json));
    buf_release(&out);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
