/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does doc_parse() survive any file, and is what doc_to_json() writes of it read back as the same?
 *
 * Seeds: tests/fuzz/corpus/doc/.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "codec/doc.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define JSON_MAX                                                                                   \
    ((size_t)1 << 20) /* aliases can make much of little: not for a fuzzer to wait for */

/* JSON of a tree, read as a document and written again, must not change. */
static void check_round_trip(const struct doc_node *root)
{
    struct buf once, twice, indented;
    buf_init(&once, JSON_MAX);
    buf_init(&twice, JSON_MAX);
    buf_init(&indented, 64 * JSON_MAX);
    doc_to_json(root, &once);
    if (buf_ok(&once)) {
        struct json json;
        json_init(&json, &indented, 2);
        ASSERT(json_reindent(&json, buf_str(&once)));

        struct arena arena;
        arena_init(&arena);
        struct doc *docs;
        size_t len;
        doc_parse(&arena, buf_str(&once), &docs, &len);
        ASSERT(len == 1);
        /* libyaml refuses keys over 1,024 bytes and characters that JSON may hold bare. */
        if (docs[0].root != NULL) {
            doc_to_json(docs[0].root, &twice);
            ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
        }
        arena_release(&arena);
    }
    buf_release(&once);
    buf_release(&twice);
    buf_release(&indented);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena);
    struct doc *docs;
    size_t len;
    doc_parse(&arena, str_span((const char *)data, size), &docs, &len);
    for (size_t i = 0; i < len; i++) {
        ASSERT((docs[i].root != NULL) != (docs[i].error.text.len != 0));
        ASSERT(docs[i].mended == NULL || docs[i].root == NULL);
        ASSERT(docs[i].line != 0);
        if (docs[i].root != NULL) {
            check_round_trip(docs[i].root);
        } else {
            ASSERT(docs[i].error.line != 0);
        }
    }
    arena_release(&arena);
    return 0;
}
