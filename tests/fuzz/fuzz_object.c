/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does object_read() survive any document, and does what it accepted read as an equal object from
 * its own dump? The last good objects rest on the second. And what the API server has: is it read,
 * or at fault?
 *
 * Seeds: tests/fuzz/corpus/object/.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/panic.h"
#include "codec/doc.h"
#include "codec/json.h"
#include "model/fault.h"
#include "model/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drop(struct object *object)
{
    if (object != NULL) {
        row_unref(&object->row, NULL);
    }
}

/* Whether the text holds bytes that YAML takes in escapes only, or keys longer than libyaml's. */
static bool is_plain(const struct buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}

static void check_dump(const struct object *object)
{
    struct buf text;
    struct json json;
    buf_init(&text, BUF_UNLIMITED);
    json_init(&json, &text, 0);
    object_dump(object, &json);
    if (is_plain(&text)) {
        struct arena arena;
        struct doc *docs;
        size_t len;
        struct problems problems;
        struct object_result result;
        arena_init(&arena);
        problems_init(&problems, &arena);
        doc_parse(&arena, buf_str(&text), &docs, &len);
        ASSERT(len == 1);
        object_read(&docs[0], STR("again"), &problems, &result);
        ASSERT(result.object != NULL);
        ASSERT(kind_info(object->kind)->secret || /* its data is not dumped */
               object_equal(&object->row, &result.object->row));
        drop(result.object);
        arena_release(&arena);
    }
    buf_release(&text);
}

static void check_stored(struct arena *arena, enum kind_id kind, const struct doc_node *node,
                         const struct object *read)
{
    struct problems problems;
    problems_init(&problems, arena);
    struct object *object = object_read_stored(kind, node, &problems);
    ASSERT((object != NULL) == (problems.errors == 0));
    ASSERT(object != NULL || read == NULL);                       /* it is not stricter */
    if (read != NULL && str_eq(object->meta.ns, read->meta.ns)) { /* written, not defaulted */
        ASSERT(object_equal(&object->row, &read->row));
    }
    if (object == NULL) {
        struct fault *fault = fault_new(kind, node, &problems);
        ASSERT(fault_equal(&fault->row, &fault->row));
        row_unref(&fault->row, NULL);
    }
    drop(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena);
    struct doc *docs;
    size_t len;
    doc_parse(&arena, str_span((const char *)data, size), &docs, &len);
    for (size_t i = 0; i < len; i++) {
        struct problems problems;
        struct object_result result;
        problems_init(&problems, &arena);
        object_read(&docs[i], STR("fuzz"), &problems, &result);
        ASSERT((result.object != NULL) == (problems.errors == 0 && !result.skipped));
        ASSERT(problems.len <= PROBLEMS_MAX + 1);
        ASSERT(result.object == NULL || result.key.len > 0);
        if (result.object != NULL) {
            check_dump(result.object);
        }
        if (docs[i].root != NULL && result.kind != KIND_COUNT) {
            check_stored(&arena, result.kind, docs[i].root, result.object);
        }
        drop(result.object);
    }
    arena_release(&arena);
    return 0;
}
