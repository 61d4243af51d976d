/* SPDX-License-Identifier: Apache-2.0 */
/* pbjson: protobuf messages as JSON, read off the descriptors that protobuf-c generates. */
#include "codec/pbjson.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64.h"

#define DEPTH_SPARE 4 /* levels that one message may open before the next check */

static const void *quantifier(const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field)
{
    return (const char *)message + field->quantifier_offset;
}

size_t pbjson_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return *(const size_t *)quantifier(message, field);
}

static size_t element_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(uint32_t); /* booleans and enums too */
    }
}

/* A proto3 field without presence is set when it differs from zero. */
static bool is_nonzero(const void *member, ProtobufCType type)
{
    static const char zero[sizeof(uint64_t)];
    if (type == PROTOBUF_C_TYPE_BYTES) {
        return ((const ProtobufCBinaryData *)member)->len != 0;
    }
    return memcmp(member, zero, element_size(type)) != 0;
}

bool pbjson_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const void *member = pbjson_member(message, field);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        return *(const uint32_t *)quantifier(message, field) == field->id;
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return pbjson_count(message, field) != 0;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return *(const void *const *)member != NULL;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(const char *const *)member;
        return text != NULL &&
               (field->label == PROTOBUF_C_LABEL_NONE ? text[0] != '\0'
                                                      : text != (const char *)field->default_value);
    }
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL) {
        return *(const protobuf_c_boolean *)quantifier(message, field) != 0;
    }
    return field->label == PROTOBUF_C_LABEL_REQUIRED || is_nonzero(member, field->type);
}

static void put_enum(struct pbjson *writer, const ProtobufCEnumDescriptor *type, int value)
{
    if (strcmp(type->name, "google.protobuf.NullValue") == 0) {
        json_nil(&writer->json);
        return;
    }
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
    if (known != NULL) {
        json_text(&writer->json, known->name);
    } else {
        json_int(&writer->json, value);
    }
}

static void put_float(struct pbjson *writer, float value)
{
    if (!isfinite(value)) {
        json_double(&writer->json, (double)value);
        return;
    }
    char text[32];
    int digits = 6;
    do {
        snprintf(text, sizeof(text), "%.*g", digits, (double)value);
    } while (strtof(text, NULL) != value && ++digits <= 9);
    json_raw(&writer->json, str_from(text));
}

static void put_bytes(struct pbjson *writer, const ProtobufCBinaryData *bytes)
{
    struct str shown =
        writer->hidden ? STR(PB_JSON_HIDDEN) : str_span((const char *)bytes->data, bytes->len);
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    base64_encode(shown, &text);
    json_str(&writer->json, buf_str(&text));
    buf_release(&text);
}

/* 64-bit integers are strings in JSON, since JavaScript would round them. */
static void put_long(struct pbjson *writer, const void *element, bool is_signed)
{
    char text[24];
    if (is_signed) {
        snprintf(text, sizeof(text), "%lld", (long long)*(const int64_t *)element);
    } else {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)*(const uint64_t *)element);
    }
    json_text(&writer->json, text);
}

static void put_element(struct pbjson *writer, const ProtobufCFieldDescriptor *field,
                        const void *element)
{
    const char *text;
    const ProtobufCMessage *message;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        json_int(&writer->json, *(const int32_t *)element);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        json_uint(&writer->json, *(const uint32_t *)element);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        put_long(writer, element, true);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        put_long(writer, element, false);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        put_float(writer, *(const float *)element);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        json_double(&writer->json, *(const double *)element);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        json_bool(&writer->json, *(const protobuf_c_boolean *)element != 0);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        put_enum(writer, field->descriptor, *(const int *)element);
        break;
    case PROTOBUF_C_TYPE_STRING:
        text = writer->hidden ? PB_JSON_HIDDEN : *(const char *const *)element;
        json_text(&writer->json, text != NULL ? text : "");
        break;
    case PROTOBUF_C_TYPE_BYTES:
        put_bytes(writer, element);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        message = *(const ProtobufCMessage *const *)element;
        if (message != NULL) {
            pbjson_message(writer, message);
        } else {
            json_raw(&writer->json, STR("{}"));
        }
        break;
    }
}

/*
 * protobuf-c does not tell maps from repeated messages, but protoc names their entries after the
 * field: `map<…> some_field` of a.B is `repeated a.B.SomeFieldEntry`.
 */
