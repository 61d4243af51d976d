/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field: describing structs with tables, so that one walker parses, defaults, validates, compares
 * and prints all of them.
 *
 *   doc tree ──field_read──► struct (in an arena)      problems with line, column, path, remedy
 *   struct a, struct b ──field_equal──► bool           the engine's cut-off
 *   struct ──field_dump──► JSON                        /api, translate, golden files
 *
 * Model kinds and IR rows are both described this way. A field that heddle does not read but that
 * the API has is listed as FIELD_UNREAD, so that unknown fields are found (and the nearest known
 * name is proposed).
 * Source of the constraints: the CRDs of Gateway API v1.7.0 and Kubernetes' core validation.
 */
#ifndef HEDDLE_MODEL_FIELD_H
#define HEDDLE_MODEL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/doc.h"
#include "codec/json.h"
#include "model/format.h"
#include "model/problem.h"

/* How lists lie in a struct. */
#define LIST(type)                                                                                 \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t len;                                                                                \
    }

/* An int-or-string, e.g. targetPort: 8080 or "http". */
struct int_or_str {
    bool is_int;
    int32_t number;
    struct str text;
};

struct str_pair {
    struct str key;
    struct str value;
};

enum field_type {
    FIELD_STR,        /* struct str */
    FIELD_INT,        /* int32_t */
    FIELD_INT64,      /* int64_t */
    FIELD_BOOL,       /* bool */
    FIELD_ENUM,       /* int, index into `names` */
    FIELD_TIME,       /* int64_t, seconds since 1970 from an RFC 3339 text */
    FIELD_DURATION,   /* int64_t, milliseconds, from a GEP-2257 text such as "1h30m" */
    FIELD_INT_OR_STR, /* struct int_or_str */
    FIELD_STRUCT,     /* embedded struct, `schema` */
    FIELD_PTR,        /* pointer to struct or NULL, `schema` */
    FIELD_LIST,       /* LIST(struct …), `schema` */
    FIELD_STR_LIST,   /* LIST(struct str) */
    FIELD_INT_LIST,   /* LIST(int32_t) */
    FIELD_STR_MAP,    /* LIST(struct str_pair), sorted by key; scalars become text */
    FIELD_LINE,       /* uint32_t: line of the mapping itself, filled by the reader; 0 unknown */
    FIELD_FAULT,      /* struct str: what is wrong inside, see field_read_stored() */
    FIELD_UNREAD      /* known to the API, not read */
};

struct field {
    const char *name; /* as in the API */
    enum field_type type;
    size_t offset;
    size_t has; /* offset of a bool that says whether it was given; 0: none kept */
    bool required;
    const struct schema *schema;
    /* FIELD_ENUM: NULL-terminated, index is the value. Of a text (or each text of a list): the
     * only ones allowed, no order meant. */
    const char *const *names;
    const struct format *format;       /* of a text, or of each text of a list, or of map keys */
    const struct format *value_format; /* of the values of a map */
    /* Of a map: which entries are read, the others being left alone; NULL: all. */
    bool (*reads)(struct str key, struct str value);
    int64_t min, max;     /* of a number; of the length of a list or map; 0, 0: no bound */
    const char *fallback; /* default as text, applied when the field is absent; NULL: zero. Of a
                           * FIELD_LIST (any text): one item that is all defaults, also when the
                           * list is empty */
    bool unique;          /* of a list: no two items (of a FIELD_LIST: their names) are equal */
    bool silent;          /* does not count for field_equal() */
    bool secret;          /* never written by field_dump() */
};

struct schema {
    const char *name;           /* "HTTPRouteRule" */
    size_t size;                /* of the struct */
    const struct field *fields; /* ends with name NULL */
    /* Rules between fields (unions, CEL); reports problems; NULL: none. path is that of obj. */
    void (*check)(const void *obj, const struct doc_node *node, struct problems *problems,
                  struct str path);
    /* Fills what follows from other fields, before the check; NULL: nothing does. Neither runs
     * for a mapping that has an error inside, so that one slip is not reported twice. Where a
     * FIELD_FAULT keeps the error, finish runs (again) and clears what cannot be trusted then. */
    void (*finish)(void *obj, struct arena *arena);
    /* Of what the API server has: fields, and values of texts, that are not in the table are of a
     * later version of the API, and mean nothing. For the whole tree below. */
    bool open;
    bool others; /* names that are not in the table are anybody's, and not read */
};

/* How tables are written:
 *   FIELD(STR, "kind", struct parent_ref, kind, .format = &format_kind, .fallback = "Gateway") */
#define FIELD(kind, json_name, owner, member, ...)                                                 \
    {                                                                                              \
        .name = json_name, .type = FIELD_##kind, .offset = offsetof(owner, member), ##__VA_ARGS__  \
    }
#define FIELD_HAS(owner, member) .has = offsetof(owner, member)
/* A mapping of the API whose fields lie flat in our struct. */
#define FIELD_FLAT(json_name, flat_schema, ...)                                                    \
    {                                                                                              \
        .name = json_name, .type = FIELD_STRUCT, .schema = (flat_schema), ##__VA_ARGS__            \
    }
#define FIELD_LINE_OF(owner)                                                                       \
    {                                                                                              \
        .name = "", .type = FIELD_LINE, .offset = offsetof(owner, line)                            \
    }
#define FIELD_FAULT_OF(owner)                                                                      \
    {                                                                                              \
        .name = "", .type = FIELD_FAULT, .offset = offsetof(owner, fault)                          \
    }
#define FIELD_KNOWN(json_name)                                                                     \
    {                                                                                              \
        .name = json_name, .type = FIELD_UNREAD                                                    \
    }
#define FIELD_END                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* Fills obj (schema->size bytes, zeroed) from node; texts are copied into arena. Problems are
 * appended; returns false when one of them is an error. */
bool field_read(const struct schema *schema, void *obj, const struct doc_node *node,
                struct arena *arena, struct problems *problems, struct str path);
/*
 * The same of what the API server took, whose rules are not all of heddle's: an error inside a
 * mapping that has a FIELD_FAULT is kept there in words ("rules[1].matches[0].path.value: …"), and
 * is none of what is around it. Open schemas are; what is silent is left out.
 */
bool field_read_stored(const struct schema *schema, void *obj, const struct doc_node *node,
                       struct arena *arena, struct problems *problems);
bool field_equal(const struct schema *schema, const void *a, const void *b);
/* At most how many bytes the texts take in an encoding, with what is around them. */
size_t field_weight(const struct schema *schema, const void *obj);
/* Writes {…} with the API's field names; absent fields (zero and no `has`, empty lists, NULL
 * pointers) are left out. Enums as names, times and durations as text. */
void field_dump(const struct schema *schema, const void *obj, struct json *json);
void field_dump_members(const struct schema *schema, const void *obj,
                        struct json *json); /* no {} */

/* For the walkers only: any LIST as one type, and a field's place in a struct. */
struct field_list {
    void *items;
    size_t len;
};
struct field_list field_list(const struct field *field, const void *obj);
static inline const void *field_at(const struct field *field, const void *obj)
{
    return (const char *)obj + field->offset;
}
static inline bool field_has(const struct field *field, const void *obj)
{
    return *(const bool *)((const char *)obj + field->has);
}

#endif
