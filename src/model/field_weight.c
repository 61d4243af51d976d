/* SPDX-License-Identifier: Apache-2.0 */
/* field_weight: how many bytes may the texts of a struct of a field table take in an encoding? */
#include "model/field.h"

#define WEIGHT_OF_FRAME 6 /* tags and lengths of a text or a struct */

/* Regular expressions, header values and others have characters that are written as two. */
static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c >= 0x80;
}

static size_t weight_of_texts(const struct str *texts, size_t len)
{
    size_t weight = len * WEIGHT_OF_FRAME;
    for (size_t i = 0; i < len; i++) {
        for (size_t j = 0; j < texts[i].len; j++) {
            weight += is_plain((unsigned char)texts[i].ptr[j]) ? 1 : 2;
        }
    }
    return weight;
}

static size_t weight_of_field(const struct field *field, const void *obj)
{
    const void *at = field_at(field, obj);
    const void *pointed;
    struct field_list list;
    size_t weight = 0;
    switch (field->type) {
    case FIELD_STR:
        return weight_of_texts(at, 1);
    case FIELD_STRUCT:
        return field_weight(field->schema, at);
    case FIELD_PTR:
        pointed = *(void *const *)at;
        return pointed != NULL ? field_weight(field->schema, pointed) : 0;
    case FIELD_STR_LIST:
        list = field_list(field, obj);
        return weight_of_texts(list.items, list.len);
    case FIELD_LIST:
        list = field_list(field, obj);
        for (size_t i = 0; i < list.len; i++) {
            weight +=
                field_weight(field->schema, (const char *)list.items + i * field->schema->size);
        }
        return weight;
    default:
        return 0; /* numbers find room in the frames */
    }
}

size_t field_weight(const struct schema *schema, const void *obj)
{
    size_t weight = WEIGHT_OF_FRAME;
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        weight += weight_of_field(field, obj);
    }
    return weight;
}
