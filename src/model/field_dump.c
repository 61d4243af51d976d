/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field_dump: how is a struct written as JSON by its field table?
 *
 * Reading the result gives an equal struct again (the last good objects rest on that), so a field
 * with a default is written even when it is zero.
 */
#include "model/field.h"

#include "codec/rfc3339.h"

#define TIME_TEXT_MAX 64

static bool is_zero(const struct field *field, const void *obj)
{
    const void *at = field_at(field, obj);
    switch (field->type) {
    case FIELD_STR:
        return ((const struct str *)at)->len == 0;
    case FIELD_INT:
        return *(const int32_t *)at == 0;
    case FIELD_INT64:
    case FIELD_TIME:
    case FIELD_DURATION:
        return *(const int64_t *)at == 0;
    case FIELD_BOOL:
        return !*(const bool *)at;
    case FIELD_ENUM:
        return *(const int *)at == 0;
    case FIELD_PTR:
        return *(void *const *)at == NULL;
    case FIELD_LIST:
    case FIELD_STR_LIST:
    case FIELD_INT_LIST:
    case FIELD_STR_MAP:
        return field_list(field, obj).len == 0;
    default:
        return false;
    }
}

static bool is_written(const struct field *field, const void *obj)
{
    bool nameless = field->name[0] == '\0'; /* FIELD_LINE, FIELD_FAULT */
    if (nameless || field->type == FIELD_UNREAD || field->secret) {
        return false;
    }
    if (field->has != 0) {
        return field_has(field, obj);
    }
    if (field->type == FIELD_PTR) {
        return !is_zero(field, obj);
    }
    return field->required || field->fallback != NULL || !is_zero(field, obj);
}

static void dump_list(const struct field *field, const void *obj, struct json *json)
{
    struct field_list list = field_list(field, obj);
    json_open(json, '[');
    for (size_t i = 0; i < list.len; i++) {
        if (field->type == FIELD_STR_LIST) {
            json_str(json, ((const struct str *)list.items)[i]);
        } else if (field->type == FIELD_INT_LIST) {
            json_int(json, ((const int32_t *)list.items)[i]);
        } else {
            field_dump(field->schema, (const char *)list.items + i * field->schema->size, json);
        }
    }
    json_close(json, ']');
}

static void dump_map(const struct field *field, const void *obj, struct json *json)
{
    struct field_list list = field_list(field, obj);
    const struct str_pair *pairs = list.items;
    json_open(json, '{');
    for (size_t i = 0; i < list.len; i++) {
        json_key_str(json, pairs[i].key);
        json_str(json, pairs[i].value);
    }
    json_close(json, '}');
}

static void dump_timed(const struct field *field, int64_t value, struct json *json)
{
    struct buf text;
    buf_init(&text, TIME_TEXT_MAX);
    if (field->type == FIELD_TIME) {
        rfc3339_write(value, &text);
    } else {
        format_write_duration(value, &text);
    }
    json_str(json, buf_str(&text));
    buf_release(&text);
}

static void dump_int_or_str(const struct int_or_str *value, struct json *json)
{
    if (value->is_int) {
        json_int(json, value->number);
    } else {
        json_str(json, value->text);
    }
}

static void dump_value(const struct field *field, const void *obj, struct json *json)
{
    const void *at = field_at(field, obj);
    switch (field->type) {
    case FIELD_STR:
        json_str(json, *(const struct str *)at);
        break;
    case FIELD_INT:
        json_int(json, *(const int32_t *)at);
        break;
    case FIELD_INT64:
        json_int(json, *(const int64_t *)at);
        break;
    case FIELD_BOOL:
        json_bool(json, *(const bool *)at);
        break;
    case FIELD_ENUM:
        json_text(json, field->names[*(const int *)at]);
        break;
    case FIELD_TIME:
    case FIELD_DURATION:
        dump_timed(field, *(const int64_t *)at, json);
        break;
    case FIELD_INT_OR_STR:
        dump_int_or_str(at, json);
        break;
    case FIELD_STRUCT:
        field_dump(field->schema, at, json);
        break;
    case FIELD_PTR:
        field_dump(field->schema, *(void *const *)at, json);
        break;
    case FIELD_LIST:
    case FIELD_STR_LIST:
    case FIELD_INT_LIST:
        dump_list(field, obj, json);
        break;
    case FIELD_STR_MAP:
        dump_map(field, obj, json);
        break;
    case FIELD_LINE:
    case FIELD_FAULT:
    case FIELD_UNREAD:
        break;
    }
}

void field_dump_members(const struct schema *schema, const void *obj, struct json *json)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        if (is_written(field, obj)) {
            json_key(json, field->name);
            dump_value(field, obj, json);
        }
    }
}

void field_dump(const struct schema *schema, const void *obj, struct json *json)
{
    json_open(json, '{');
    field_dump_members(schema, obj, json);
    json_close(json, '}');
}