static bool is_map(const ProtobufCMessageDescriptor *parent, const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label != PROTOBUF_C_LABEL_REPEATED ||
        entry->n_fields != 2 || strcmp(entry->fields[0].name, "key") != 0 ||
        strcmp(entry->fields[1].name, "value") != 0) {
        return false;
    }
    struct str name = str_from(entry->name), owner = str_from(parent->name);
    if (!str_starts_with(name, owner) || !str_ends_with(name, STR("Entry"))) {
        return false;
    }
    name = str_sub(name, owner.len, name.len - owner.len - strlen("Entry"));
    struct buf want;
    buf_init(&want, BUF_UNLIMITED);
    buf_add_text(&want, "._");
    buf_add_text(&want, field->name);
    struct buf camel;
    buf_init(&camel, BUF_UNLIMITED);
    pbjson_camel(buf_str(&want), &camel);
    bool same = str_eq(name, buf_str(&camel));
    buf_release(&want);
    buf_release(&camel);
    return same;
}

static void put_map_key(struct pbjson *writer, const ProtobufCMessage *entry)
{
    const ProtobufCFieldDescriptor *field = &entry->descriptor->fields[0];
    const void *member = pbjson_member(entry, field);
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(const char *const *)member;
        json_key(&writer->json, text != NULL ? text : "");
        return;
    }
    struct buf text;
    struct pbjson inner = {.options = writer->options, .hidden = writer->hidden};
    buf_init(&text, BUF_UNLIMITED);
    json_init(&inner.json, &text, 0);
    put_element(&inner, field, member);
    struct str key = buf_str(&text);
    if (str_starts_with(key, STR("\""))) {
        key = str_sub(key, 1, key.len - 2);
    }
    json_key_str(&writer->json, key);
    buf_release(&text);
}

static void put_map(struct pbjson *writer, ProtobufCMessage *const *entries, size_t count)
{
    json_open(&writer->json, '{');
    for (size_t i = 0; i < count; i++) {
        const ProtobufCFieldDescriptor *value = &entries[i]->descriptor->fields[1];
        put_map_key(writer, entries[i]);
        put_element(writer, value, pbjson_member(entries[i], value));
    }
    json_close(&writer->json, '}');
}

void pbjson_value(struct pbjson *writer, const ProtobufCMessage *message,
                  const ProtobufCFieldDescriptor *field)
{
    const void *member = pbjson_member(message, field);
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        put_element(writer, field, member);
        return;
    }
    size_t count = pbjson_count(message, field);
    const char *elements = *(const char *const *)member;
    if (is_map(message->descriptor, field)) {
        put_map(writer, *(ProtobufCMessage *const *const *)member, count);
        return;
    }
    json_open(&writer->json, '[');
    for (size_t i = 0; i < count; i++) {
        put_element(writer, field, elements + i * element_size(field->type));
    }
    json_close(&writer->json, ']');
}

void pbjson_camel(struct str name, struct buf *out)
{
    bool upper = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '_') {
            upper = true;
            continue;
        }
        bool lower = c >= 'a' && c <= 'z';
        buf_add_byte(out, (uint8_t)(upper && lower ? c - ('a' - 'A') : c));
        upper = false;
    }
}

static void put_name(struct pbjson *writer, const char *name)
{
    if (writer->options->proto_names) {
        json_key(&writer->json, name);
        return;
    }
    struct buf camel;
    buf_init(&camel, BUF_UNLIMITED);
    pbjson_camel(str_from(name), &camel);
    json_key_str(&writer->json, buf_str(&camel));
    buf_release(&camel);
}

static bool hides(const struct pbjson *writer, const ProtobufCMessageDescriptor *type,
                  const ProtobufCFieldDescriptor *field)
{
    return writer->options->hides != NULL && writer->options->hides(type, field);
}

void pbjson_fields(struct pbjson *writer, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    bool hidden = writer->hidden;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (pbjson_present(message, field)) {
            put_name(writer, field->name);
            writer->hidden = hidden || hides(writer, type, field);
            pbjson_value(writer, message, field);
            writer->hidden = hidden;
        }
    }
}

void pbjson_message(struct pbjson *writer, const ProtobufCMessage *message)
{
    if (writer->json.depth + DEPTH_SPARE > JSON_DEPTH_MAX) {
        json_text(&writer->json, "(nested too deep to show)");
        return;
    }
    if (pbjson_known(writer, message)) {
        return;
    }
    json_open(&writer->json, '{');
    pbjson_fields(writer, message);
    json_close(&writer->json, '}');
}

void pb_to_json(const ProtobufCMessage *message, const struct pb_json_options *options,
                struct buf *out)
{
    static const struct pb_json_options none = {0};
    struct pbjson writer = {.options = options != NULL ? options : &none};
    json_init(&writer.json, out, 0);
    pbjson_message(&writer, message);
}
