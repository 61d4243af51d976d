/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object: what all Kubernetes objects share, and the registry of kinds heddle reads.
 *
 * An object is a row of an input table. Its key is "namespace/name" ("name" alone when the kind
 * has no namespace); routes of all kinds share a table, so their keys begin with the kind:
 * "HTTPRoute/default/echo".
 */
#ifndef HEDDLE_MODEL_OBJECT_H
#define HEDDLE_MODEL_OBJECT_H

#include "codec/doc.h"
#include "engine/engine.h"
#include "model/field.h"
#include "model/problem.h"

#define OBJECT_KEY_MAX 600 /* kind + '/' + namespace (63) + '/' + name (253), with room */

enum kind_id {
#define KIND(id, kind, group, versions, plural, namespaced) KIND_##id,
#include "model/kind.def"
#undef KIND
    KIND_COUNT
};

struct meta {
    struct str name;
    struct str ns;      /* "default" when a namespaced object has none; empty for cluster kinds */
    int64_t created;    /* seconds since 1970; 0 when not written */
    int64_t generation; /* 1 when not written */
    LIST(struct str_pair) labels;
    LIST(struct str_pair) annotations;
};

/* Where an object was read. Not part of equality: moving a file wakes nobody. */
struct origin {
    struct str file; /* relative to the config directory; empty for the API server */
    uint32_t line;   /* of its document */
};

struct object {
    struct row row;
    enum kind_id kind;
    struct meta meta;
    struct origin origin;
};

/* For the kinds' tables: the fields every object begins with, and of its metadata. */
extern const struct schema meta_schema;
#define OBJECT_FIELDS                                                                              \
    FIELD_KNOWN("apiVersion"), FIELD_KNOWN("kind"),                                                \
        FIELD(STRUCT, "metadata", struct object, meta, .schema = &meta_schema)

struct kind_info {
    enum kind_id id;
    const char *kind;     /* "HTTPRoute" */
    const char *group;    /* "gateway.networking.k8s.io", "" for core */
    const char *versions; /* space separated, preferred first: "v1 v1beta1" */
    const char *plural;   /* "httproutes" */
    bool namespaced;
    const struct schema *schema; /* of the whole object: apiVersion, kind, metadata, spec, … */
    const struct format *name_format; /* of metadata.name */
    bool route;                       /* one of the kinds that share a table */
    /* What is worth a warning in a valid object (rules that never match); NULL: nothing. */
    void (*review)(const struct object *object, const struct doc_node *node,
                   struct problems *problems);
    /* Which documents of the kind are read, the others being skipped in silence; NULL: all. */
    bool (*is_read)(const struct doc_node *node);
    bool secret; /* its memory is wiped when it is freed */
};
const struct kind_info *kind_info(enum kind_id id);
/* NULL when heddle does not read the kind. */
const struct kind_info *kind_find(struct str group, struct str kind);

/* Of any group, by its kind alone: for documents whose apiVersion is wrong. */
const struct kind_info *kind_find_any_group(struct str kind);

/* "HTTPRoute/default/echo" or "default/echo", as said above; into the arena. */
struct str object_key(struct arena *arena, const struct object *object);
struct str object_key_of(struct arena *arena, enum kind_id kind, struct str ns, struct str name);
/* For people: "HTTPRoute 'default/echo'". */
struct str object_name(struct arena *arena, const struct object *object);
/* The row_equal_fn of all object tables: kind, meta (without annotations that heddle does not
 * read) and body by field table; origin is left out. */
bool object_equal(const struct row *a, const struct row *b);
/* The object as JSON as kubectl would show it, fields heddle reads only. */
void object_dump(const struct object *object, struct json *json);

/* What object_read() made of a document. */
struct object_result {
    struct object *object; /* NULL unless the document is valid; one reference */
    bool skipped;          /* a kind heddle does not read, or not this one; `ident` is set */
    /* Identity as far as it could be made out, also of documents that are wrong: empty key when
     * unknown. In the arena of the problems. */
    struct str key;
    struct str ident;  /* "HTTPRoute 'default/echo'" or "ConfigMap 'default/x'" */
    enum kind_id kind; /* KIND_COUNT when unknown */
};

/* Reads one document (doc->root, or doc->mended for identification and further problems when it
 * did not parse). A `List` is unpacked by the caller with object_list_read(). */
void object_read(const struct doc *doc, struct str file, struct problems *problems,
                 struct object_result *ret_result);
/* Whether node is a List (or XxxList), and its items: a list, or null, which has none. Reports what
 * is wrong with the List itself; then *ret_items may be NULL. */
bool object_list_read(const struct doc_node *node, struct problems *problems,
                      const struct doc_node **ret_items);
/* Like object_read() for a bare node (an item of a List, or the API server's JSON). */
void object_read_node(const struct doc_node *node, struct str file, struct problems *problems,
                      struct object_result *ret_result);
/* Of a kind that is known, as the API server has it, which need not say apiVersion and kind:
 * field_read_stored(), and no warnings. NULL and an error when it cannot be read; one reference. */
struct object *object_read_stored(enum kind_id kind, const struct doc_node *node,
                                  struct problems *problems);

#endif
