/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field_reader: what the parts of field_read() share: the place in the document, the words for
 * problems (field_words.c) and the defaults (field_default.c). For the three of them only.
 */
#ifndef HEDDLE_MODEL_FIELD_READER_H
#define HEDDLE_MODEL_FIELD_READER_H

#include "model/field.h"

struct field_reader {
    struct arena *arena; /* of the object */
    struct problems *problems;
    bool stored; /* field_read_stored() */
    bool open;   /* and what is read now lies in an open schema */
};

/* Where the walk is: a chain on the stack from the innermost mapping outwards. It is only put into
 * words when there is a problem. */
struct field_place {
    const struct field_place *up;
    struct str name; /* of a field; of the outermost, all that stands before; NULL: an index */
    size_t index;
};

struct str field_place_text(struct arena *arena, const struct field_place *place);
/* The name of the innermost field: the items of a list are called by the list's. */
struct str field_place_subject(const struct field_place *place);

#define FIELD_COMPLAIN(reader, code, node, place, remedy, ...)                                     \
    problems_report((reader)->problems, (code), (node)->line, (node)->column,                      \
                    field_place_text((reader)->problems->arena, (place)), (remedy), __VA_ARGS__)

struct str field_quote(struct field_reader *reader, struct str text);
void field_wrong_type(struct field_reader *reader, const char *wanted, const struct doc_node *node,
                      const struct field_place *place);
struct str field_names_list(struct arena *arena, const char *const *names); /* "use one of …" */
void field_unknown(struct field_reader *reader, const struct schema *schema,
                   const struct doc_entry *entry, const struct field_place *place);

/* What an absent field becomes; line is that of the mapping around it. */
void field_default(struct field_reader *reader, const struct field *field, void *obj,
                   uint32_t line);
void field_set_list(void *at, void *items, size_t len);

#endif
