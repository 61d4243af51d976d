/* SPDX-License-Identifier: Apache-2.0 */
/* field_words: how is said where a problem is, what was wanted, and what was probably meant? */
#include <string.h>

#include "base/buf.h"
#include "model/field_reader.h"

#define PLACES_MAX 32 /* nesting of schemas */
#define PLACE_TEXT_MAX 4096
#define NAMES_SHOWN 12   /* of known fields, in a remedy */
#define MEANT_DISTANCE 3 /* edits between what is written and what is proposed */

struct str field_place_text(struct arena *arena, const struct field_place *place)
{
    const struct field_place *chain[PLACES_MAX];
    size_t n = 0;
    for (; place != NULL && n < PLACES_MAX; place = place->up) {
        chain[n++] = place;
    }
    struct buf text;
    buf_init(&text, PLACE_TEXT_MAX);
    while (n > 0) {
        const struct field_place *next = chain[--n];
        if (next->up != NULL && next->name.ptr == NULL) {
            buf_printf(&text, "[%zu]", next->index);
        } else {
            buf_add_text(&text, text.len > 0 ? "." : "");
            buf_add_str(&text, next->name);
        }
    }
    struct str copy = arena_str(arena, buf_str(&text));
    buf_release(&text);
    return copy;
}

/* The name of the innermost field, "items of 'x'" being called by the list's name. */
struct str field_place_subject(const struct field_place *place)
{
    while (place->up != NULL && place->name.ptr == NULL) {
        place = place->up;
    }
    return place->name;
}

struct str field_quote(struct field_reader *reader, struct str text)
{
    return problem_quote(reader->problems->arena, text);
}

static struct str remedy_for_type(struct field_reader *reader, const char *wanted,
                                  const struct doc_node *node)
{
    bool scalar = node->type != DOC_MAPPING && node->type != DOC_SEQUENCE;
    if (strcmp(wanted, "a string") == 0 && scalar) {
        struct str text = field_quote(reader, node->text);
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

void field_wrong_type(struct field_reader *reader, const char *wanted, const struct doc_node *node,
                      const struct field_place *place)
{
    FIELD_COMPLAIN(reader, PROBLEM_wrong_type, node, place, remedy_for_type(reader, wanted, node),
                   "'%.*s' is %s, not %s", STR_FMT(field_place_subject(place)),
                   doc_type_name(node->type), wanted);
}

struct str field_names_list(struct arena *arena, const char *const *names)
{
    struct str list = STR("use one of");
    for (size_t i = 0; names[i] != NULL; i++) {
        list = arena_printf(arena, "%.*s%s '%s'", STR_FMT(list), i > 0 ? "," : "", names[i]);
    }
    return list;
}

static struct str fields_list(struct arena *arena, const struct schema *schema)
{
    struct str list = STR("known fields are");
    size_t n = 0;
    for (const struct field *field = schema->fields; field->name != NULL; field++) {
        if (field->name[0] == '\0') { /* FIELD_LINE, FIELD_FAULT */
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
        if (name.len > 0 && distance < best) {
            best = distance;
            meant = field->name;
        } else if (meant == NULL && key.len >= MEANT_DISTANCE && str_starts_with(name, key)) {
            meant = field->name;
        }
    }
    return meant;
}

void field_unknown(struct field_reader *reader, const struct schema *schema,
                   const struct doc_entry *entry, const struct field_place *place)
{
    struct arena *arena = reader->problems->arena;
    const char *meant = meant_field(schema, entry->key);
    struct field_place at = {.up = place, .name = field_quote(reader, entry->key)};
    struct str remedy = meant != NULL ? arena_printf(arena, "did you mean '%s'?", meant)
                                      : fields_list(arena, schema);
    problems_report(reader->problems, PROBLEM_unknown_field, entry->line, entry->column,
                    field_place_text(arena, &at), remedy, "%s has no field '%.*s'", schema->name,
                    STR_FMT(at.name));
}
