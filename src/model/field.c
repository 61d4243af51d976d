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

#define FIELDS_MAX 48    /* of one schema */
#define PLACES_MAX 32    /* nesting of schemas */
#define NAMES_SHOWN 12   /* of known fields, in a remedy */
#define MEANT_DISTANCE 3 /* edits between what is written and what is proposed */

struct reader {
    struct arena *arena; /* of the object */
    struct problems *problems;
};

/* Where the walk is: a chain on the stack from the innermost mapping outwards. */
struct place {
    const struct place *up;
    struct str name; /* of a field, or all that stands before; empty: an index */
    size_t index;
};

static struct str place_text(struct arena *arena, const struct place *place)
{
    const struct place *chain[PLACES_MAX];
    size_t n = 0;
    for (; place != NULL && n < PLACES_MAX; place = place->up) {
        chain[n++] = place;
    }
    struct str text = STR("");
    while (n > 0) {
        const struct place *next = chain[--n];
        if (next->up != NULL && next->name.ptr == NULL) {
            text = arena_printf(arena, "%.*s[%zu]", STR_FMT(text), next->index);
        } else {
            text = arena_printf(arena, "%.*s%s%.*s", STR_FMT(text), text.len > 0 ? "." : "",
                                STR_FMT(next->name));
        }
    }
    return text;
}

/* The name of the innermost field, "items of 'x'" being called by the list's name. */
static struct str place_subject(const struct place *place)
{
    while (place->up != NULL && place->name.ptr == NULL) {
        place = place->up;
    }
    return place->name;
}

#define COMPLAIN(reader, code, node, place, remedy, ...)                                           \
    problems_report((reader)->problems, (code), (node)->line, (node)->column,                      \
                    place_text((reader)->problems->arena, (place)), (remedy), __VA_ARGS__)

static struct str quote(struct reader *reader, struct str text)
{
    return problem_quote(reader->problems->arena, text);
}

static struct str remedy_for_type(struct reader *reader, const char *wanted,
                                  const struct doc_node *node)
{
    bool scalar = node->type != DOC_MAPPING && node->type != DOC_SEQUENCE;
    if (strcmp(wanted, "a string") == 0 && scalar) {
        struct str text = quote(reader, node->text);
        return arena_printf(reader->problems->arena, "put it in quotes: \"%.*s\"", STR_FMT(text));
    }
    if (strcmp(wanted, "a list") == 0) {
        return STR("begin each item of a list with '- '");
    }
    if (node->type == DOC_STRING && strcmp(wanted, "a mapping") != 0) {
        return STR("write it without quotes");
    }
    return STR_NULL;
}

static void wrong_type(struct reader *reader, const char *wanted, const struct doc_node *node,
                       const struct place *place)
{
    COMPLAIN(reader, PROBLEM_wrong_type, node, place, remedy_for_type(reader, wanted, node),
             "'%.*s' is %s, not %s", STR_FMT(place_subject(place)), doc_type_name(node->type),
             wanted);
}

/* --- texts --------------------------------------------------------------------------------- */

static struct str names_list(struct arena *arena, const char *const *names)
{
    struct str list = STR("use one of");
    for (size_t i = 0; names[i] != NULL; i++) {
        list = arena_printf(arena, "%.*s%s '%s'", STR_FMT(list), i > 0 ? "," : "", names[i]);
    }
    return list;
}

/* Index of text in names, or -1 and a problem. */
static int read_name(struct reader *reader, const char *const *names, const struct doc_node *node,
                     const struct place *place)
{
    if (node->type != DOC_STRING) {
        wrong_type(reader, "a string", node, place);
        return -1;
    }
    for (int i = 0; names[i] != NULL; i++) {
        if (str_eq(str_from(names[i]), node->text)) {
            return i;
        }
    }
    COMPLAIN(reader, PROBLEM_not_in_enum, node, place, names_list(reader->problems->arena, names),
             "'%.*s' is not a value of '%.*s'", STR_FMT(quote(reader, node->text)),
             STR_FMT(place_subject(place)));
    return -1;
}

