/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a status that somebody else wrote break the merge? Is anything of theirs lost, and is what
 * was written written again?
 *
 * Input: JSON, the status as the API server has it. Seeds: tests/fuzz/corpus/status_merge/.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "codec/doc_json.h"
#include "ir/attachment.h"
#include "status/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMBERS_MAX 64
#define ENTRY(key, name, type)                                                                     \
    "{\"" key "\":{\"group\":\"\",\"kind\":\"Service\",\"name\":\"" name                           \
    "\"},\"controllerName\":\"" CONTROLLER_NAME "\",\"conditions\":[{\"type\":\"" type             \
    "\",\"status\":\"True\",\"observedGeneration\":3,\"reason\":\"R\",\"message\":\"m\"},"         \
    "{\"type\":\"heddle.dev/Propagated\",\"status\":\"False\",\"observedGeneration\":3,"           \
    "\"reason\":\"Pending\",\"message\":\"m\"}]}"

static const struct str wanted_texts[] = {
    STR("{}"),
    STR("{\"parents\":[" ENTRY("parentRef", "a", "Accepted") "," ENTRY("parentRef", "b",
                                                                       "ResolvedRefs") "]}"),
    STR("{\"ancestors\":[" ENTRY("ancestorRef", "a", "Accepted") "]}"),
    STR("{\"conditions\":[{\"type\":\"heddle.dev/Bound\",\"status\":\"False\"}],"
        "\"supportedFeatures\":[{\"name\":\"Mesh\"}]}"),
};

static struct doc_node *parse(struct arena *arena, struct str text)
{
    struct doc_node *node = NULL;
    return doc_json_parse(arena, text, 100000, &node, NULL) ? node : NULL;
}

/* The entries of others of a list. */
static unsigned foreign(const struct doc_node *status, struct str key)
{
    const struct doc_node *list = doc_get(status, key);
    unsigned count = 0;
    for (uint32_t i = 0; list != NULL && list->type == DOC_SEQUENCE && i < list->len; i++) {
        const struct doc_node *name = doc_get(list->items[i], STR("controllerName"));
        count += name == NULL || !str_eq(name->text, STR(CONTROLLER_NAME));
    }
    return count;
}

static struct str merged(struct arena *arena, const struct doc_node *seen,
                         const struct doc_node *wanted, struct merge *ret_merge)
{
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    json_open(&json, '{');
    status_merge(seen, wanted, &json, ret_merge);
    json_close(&json, '}');
    struct str text = arena_str(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

/* A merge patch: the members of the patch take the place of those that were. */
static struct doc_node patched(const struct doc_node *seen, const struct doc_node *patch,
                               struct doc_entry entries[MEMBERS_MAX])
{
    struct doc_node after = *patch;
    after.len = 0;
    after.entries = entries;
    for (uint32_t i = 0; i < patch->len; i++) {
        entries[after.len++] = patch->entries[i];
    }
    for (uint32_t i = 0; i < seen->len && after.len < MEMBERS_MAX; i++) {
        if (doc_get(patch, seen->entries[i].key) == NULL) {
            entries[after.len++] = seen->entries[i];
        }
    }
    return after;
}

static void check(struct arena *arena, const struct doc_node *seen, const struct doc_node *wanted)
{
    struct merge first, second;
    struct doc_entry entries[MEMBERS_MAX];
    const struct doc_node *patch = parse(arena, merged(arena, seen, wanted, &first));
    ASSERT(patch != NULL && (patch->len > 0) == first.differs);
    struct doc_node after = patched(seen, patch, entries);
    (void)merged(arena, &after, wanted, &second);
    ASSERT(!second.differs || first.newer);
    ASSERT(foreign(seen, STR("parents")) == foreign(&after, STR("parents")));
    ASSERT(foreign(seen, STR("ancestors")) == foreign(&after, STR("ancestors")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena);
    const struct doc_node *seen = parse(&arena, str_span((const char *)data, size));
    if (seen != NULL && seen->type == DOC_MAPPING && seen->len + 4 <= MEMBERS_MAX) {
        for (size_t i = 0; i < sizeof(wanted_texts) / sizeof(wanted_texts[0]); i++) {
            check(&arena, seen, parse(&arena, wanted_texts[i]));
        }
    }
    arena_release(&arena);
    return 0;
}
