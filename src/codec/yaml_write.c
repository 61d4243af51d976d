/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_write: walks the value and gives libyaml's emitter its events. */
#include "codec/yaml_write.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/panic.h"
#include "codec/doc_tree.h"
#include "codec/json_tree.h"

#define PLAIN_MIN 2 /* characters: "y" and "n" are booleans of YAML 1.1 */

static int append(void *user, unsigned char *data, size_t len)
{
    buf_add(user, data, len);
    return 1;
}

/* Writing to memory fails only when memory does. */
static void emit(yaml_emitter_t *emitter, yaml_event_t *event, int made)
{
    ASSERT(made == 1 && yaml_emitter_emit(emitter, event) == 1);
}

/* Numbers, dates, ".inf" and "0x1F" all begin with something else than a letter. */
static bool may_be_plain(struct str text)
{
    struct doc_node node = {.text = text};
    if (text.len < PLAIN_MIN || str_index(text, '\n') < text.len) {
        return false;
    }
    char first = text.ptr[0];
    bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
                  first == '/' || first == '_';
    doc_scalar_resolve(&node);
    return letter && node.type == DOC_STRING;
}

static void write_scalar(yaml_emitter_t *emitter, struct str text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    int made = yaml_scalar_event_initialize(&event, NULL, NULL,
                                            (const yaml_char_t *)(text.ptr != NULL ? text.ptr : ""),
                                            (int)text.len, 1, 1, style);
    emit(emitter, &event, made);
}

static void write_string(yaml_emitter_t *emitter, struct str text)
{
    bool lines = str_index(text, '\n') < text.len;
    bool quotes = str_index(text, '"') < text.len;
    write_scalar(emitter, text,
                 may_be_plain(text) ? YAML_PLAIN_SCALAR_STYLE
                 : lines            ? YAML_LITERAL_SCALAR_STYLE
                 : quotes           ? YAML_SINGLE_QUOTED_SCALAR_STYLE
                                    : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void write_value(yaml_emitter_t *emitter, const json_t *value);

static void write_object(yaml_emitter_t *emitter, const json_t *object)
{
    yaml_event_t event;
    const char *key;
    json_t *value;
    int made = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
    emit(emitter, &event, made);
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        write_string(emitter, str_from(key));
        write_value(emitter, value);
    }
    emit(emitter, &event, yaml_mapping_end_event_initialize(&event));
}

static void write_array(yaml_emitter_t *emitter, const json_t *array)
{
    yaml_event_t event;
    size_t i;
    json_t *value;
    int made =
        yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
    emit(emitter, &event, made);
    json_array_foreach(array, i, value)
    {
        write_value(emitter, value);
    }
    emit(emitter, &event, yaml_sequence_end_event_initialize(&event));
}

static void write_value(yaml_emitter_t *emitter, const json_t *value)
{
    if (json_is_object(value)) {
        write_object(emitter, value);
    } else if (json_is_array(value)) {
        write_array(emitter, value);
    } else if (json_is_string(value)) {
        write_string(emitter, json_tree_text(value));
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        ASSERT(text != NULL);
        write_scalar(emitter, str_from(text), YAML_PLAIN_SCALAR_STYLE);
        free(text);
    }
}

void yaml_write(const json_t *value, struct buf *out)
{
    yaml_emitter_t emitter;
    yaml_event_t event;
    ASSERT(yaml_emitter_initialize(&emitter) == 1);
    yaml_emitter_set_output(&emitter, append, out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    emit(&emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(&emitter, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    write_value(&emitter, value);
    emit(&emitter, &event, yaml_document_end_event_initialize(&event, 1));
    emit(&emitter, &event, yaml_stream_end_event_initialize(&event));
    yaml_emitter_delete(&emitter);
}
