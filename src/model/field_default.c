/* SPDX-License-Identifier: Apache-2.0 */
/* field_default: what does a field become that is not given? */
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "model/field_reader.h"

static void default_struct(struct field_reader *reader, const struct schema *schema, void *obj,
                           uint32_t line);

static int name_index(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    panic("'%s' is the default of an enum that lacks it", name);
}

void field_set_list(void *at, void *items, size_t len)
{
    struct field_list list = {items, len};
    memcpy(at, &list, sizeof(list)); /* LIST(T) differs from it in the type of one pointer */
}

void field_default(struct field_reader *reader, const struct field *field, void *obj, uint32_t line)
{
    void *at = (char *)obj + field->offset;
    if (field->type == FIELD_STRUCT) {
        default_struct(reader, field->schema, at, line);
        return;
    }
    if (field->type == FIELD_LINE) {
        *(uint32_t *)at = line;
        return;
    }
    if (field->fallback == NULL) {
        return;
    }
    switch (field->type) {
    case FIELD_STR:
        *(struct str *)at = str_from(field->fallback);
        break;
    case FIELD_INT:
        *(int32_t *)at = (int32_t)strtol(field->fallback, NULL, 10);
        break;
    case FIELD_INT64:
        *(int64_t *)at = strtoll(field->fallback, NULL, 10);
        break;
    case FIELD_BOOL:
        *(bool *)at = strcmp(field->fallback, "true") == 0;
        break;
    case FIELD_DURATION:
        if (!format_read_duration(str_from(field->fallback), at)) {
            panic("'%s' is no duration", field->fallback);
        }
        break;
    case FIELD_ENUM:
        *(int *)at = name_index(field->names, field->fallback);
        break;
    case FIELD_LIST: {
        void *item = arena_alloc(reader->arena, field->schema->size);
        default_struct(reader, field->schema, item, line);
        field_set_list(at, item, 1);
        break;
    }
    default:
        panic("field '%s' is of a type that has no default", field->name);
    }
}

static void default_struct(struct field_reader *reader, const struct schema *schema, void *obj,
                           uint32_t line)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        field_default(reader, field, obj, line);
    }
}
