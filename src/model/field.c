/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field: how is a document tree read into a struct by its field table?
 *
 * One pass over the mapping pairs entries with fields (and finds unknown ones), one pass over the
 * fields reads or defaults each. Paths are only put into words when there is a problem.
 */
#include "model/field.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "codec/rfc3339.h"
#include "model/field_reader.h"

#define FIELDS_MAX 48 /* of one schema */

/* --- texts --------------------------------------------------------------------------------- */

static bool is_name(const char *const *names, struct str text)
{
    size_t i = 0;
    while (names[i] != NULL && !str_eq(str_from(names[i]), text)) {
        i++;
    }
    return names[i] != NULL;
}

/* Index of text in names, or -1 and a problem. */
static int read_name(struct field_reader *reader, const char *const *names,
                     const struct doc_node *node, const struct field_place *place)
{
    if (node->type != DOC_STRING) {
        field_wrong_type(reader, "a string", node, place);
        return -1;
    }
    for (int i = 0; names[i] != NULL; i++) {
        if (str_eq(str_from(names[i]), node->text)) {
            return i;
        }
    }
    FIELD_COMPLAIN(reader, PROBLEM_not_in_enum, node, place,
                   field_names_list(reader->problems->arena, names),
                   "'%.*s' is not a value of '%.*s'", STR_FMT(field_quote(reader, node->text)),
                   STR_FMT(field_place_subject(place)));
    return -1;
}

static bool check_format(struct field_reader *reader, const struct format *format, struct str text,
                         const struct doc_node *node, const struct field_place *place)
{
    struct str subject = field_place_subject(place);
    if (text.len == 0 && !format->allow_empty) {
        FIELD_COMPLAIN(reader, PROBLEM_out_of_range, node, place, str_from(format->remedy),
                       "'%.*s' is empty", STR_FMT(subject));
    } else if (format->max != 0 && text.len > format->max) {
        FIELD_COMPLAIN(reader, PROBLEM_out_of_range, node, place,
                       arena_printf(reader->problems->arena, "shorten it to %zu", format->max),
                       "'%.*s' has %zu characters, more than %zu", STR_FMT(subject), text.len,
                       format->max);
    } else if (!format->matches(text)) {
        FIELD_COMPLAIN(reader, PROBLEM_bad_format, node, place, str_from(format->remedy),
                       "'%.*s' is not %s", STR_FMT(field_quote(reader, text)), format->name);
    } else {
        return true;
    }
    return false;
}

static void read_text(struct field_reader *reader, const struct field *field, struct str *ret_text,
                      const struct doc_node *node, const struct field_place *place)
{
    if (field->names != NULL && reader->open && !is_name(field->names, node->text)) {
        *ret_text = STR_NULL;
    } else if (field->names != NULL) {
        int i = read_name(reader, field->names, node, place);
        *ret_text = i >= 0 ? str_from(field->names[i]) : STR_NULL;
    } else if (node->type != DOC_STRING) {
        field_wrong_type(reader, "a string", node, place);
    } else if (field->format == NULL ||
               check_format(reader, field->format, node->text, node, place)) {
        *ret_text = arena_str(reader->arena, node->text);
    }
}

/* --- numbers, times ------------------------------------------------------------------------ */

static bool read_number(struct field_reader *reader, const struct field *field, int64_t *ret_number,
                        const struct doc_node *node, const struct field_place *place)
{
    if (node->type != DOC_INT) {
        field_wrong_type(reader, "an integer", node, place);
        return false;
    }
    bool bounded = field->min != 0 || field->max != 0;
    bool wide = field->type == FIELD_INT64;
    int64_t min = bounded ? field->min : wide ? INT64_MIN : INT32_MIN;
    int64_t max = bounded ? field->max : wide ? INT64_MAX : INT32_MAX;
    if (node->integer < min || node->integer > max) {
        FIELD_COMPLAIN(reader, PROBLEM_out_of_range, node, place,
                       arena_printf(reader->problems->arena,
                                    "write an integer from %" PRId64 " to %" PRId64, min, max),
                       "'%.*s' is %" PRId64 ", %s than %" PRId64,
                       STR_FMT(field_place_subject(place)), node->integer,
                       node->integer < min ? "less" : "more", node->integer < min ? min : max);
        return false;
    }
    *ret_number = node->integer;
    return true;
}

