/* SPDX-License-Identifier: Apache-2.0 */
/* field_equal: do two structs of one field table say the same? Lines do not count. */
#include <string.h>

#include "model/field.h"

struct field_list field_list(const struct field *field, const void *obj)
{
    struct field_list list;
    memcpy(&list, field_at(field, obj), sizeof(list));
    return list;
}

static bool equal_int_or_str(const struct int_or_str *a, const struct int_or_str *b)
{
    return a->is_int == b->is_int && a->number == b->number && str_eq(a->text, b->text);
}

static bool equal_strs(const struct str *a, const struct str *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!str_eq(a[i], b[i])) {
            return false;
        }
    }
    return true;
}

static bool equal_lists(const struct field *field, const void *obj_a, const void *obj_b)
{
    struct field_list a = field_list(field, obj_a), b = field_list(field, obj_b);
    if (a.len != b.len || a.len == 0) {
        return a.len == b.len;
    }
    switch (field->type) {
    case FIELD_STR_LIST:
        return equal_strs(a.items, b.items, a.len);
    case FIELD_STR_MAP: /* pairs of texts */
        return equal_strs(a.items, b.items, a.len * 2);
    case FIELD_INT_LIST:
        return memcmp(a.items, b.items, a.len * sizeof(int32_t)) == 0;
    default:
        break;
    }
    size_t size = field->schema->size;
    for (size_t i = 0; i < a.len; i++) {
        if (!field_equal(field->schema, (const char *)a.items + i * size,
                         (const char *)b.items + i * size)) {
            return false;
        }
    }
    return true;
}

static bool equal_pointers(const struct schema *schema, const void *a, const void *b)
{
    return a == NULL || b == NULL ? a == b : field_equal(schema, a, b);
}

static bool equal_field(const struct field *field, const void *obj_a, const void *obj_b)
{
    const void *a = field_at(field, obj_a), *b = field_at(field, obj_b);
    if (field->has != 0 && field_has(field, obj_a) != field_has(field, obj_b)) {
        return false;
    }
    switch (field->type) {
    case FIELD_STR:
    case FIELD_FAULT:
        return str_eq(*(const struct str *)a, *(const struct str *)b);
    case FIELD_INT:
        return *(const int32_t *)a == *(const int32_t *)b;
    case FIELD_INT64:
    case FIELD_TIME:
    case FIELD_DURATION:
        return *(const int64_t *)a == *(const int64_t *)b;
    case FIELD_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case FIELD_ENUM:
        return *(const int *)a == *(const int *)b;
    case FIELD_INT_OR_STR:
        return equal_int_or_str(a, b);
    case FIELD_STRUCT:
        return field_equal(field->schema, a, b);
    case FIELD_PTR:
        return equal_pointers(field->schema, *(void *const *)a, *(void *const *)b);
    case FIELD_LIST:
    case FIELD_STR_LIST:
    case FIELD_INT_LIST:
    case FIELD_STR_MAP:
        return equal_lists(field, obj_a, obj_b);
    case FIELD_LINE:
    case FIELD_UNREAD:
        break;
    }
    return true;
}

bool field_equal(const struct schema *schema, const void *a, const void *b)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        if (!field->silent && !equal_field(field, a, b)) {
            return false;
        }
    }
    return true;
}
