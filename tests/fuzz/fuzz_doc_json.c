/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does doc_json_parse() survive any text, and is what doc_to_json() writes of it read back as the
 * same? Does a walk find the members that the tree has?
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "codec/doc_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODES_MAX 10000

static void check_round_trip(struct arena *arena, const struct doc_node *root)
{
    struct buf once, twice;
    struct doc_node *again;
    buf_init(&once, BUF_UNLIMITED);
    buf_init(&twice, BUF_UNLIMITED);
    doc_to_json(root, &once);
    ASSERT(doc_json_parse(arena, buf_str(&once), NODES_MAX, &again, NULL));
    doc_to_json(again, &twice);
    ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
    buf_release(&once);
    buf_release(&twice);
}

/* What is JSON is walked to its end, and each member is JSON. */
static void check_walk(struct arena *arena, struct str text, const struct doc_node *root)
{
    struct doc_json_walk walk;
    size_t len = 0;
    for (bool more = doc_json_walk(text, &walk); more; more = doc_json_step(&walk)) {
        struct doc_node *member = NULL;
        bool good = doc_json_parse(arena, walk.value, NODES_MAX, &member, NULL);
        ASSERT(good || root == NULL);
        len++;
    }
    if (root != NULL && (root->type == DOC_MAPPING || root->type == DOC_SEQUENCE)) {
        ASSERT(doc_json_walked(&walk));
        ASSERT(root->type == DOC_MAPPING ? len >= root->len : len == root->len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_span((const char *)data, size);
    struct doc_node *root = NULL;
    struct arena arena;
    struct err err = {""};
    arena_init(&arena);
    bool good = doc_json_parse(&arena, text, NODES_MAX, &root, &err);
    ASSERT(good == (root != NULL) && good == (err.text[0] == '\0'));
    if (good) {
        check_round_trip(&arena, root);
    }
    check_walk(&arena, text, root);
    arena_release(&arena);
    return 0;
}
