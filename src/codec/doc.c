/* SPDX-License-Identifier: Apache-2.0 */
/* doc: looking into a tree of nodes, and writing it as JSON. Who makes them: codec/yaml.c. */
#include "codec/doc.h"

#include "base/panic.h"
#include "codec/json.h"

const struct doc_entry *doc_find(const struct doc_node *node, struct str key)
{
    if (node == NULL || node->type != DOC_MAPPING) {
        return NULL;
    }
    for (uint32_t i = 0; i < node->len; i++) {
        if (str_eq(node->entries[i].key, key)) {
            return &node->entries[i];
        }
    }
    return NULL;
}

const struct doc_node *doc_get(const struct doc_node *node, struct str key)
{
    const struct doc_entry *entry = doc_find(node, key);
    return entry != NULL ? entry->value : NULL;
}

struct str doc_text(const struct doc_node *node, struct str key)
{
    const struct doc_node *value = doc_get(node, key);
    return value != NULL && value->type == DOC_STRING ? value->text : STR_NULL;
}

const char *doc_type_name(enum doc_type type)
{
    static const char *const names[] = {
        [DOC_NULL] = "null",         [DOC_BOOL] = "a boolean",  [DOC_INT] = "an integer",
        [DOC_FLOAT] = "a number",    [DOC_STRING] = "a string", [DOC_SEQUENCE] = "a list",
        [DOC_MAPPING] = "a mapping",
    };
    ASSERT((unsigned)type < sizeof(names) / sizeof(names[0]));
    return names[type];
}

static void put_node(struct json *json, const struct doc_node *node)
{
    switch (node->type) {
    case DOC_NULL:
        json_nil(json);
        break;
    case DOC_BOOL:
        json_bool(json, node->boolean);
        break;
    case DOC_INT:
        json_int(json, node->integer);
        break;
    case DOC_FLOAT:
        json_double(json, node->real);
        break;
    case DOC_STRING:
        json_str(json, node->text);
        break;
    case DOC_SEQUENCE:
        json_open(json, '[');
        for (uint32_t i = 0; i < node->len; i++) {
            put_node(json, node->items[i]);
        }
        json_close(json, ']');
        break;
    case DOC_MAPPING:
        json_open(json, '{');
        for (uint32_t i = 0; i < node->len; i++) {
            json_key_str(json, node->entries[i].key);
            put_node(json, node->entries[i].value);
        }
        json_close(json, '}');
        break;
    }
}

void doc_to_json(const struct doc_node *node, struct buf *out)
{
    struct json json;
    json_init(&json, out, 0);
    put_node(&json, node);
}