static bool check_format(struct reader *reader, const struct format *format, struct str text,
                         const struct doc_node *node, const struct place *place)
{
    struct str subject = place_subject(place);
    if (text.len == 0 && !format->allow_empty) {
        COMPLAIN(reader, PROBLEM_out_of_range, node, place, str_from(format->remedy),
                 "'%.*s' is empty", STR_FMT(subject));
    } else if (format->max != 0 && text.len > format->max) {
        COMPLAIN(reader, PROBLEM_out_of_range, node, place,
                 arena_printf(reader->problems->arena, "shorten it to %zu", format->max),
                 "'%.*s' has %zu characters, more than %zu", STR_FMT(subject), text.len,
                 format->max);
    } else if (!format->matches(text)) {
        COMPLAIN(reader, PROBLEM_bad_format, node, place, str_from(format->remedy),
                 "'%.*s' is not %s", STR_FMT(quote(reader, text)), format->name);
    } else {
        return true;
    }
    return false;
}

static void read_text(struct reader *reader, const struct field *field, struct str *ret_text,
                      const struct doc_node *node, const struct place *place)
{
    if (field->names != NULL) {
        int i = read_name(reader, field->names, node, place);
        *ret_text = i >= 0 ? str_from(field->names[i]) : STR_NULL;
    } else if (node->type != DOC_STRING) {
        wrong_type(reader, "a string", node, place);
    } else if (field->format == NULL ||
               check_format(reader, field->format, node->text, node, place)) {
        *ret_text = arena_str(reader->arena, node->text);
    }
}

/* --- numbers, times ------------------------------------------------------------------------ */

static bool read_number(struct reader *reader, const struct field *field, int64_t *ret_number,
                        const struct doc_node *node, const struct place *place)
{
    if (node->type != DOC_INT) {
        wrong_type(reader, "an integer", node, place);
        return false;
    }
    bool bounded = field->min != 0 || field->max != 0;
    bool wide = field->type == FIELD_INT64;
    int64_t min = bounded ? field->min : wide ? INT64_MIN : INT32_MIN;
    int64_t max = bounded ? field->max : wide ? INT64_MAX : INT32_MAX;
    if (node->integer < min || node->integer > max) {
        COMPLAIN(reader, PROBLEM_out_of_range, node, place,
                 arena_printf(reader->problems->arena,
                              "write an integer from %" PRId64 " to %" PRId64, min, max),
                 "'%.*s' is %" PRId64 ", %s than %" PRId64, STR_FMT(place_subject(place)),
                 node->integer, node->integer < min ? "less" : "more",
                 node->integer < min ? min : max);
        return false;
    }
    *ret_number = node->integer;
    return true;
}

static void read_timed(struct reader *reader, const struct field *field, int64_t *ret_value,
                       const struct doc_node *node, const struct place *place)
{
    bool duration = field->type == FIELD_DURATION;
    struct str remedy = duration ? STR("write a duration such as '10s', '1m30s' or '500ms'")
                                 : STR("write a time such as '2026-11-23T11:46:58Z'");
    if (node->type != DOC_STRING) {
        COMPLAIN(reader, PROBLEM_wrong_type, node, place, remedy, "'%.*s' is %s, not a %s",
                 STR_FMT(place_subject(place)), doc_type_name(node->type),
                 duration ? "duration" : "time");
    } else if (duration ? !format_read_duration(node->text, ret_value)
                        : !format_read_time(node->text, ret_value)) {
        COMPLAIN(reader, PROBLEM_bad_format, node, place, remedy, "'%.*s' is not a %s",
                 STR_FMT(quote(reader, node->text)), duration ? "duration" : "time");
    }
}

static void read_int_or_str(struct reader *reader, const struct field *field,
                            struct int_or_str *ret_value, const struct doc_node *node,
                            const struct place *place)
{
    int64_t number;
    if (node->type == DOC_STRING) {
        read_text(reader, field, &ret_value->text, node, place);
    } else if (read_number(reader, field, &number, node, place)) {
        ret_value->is_int = true;
        ret_value->number = (int32_t)number;
    }
}

/* --- defaults ------------------------------------------------------------------------------ */

static void default_struct(struct reader *reader, const struct schema *schema, void *obj,
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

static void set_list(void *at, void *items, size_t len)
{
    struct field_list list = {items, len};
    memcpy(at, &list, sizeof(list)); /* LIST(T) differs from it in the type of one pointer */
}

static void default_field(struct reader *reader, const struct field *field, void *obj,
                          uint32_t line)
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
    case FIELD_ENUM:
        *(int *)at = name_index(field->names, field->fallback);
        break;
    case FIELD_LIST: {
        void *item = arena_alloc(reader->arena, field->schema->size);
        default_struct(reader, field->schema, item, line);
        set_list(at, item, 1);
        break;
    }
    default:
        panic("field '%s' is of a type that has no default", field->name);
    }
}

