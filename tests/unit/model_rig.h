/* SPDX-License-Identifier: Apache-2.0 */
/* model_rig: one YAML document read as an object, and what was found wrong with it. */
#ifndef HEDDLE_TESTS_MODEL_RIG_H
#define HEDDLE_TESTS_MODEL_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/doc.h"
#include "codec/json.h"
#include "model/object.h"

struct rig {
    struct arena arena;
    struct problems problems;
    struct object_result result;
};

static inline void rig_read(struct rig *rig, const char *yaml)
{
    arena_init(&rig->arena);
    problems_init(&rig->problems, &rig->arena);
    struct doc *docs;
    size_t len;
    doc_parse(&rig->arena, str_from(yaml), &docs, &len);
    assert_int_equal(len, 1);
    object_read(&docs[0], STR("test.yaml"), &rig->problems, &rig->result);
}

static inline void rig_release(struct rig *rig)
{
    if (rig->result.object != NULL) {
        row_unref(&rig->result.object->row, NULL);
    }
    arena_release(&rig->arena);
}

static inline void rig_print(const struct rig *rig)
{
    for (size_t i = 0; i < rig->problems.len; i++) {
        const struct problem *p = &rig->problems.items[i];
        print_message("%u:%u %s [%.*s] %.*s -- %.*s\n", p->line, p->column,
                      problem_info(p->code)->code, STR_FMT(p->path), STR_FMT(p->text),
                      STR_FMT(p->remedy));
    }
}

/* The object, which must be free of problems; it may have fields that are ignored. */
static inline const void *rig_object(struct rig *rig, const char *yaml)
{
    rig_read(rig, yaml);
    size_t ignored = 0;
    for (size_t i = 0; i < rig->problems.len; i++) {
        ignored += rig->problems.items[i].code == PROBLEM_ignored_field;
    }
    if (rig->problems.len > ignored) {
        rig_print(rig);
    }
    assert_int_equal(rig->problems.len, ignored);
    assert_non_null(rig->result.object);
    return rig->result.object;
}

/* A document with exactly one problem. path and text: NULL is not looked at. */
static inline void rig_expect(const char *yaml, enum problem_code code, const char *path,
                              const char *text)
{
    struct rig rig;
    rig_read(&rig, yaml);
    bool right = rig.problems.len == 1 && rig.problems.items[0].code == code;
    if (right && path != NULL) {
        right = str_eq(rig.problems.items[0].path, str_from(path));
    }
    if (right && text != NULL) {
        right = str_eq(rig.problems.items[0].text, str_from(text));
    }
    if (!right) {
        print_message("%s\nexpected: %s [%s] %s, found %zu problems\n", yaml,
                      problem_info(code)->code, path != NULL ? path : "*",
                      text != NULL ? text : "*", rig.problems.len);
        rig_print(&rig);
        fail();
    }
    assert_int_not_equal(rig.problems.items[0].line, 0);
    assert_int_not_equal(rig.problems.items[0].column, 0);
    bool error = problem_info(code)->severity == SEVERITY_ERROR;
    assert_true(error == (rig.result.object == NULL));
    rig_release(&rig);
}

struct bad_case {
    const char *yaml; /* what stands behind the head */
    enum problem_code code;
    const char *path;
    const char *text; /* NULL: any */
};

/* Each case is `head` and its own lines. */
static inline void rig_expect_all(const char *head, const struct bad_case *cases, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char yaml[8192];
        int written = snprintf(yaml, sizeof(yaml), "%s%s", head, cases[i].yaml);
        assert_in_range(written, 1, sizeof(yaml) - 1);
        rig_expect(yaml, cases[i].code, cases[i].path, cases[i].text);
    }
}

#define RIG_EXPECT_ALL(head, cases)                                                                \
    rig_expect_all((head), (cases), sizeof(cases) / sizeof((cases)[0]))

/* What is dumped must read as an equal object again. */
static inline void rig_expect_round_trip(const char *yaml)
{
    struct rig first, second;
    const struct object *object = rig_object(&first, yaml);
    struct buf text;
    struct json json;
    buf_init(&text, BUF_UNLIMITED);
    json_init(&json, &text, 0);
    object_dump(object, &json);
    buf_add_byte(&text, '\0');
    const struct object *again = rig_object(&second, (const char *)text.data);
    assert_true(object_equal(&object->row, &again->row));
    buf_release(&text);
    rig_release(&first);
    rig_release(&second);
}

#endif