static void read_timed(struct field_reader *reader, const struct field *field, int64_t *ret_value,
                       const struct doc_node *node, const struct field_place *place)
{
    bool duration = field->type == FIELD_DURATION;
    struct str remedy = duration ? STR("write a duration such as '10s', '1m30s' or '500ms'")
                                 : STR("write a time such as '2026-11-23T11:46:58Z'");
    if (node->type != DOC_STRING) {
        FIELD_COMPLAIN(reader, PROBLEM_wrong_type, node, place, remedy, "'%.*s' is %s, not a %s",
                       STR_FMT(field_place_subject(place)), doc_type_name(node->type),
                       duration ? "duration" : "time");
    } else if (duration ? !format_read_duration(node->text, ret_value)
                        : !rfc3339_read(node->text, ret_value)) {
        FIELD_COMPLAIN(reader, PROBLEM_bad_format, node, place, remedy, "'%.*s' is not a %s",
                       STR_FMT(field_quote(reader, node->text)), duration ? "duration" : "time");
    }
}

static void read_int_or_str(struct field_reader *reader, const struct field *field,
                            struct int_or_str *ret_value, const struct doc_node *node,
                            const struct field_place *place)
{
    int64_t number;
    if (node->type == DOC_STRING) {
        read_text(reader, field, &ret_value->text, node, place);
    } else if (read_number(reader, field, &number, node, place)) {
        ret_value->is_int = true;
        ret_value->number = (int32_t)number;
    }
}

/* --- lists and maps ------------------------------------------------------------------------ */

static void read_struct(struct field_reader *reader, const struct schema *schema, void *obj,
                        const struct doc_node *node, const struct field_place *place);

/* min and max bound the length; of an INT_LIST they bound the numbers, which are all different. */
static bool check_count(struct field_reader *reader, const struct field *field,
                        const struct doc_node *node, const struct field_place *place)
{
    bool numbers = field->type == FIELD_INT_LIST;
    int64_t min = numbers ? 0 : field->min;
    int64_t max = numbers ? field->max - field->min + 1 : field->max;
    if (node->len >= min && (max == 0 || node->len <= max)) {
        return true;
    }
    bool few = node->len < min;
    FIELD_COMPLAIN(reader, PROBLEM_out_of_range, node, place,
                   few ? STR("add at least one")
                       : STR("remove some, or split the object into several objects"),
                   "'%.*s' has %" PRIu32 " items, %s than %" PRId64,
                   STR_FMT(field_place_subject(place)), node->len, few ? "less" : "more",
                   few ? min : max);
    return false;
}

/* What makes an item of a `unique` list what it is: its text, or its name. ptr NULL: nothing. */
static struct str item_key(const struct field *field, const struct doc_node *item)
{
    if (field->type != FIELD_LIST) {
        return item->text;
    }
    const struct doc_node *name = doc_get(item, STR("name"));
    return name != NULL ? name->text : STR_NULL;
}

/* Quadratic, but such lists are short: their `max` was checked before. */
static void check_unique(struct field_reader *reader, const struct field *field,
                         const struct doc_node *node, const struct field_place *place)
{
    for (uint32_t i = 1; field->unique && i < node->len; i++) {
        struct str key = item_key(field, node->items[i]);
        for (uint32_t j = 0; j < i && key.ptr != NULL; j++) {
            struct str other = item_key(field, node->items[j]);
            if (other.ptr != NULL && str_eq(key, other)) {
                FIELD_COMPLAIN(reader, PROBLEM_union, node->items[i],
                               (&(struct field_place){.up = place, .index = i}),
                               STR("keep one of them and remove the other"),
                               "'%.*s' stands twice in '%.*s', the first time on line %" PRIu32,
                               STR_FMT(field_quote(reader, key)),
                               STR_FMT(field_place_subject(place)), node->items[j]->line);
                break;
            }
        }
    }
}

static void read_item(struct field_reader *reader, const struct field *field, void *item,
                      const struct doc_node *node, const struct field_place *place)
{
    int64_t number;
    if (field->type == FIELD_LIST) {
        read_struct(reader, field->schema, item, node, place);
    } else if (field->type == FIELD_STR_LIST) {
        read_text(reader, field, item, node, place);
    } else if (read_number(reader, field, &number, node, place)) {
        *(int32_t *)item = (int32_t)number;
    }
}

static void read_list(struct field_reader *reader, const struct field *field, void *at,
                      const struct doc_node *node, const struct field_place *place)
{
    if (node->type != DOC_SEQUENCE) {
        field_wrong_type(reader, "a list", node, place);
        return;
    }
    if (!check_count(reader, field, node, place)) {
        return;
    }
    size_t size = field->type == FIELD_LIST       ? field->schema->size
                  : field->type == FIELD_STR_LIST ? sizeof(struct str)
                                                  : sizeof(int32_t);
    char *items = node->len > 0 ? arena_alloc_array(reader->arena, node->len, size) : NULL;
    for (uint32_t i = 0; i < node->len; i++) {
        struct field_place item = {.up = place, .index = i};
        read_item(reader, field, items + i * size, node->items[i], &item);
    }
    check_unique(reader, field, node, place);
    field_set_list(at, items, node->len);
}