static void default_struct(struct reader *reader, const struct schema *schema, void *obj,
                           uint32_t line)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        default_field(reader, field, obj, line);
    }
}

/* --- lists and maps ------------------------------------------------------------------------ */

static void read_struct(struct reader *reader, const struct schema *schema, void *obj,
                        const struct doc_node *node, const struct place *place);

/* min and max bound the length; of an INT_LIST they bound the numbers, which are all different. */
static bool check_count(struct reader *reader, const struct field *field,
                        const struct doc_node *node, const struct place *place)
{
    bool numbers = field->type == FIELD_INT_LIST;
    int64_t min = numbers ? 0 : field->min;
    int64_t max = numbers ? field->max - field->min + 1 : field->max;
    if (node->len >= min && (max == 0 || node->len <= max)) {
        return true;
    }
    bool few = node->len < min;
    COMPLAIN(reader, PROBLEM_out_of_range, node, place,
             few ? STR("add at least one")
                 : STR("remove some, or split the object into several objects"),
             "'%.*s' has %" PRIu32 " items, %s than %" PRId64, STR_FMT(place_subject(place)),
             node->len, few ? "less" : "more", few ? min : max);
    return false;
}

/* What makes an item of a `unique` list what it is: its text, or its name. */
static struct str item_key(const struct field *field, const struct doc_node *item)
{
    if (field->type != FIELD_LIST) {
        return item->text;
    }
    const struct doc_node *name = doc_get(item, STR("name"));
    return name != NULL ? name->text : STR_NULL;
}

/* Quadratic, but such lists are short: their `max` was checked before. */
static void check_unique(struct reader *reader, const struct field *field,
                         const struct doc_node *node, const struct place *place)
{
    for (uint32_t i = 1; field->unique && i < node->len; i++) {
        struct str key = item_key(field, node->items[i]);
        for (uint32_t j = 0; j < i && key.len > 0; j++) {
            if (str_eq(key, item_key(field, node->items[j]))) {
                COMPLAIN(reader, PROBLEM_union, node->items[i],
                         (&(struct place){.up = place, .index = i}),
                         STR("keep one of them and remove the other"),
                         "'%.*s' stands twice in '%.*s', the first time on line %" PRIu32,
                         STR_FMT(quote(reader, key)), STR_FMT(place_subject(place)),
                         node->items[j]->line);
                break;
            }
        }
    }
}

static void read_item(struct reader *reader, const struct field *field, void *item,
                      const struct doc_node *node, const struct place *place)
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

static void read_list(struct reader *reader, const struct field *field, void *at,
                      const struct doc_node *node, const struct place *place)
{
    if (node->type != DOC_SEQUENCE) {
        wrong_type(reader, "a list", node, place);
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
        struct place item = {.up = place, .index = i};
        read_item(reader, field, items + i * size, node->items[i], &item);
    }
    check_unique(reader, field, node, place);
    set_list(at, items, node->len);
}

static int compare_pairs(const void *a, const void *b)
{
    return str_cmp(((const struct str_pair *)a)->key, ((const struct str_pair *)b)->key);
}

static void read_map(struct reader *reader, const struct field *field, void *at,
                     const struct doc_node *node, const struct place *place)
{
    if (node->type != DOC_MAPPING) {
        wrong_type(reader, "a mapping", node, place);
        return;
    }
    struct str_pair *pairs =
        node->len > 0 ? ARENA_ARRAY(reader->arena, node->len, struct str_pair) : NULL;
    for (uint32_t i = 0; i < node->len; i++) {
        const struct doc_entry *entry = &node->entries[i];
        struct place item = {.up = place, .name = entry->key};
        if (field->format != NULL) {
            check_format(reader, field->format, entry->key, entry->value, &item);
        }
        if (entry->value->type == DOC_SEQUENCE || entry->value->type == DOC_MAPPING) {
            wrong_type(reader, "a string", entry->value, &item);
        }
        pairs[i].key = arena_str(reader->arena, entry->key);
        pairs[i].value = entry->value->type == DOC_NULL
                             ? STR_NULL
                             : arena_str(reader->arena, entry->value->text);
    }
    if (node->len > 1) {
        qsort(pairs, node->len, sizeof(*pairs), compare_pairs);
    }
    set_list(at, pairs, node->len);
}

/* --- structs ------------------------------------------------------------------------------- */

static void read_value(struct reader *reader, const struct field *field, void *at,
                       const struct doc_node *node, const struct place *place)
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
            wrong_type(reader, "true or false", node, place);
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
    case FIELD_UNREAD:
        break;
    }
}

