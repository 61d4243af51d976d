/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does reading the objects of a Gateway survive whatever an API server says of them, and say the
 * same twice?
 *
 * Input: an object's JSON, read as each part. Seeds: tests/fuzz/corpus/seen/.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "codec/doc_json.h"
#include "provision/seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_twice(enum part part, const struct doc_node *object)
{
    struct seen one, other;
    seen_read(part, object, &one);
    seen_read(part, object, &other);
    ASSERT(one.there && one.addresses.len == other.addresses.len);
    ASSERT(hash_eq(one.fields, other.fields) && one.replicas == other.replicas);
    ASSERT(one.identity.whole == other.identity.whole && one.replicas >= 0 && one.available >= 0);
    seen_release(&one);
    seen_release(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct doc_node *object;
    arena_init(&arena);
    if (doc_json_parse(&arena, str_span((const char *)data, size), DOC_NODES_MAX, &object, NULL)) {
        for (unsigned i = 0; i < PART_COUNT; i++) {
            read_twice((enum part)i, object);
        }
    }
    arena_release(&arena);
    return 0;
}