static int compare_pairs(const void *a, const void *b)
{
    return str_cmp(((const struct str_pair *)a)->key, ((const struct str_pair *)b)->key);
}

/* False when the entry is none of those that are read. */
static bool read_pair(struct field_reader *reader, const struct field *field,
                      struct str_pair *ret_pair, const struct doc_entry *entry,
                      const struct field_place *map)
{
    struct field_place item = {.up = map, .name = entry->key};
    struct str value = entry->value->type == DOC_NULL ? STR_NULL : entry->value->text;
    if (entry->value->type == DOC_SEQUENCE || entry->value->type == DOC_MAPPING) {
        field_wrong_type(reader, "a string", entry->value, &item);
        return false;
    }
    if (field->reads != NULL && !field->reads(entry->key, value)) {
        return false;
    }
    if (field->format != NULL) {
        check_format(reader, field->format, entry->key, entry->value, &item);
    }
    if (field->value_format != NULL) {
        check_format(reader, field->value_format, value, entry->value, &item);
    }
    ret_pair->key = arena_str(reader->arena, entry->key);
    ret_pair->value = arena_str(reader->arena, value);
    return true;
}

static void read_map(struct field_reader *reader, const struct field *field, void *at,
                     const struct doc_node *node, const struct field_place *place)
{
    if (node->type != DOC_MAPPING) {
        field_wrong_type(reader, "a mapping", node, place);
        return;
    }
    if (!check_count(reader, field, node, place)) {
        return;
    }
    struct str_pair *pairs =
        node->len > 0 ? ARENA_ARRAY(reader->arena, node->len, struct str_pair) : NULL;
    size_t len = 0;
    for (uint32_t i = 0; i < node->len; i++) {
        if (read_pair(reader, field, &pairs[len], &node->entries[i], place)) {
            len++;
        }
    }
    if (len > 1) {
        qsort(pairs, len, sizeof(*pairs), compare_pairs);
    }
    field_set_list(at, pairs, len);
}

/* --- structs ------------------------------------------------------------------------------- */

static void read_value(struct field_reader *reader, const struct field *field, void *at,
                       const struct doc_node *node, const struct field_place *place)
{
    int64_t number;
    int index;
    switch (field->type) {
    case FIELD_STR:
        read_text(reader, field, at, node, place);
        break;
    case FIELD_INT:
        if (read_number(reader, field, &number, node, place)) {
            *(int32_t *)at = (int32_t)number;
        }
        break;
    case FIELD_INT64:
        if (read_number(reader, field, &number, node, place)) {
            *(int64_t *)at = number;
        }
        break;
    case FIELD_BOOL:
        if (node->type != DOC_BOOL) {
            field_wrong_type(reader, "true or false", node, place);
        }
        *(bool *)at = node->boolean;
        break;
    case FIELD_ENUM:
        index = read_name(reader, field->names, node, place);
        *(int *)at = index >= 0 ? index : 0;
        break;
    case FIELD_TIME:
    case FIELD_DURATION:
        read_timed(reader, field, at, node, place);
        break;
    case FIELD_INT_OR_STR:
        read_int_or_str(reader, field, at, node, place);
        break;
    case FIELD_STRUCT:
        read_struct(reader, field->schema, at, node, place);
        break;
    case FIELD_PTR:
        *(void **)at = arena_alloc(reader->arena, field->schema->size);
        read_struct(reader, field->schema, *(void **)at, node, place);
        break;
    case FIELD_LIST:
    case FIELD_STR_LIST:
    case FIELD_INT_LIST:
        read_list(reader, field, at, node, place);
        break;
    case FIELD_STR_MAP:
        read_map(reader, field, at, node, place);
        break;
    case FIELD_LINE:
    case FIELD_FAULT:
    case FIELD_UNREAD:
        break;
    }
}

/* Fills given[i] with the entry's value of fields[i], NULL when absent or null. */
static void pair_fields(struct field_reader *reader, const struct schema *schema,
                        const struct doc_node *node, const struct field_place *place,
                        const struct doc_node *given[FIELDS_MAX])
{
    for (uint32_t i = 0; i < node->len; i++) {
        const struct doc_entry *entry = &node->entries[i];
        size_t n = 0;
        while (schema->fields[n].name != NULL &&
               (schema->fields[n].name[0] == '\0' ||
                !str_eq(str_from(schema->fields[n].name), entry->key))) {
            n++;
            ASSERT(n < FIELDS_MAX);
        }
        const struct field *field = &schema->fields[n];
        if (field->name == NULL && !reader->open && !schema->others) {
            field_unknown(reader, schema, entry, place);
        } else if (field->name != NULL && entry->value->type != DOC_NULL &&
                   !(reader->stored && field->silent)) {
            given[n] = entry->value;
        }
    }
}