static struct str fields_list(struct arena *arena, const struct schema *schema)
{
    struct str list = STR("known fields are");
    size_t n = 0;
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        if (field->type == FIELD_LINE) {
            continue;
        }
        if (n == NAMES_SHOWN) {
            return arena_printf(arena, "%.*s, ...", STR_FMT(list));
        }
        list = arena_printf(arena, "%.*s%s '%s'", STR_FMT(list), n > 0 ? "," : "", field->name);
        n++;
    }
    return list;
}

/* The field that was probably meant, or NULL: a few edits away, or begun and not finished. */
static const char *meant_field(const struct schema *schema, struct str key)
{
    const char *meant = NULL;
    unsigned best = (unsigned)(key.len + 2) / 3; /* edits that are still a slip */
    best = best < MEANT_DISTANCE ? best + 1 : MEANT_DISTANCE + 1;
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        struct str name = str_from(field->name);
        unsigned distance = str_distance(key, name, MEANT_DISTANCE);
        if (field->type != FIELD_LINE && distance < best) {
            best = distance;
            meant = field->name;
        } else if (meant == NULL && key.len >= MEANT_DISTANCE && str_starts_with(name, key)) {
            meant = field->name;
        }
    }
    return meant;
}

static void unknown_field(struct reader *reader, const struct schema *schema,
                          const struct doc_entry *entry, const struct place *place)
{
    struct arena *arena = reader->problems->arena;
    const char *meant = meant_field(schema, entry->key);
    struct place at = {.up = place, .name = quote(reader, entry->key)};
    struct str remedy = meant != NULL ? arena_printf(arena, "did you mean '%s'?", meant)
                                      : fields_list(arena, schema);
    problems_report(reader->problems, PROBLEM_unknown_field, entry->line, entry->column,
                    place_text(arena, &at), remedy, "%s has no field '%.*s'", schema->name,
                    STR_FMT(at.name));
}

/* Fills given[i] with the entry's value of fields[i], NULL when absent or null. */
static void pair_fields(struct reader *reader, const struct schema *schema,
                        const struct doc_node *node, const struct place *place,
                        const struct doc_node *given[FIELDS_MAX])
{
    for (uint32_t i = 0; i < node->len; i++) {
        const struct doc_entry *entry = &node->entries[i];
        size_t n = 0;
        while (schema->fields[n].name != NULL &&
               (schema->fields[n].type == FIELD_LINE ||
                !str_eq(str_from(schema->fields[n].name), entry->key))) {
            n++;
            ASSERT(n < FIELDS_MAX);
        }
        if (schema->fields[n].name == NULL) {
            unknown_field(reader, schema, entry, place);
        } else if (entry->value->type != DOC_NULL) {
            given[n] = entry->value;
        }
    }
}

static void read_field(struct reader *reader, const struct schema *schema,
                       const struct field *field, void *obj, const struct doc_node *node,
                       const struct doc_node *parent, const struct place *place)
{
    struct place at = {.up = place, .name = str_from(field->name)};
    if (node == NULL) {
        if (field->required) {
            COMPLAIN(reader, PROBLEM_required, parent, &at,
                     arena_printf(reader->problems->arena, "add '%s'", field->name),
                     "%s lacks '%s'", schema->name, field->name);
        }
        default_field(reader, field, obj, parent->line);
        return;
    }
    read_value(reader, field, (char *)obj + field->offset, node, &at);
    if (field->has != 0) {
        *(bool *)((char *)obj + field->has) = true;
    }
    bool empty_list = field->type == FIELD_LIST && node->type == DOC_SEQUENCE && node->len == 0;
    if (empty_list && field->fallback != NULL) {
        default_field(reader, field, obj, node->line);
    }
}

static void read_struct(struct reader *reader, const struct schema *schema, void *obj,
                        const struct doc_node *node, const struct place *place)
{
    if (node->type != DOC_MAPPING) {
        wrong_type(reader, "a mapping", node, place);
        return;
    }
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
        schema->check(obj, node, reader->problems, place_text(reader->problems->arena, place));
    }
}

bool field_read(const struct schema *schema, void *obj, const struct doc_node *node,
                struct arena *arena, struct problems *problems, struct str path)
{
    struct reader reader = {.arena = arena, .problems = problems};
    struct place root = {.name = path};
    size_t errors = problems->errors;
    read_struct(&reader, schema, obj, node, &root);
    return problems->errors == errors;
}