static void read_field(struct field_reader *reader, const struct schema *schema,
                       const struct field *field, void *obj, const struct doc_node *node,
                       const struct doc_node *parent, const struct field_place *place)
{
    struct field_place at = {.up = place, .name = str_from(field->name)};
    if (node == NULL) {
        if (field->required) {
            FIELD_COMPLAIN(reader, PROBLEM_required, parent, &at,
                           arena_printf(reader->problems->arena, "add '%s'", field->name),
                           "%s lacks '%s'", schema->name, field->name);
        }
        field_default(reader, field, obj, parent->line);
        return;
    }
    read_value(reader, field, (char *)obj + field->offset, node, &at);
    if (field->has != 0) {
        *(bool *)((char *)obj + field->has) = true;
    }
    bool empty_list = field->type == FIELD_LIST && node->type == DOC_SEQUENCE && node->len == 0;
    if (empty_list && field->fallback != NULL) {
        field_default(reader, field, obj, node->line);
    }
}

/* The fields, and what must hold between them. */
static void read_mapping(struct field_reader *reader, const struct schema *schema, void *obj,
                         const struct doc_node *node, const struct field_place *place)
{
    size_t errors = reader->problems->errors;
    const struct doc_node *given[FIELDS_MAX] = {NULL};
    pair_fields(reader, schema, node, place, given);
    for (size_t i = 0; schema->fields[i].name != NULL; i++) {
        read_field(reader, schema, &schema->fields[i], obj, given[i], node, place);
    }
    if (reader->problems->errors != errors) {
        return;
    }
    if (schema->finish != NULL) {
        schema->finish(obj, reader->arena);
    }
    if (schema->check != NULL) {
        schema->check(obj, node, reader->problems,
                      field_place_text(reader->problems->arena, place));
    }
}

static const struct field *fault_field(const struct schema *schema)
{
    const struct field *field = schema->fields;
    while (field->name != NULL && field->type != FIELD_FAULT) {
        field++;
    }
    return field->name != NULL ? field : NULL;
}

/* Puts the first error since `before` into words, and takes all of them back. */
static void keep_fault(struct field_reader *reader, const struct schema *schema,
                       const struct field *field, void *obj, const struct problems *before)
{
    struct problems *problems = reader->problems;
    size_t first = before->len;
    while (first + 1 < problems->len && !problem_is_error(&problems->items[first])) {
        first++;
    }
    *(struct str *)((char *)obj + field->offset) =
        first < problems->len ? problem_words(reader->arena, &problems->items[first])
                              : STR("there are more errors than are listed");
    problems->len = before->len;
    problems->errors = before->errors;
    if (schema->finish != NULL) {
        schema->finish(obj, reader->arena);
    }
}

static void read_struct(struct field_reader *reader, const struct schema *schema, void *obj,
                        const struct doc_node *node, const struct field_place *place)
{
    if (node->type != DOC_MAPPING) {
        field_wrong_type(reader, "a mapping", node, place);
        return;
    }
    const struct problems before = *reader->problems;
    bool open = reader->open;
    reader->open = reader->stored && (open || schema->open);
    read_mapping(reader, schema, obj, node, place);
    reader->open = open;
    if (reader->stored && reader->problems->errors != before.errors) {
        const struct field *field = fault_field(schema);
        if (field != NULL) {
            keep_fault(reader, schema, field, obj, &before);
        }
    }
}

bool field_read(const struct schema *schema, void *obj, const struct doc_node *node,
                struct arena *arena, struct problems *problems, struct str path)
{
    struct field_reader reader = {.arena = arena, .problems = problems};
    struct field_place root = {.name = path};
    size_t errors = problems->errors;
    read_struct(&reader, schema, obj, node, &root);
    return problems->errors == errors;
}

bool field_read_stored(const struct schema *schema, void *obj, const struct doc_node *node,
                       struct arena *arena, struct problems *problems)
{
    struct field_reader reader = {.arena = arena, .problems = problems, .stored = true};
    struct field_place root = {.name = STR("")};
    size_t errors = problems->errors;
    read_struct(&reader, schema, obj, node, &root);
    return problems->errors == errors;
}
