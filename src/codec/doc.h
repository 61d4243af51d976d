/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc: a parsed document as a tree of nodes that remember where they stood.
 *
 *   mapping ──► {key, node} ──► sequence ──► node …        all in one arena
 *
 * The one form in which outside objects reach the model: YAML and JSON files come through
 * doc_parse() (codec/yaml.c; JSON is read as the YAML it is), the API server's JSON will come
 * from jansson. Lines and columns count from 1; 0 means unknown.
 *
 * Scalars follow what kubectl does: plain true/false/yes/no/on/off (any of the three usual
 * spellings) are booleans, plain null/~/empty is null, plain decimal integers and floats are
 * numbers, everything else and all that is quoted is a string.
 */
#ifndef HEDDLE_CODEC_DOC_H
#define HEDDLE_CODEC_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define DOC_DEPTH_MAX 64         /* nesting of mappings and sequences */
#define DOC_NODES_MAX 200000     /* nodes of one document, aliases counted as often as used */
#define DOC_BYTES_MAX (8u << 20) /* one file */
#define DOC_PER_FILE_MAX 10000   /* documents in one file */
/* Of all documents of a file: many small ones with aliases must not make a large one. */
#define DOC_FILE_NODES_MAX 2000000
#define DOC_FILE_TEXT_MAX (4 * (size_t)DOC_BYTES_MAX) /* bytes of keys and scalars */

enum doc_type { DOC_NULL, DOC_BOOL, DOC_INT, DOC_FLOAT, DOC_STRING, DOC_SEQUENCE, DOC_MAPPING };

struct doc_entry;

struct doc_node {
    enum doc_type type;
    bool boolean;  /* DOC_BOOL */
    uint32_t line; /* of the first byte */
    uint32_t column;
    uint32_t len;              /* children of a sequence or mapping */
    int64_t integer;           /* DOC_INT */
    double real;               /* DOC_FLOAT */
    struct str text;           /* every scalar, as written (quotes and escapes resolved) */
    struct doc_entry *entries; /* DOC_MAPPING, in the order written; keys are unique */
    struct doc_node **items;   /* DOC_SEQUENCE */
};

struct doc_entry {
    struct str key;
    uint32_t line; /* of the key */
    uint32_t column;
    struct doc_node *value;
};

/* Why a document could not be read, and what was probably meant. */
struct doc_error {
    uint32_t line;
    uint32_t column;
    struct str text; /* lower case, no full stop; in the arena of the document */
    struct str hint; /* the probable remedy, may be empty */
};

/* One document of a file. Exactly one of root and error.text is set. A document that failed only
 * because of a slip that has an obvious mend (a missing space after a colon) has `mended` set to
 * the tree it would have been, for identification and further checks only: never for use. */
struct doc {
    struct doc_node *root;
    struct doc_node *mended;
    struct doc_error error;
    uint32_t line; /* where the document begins in the file */
};

/*
 * Splits a file at its `---` lines and parses each document on its own, so that a slip in one
 * does not take its neighbours along. Documents that are empty or only comments are left out.
 * Duplicate keys are an error of their document. Never fails as a whole: a file that is too
 * large or not UTF-8 yields one document with an error.
 * Everything lives in the arena; text is not referenced afterwards.
 */
void doc_parse(struct arena *arena, struct str text, struct doc **ret_docs, size_t *ret_len);

/* Takes the bytes of one document off the front of *rest, its separator and comments included: all
 * of them together are the whole text. *rest is empty with ptr NULL after the last. */
struct str doc_cut(struct str *rest);

/* NULL when node is not a mapping or has no such key. */
const struct doc_node *doc_get(const struct doc_node *node, struct str key);
/* The string that stands under the key; empty where none does. */
struct str doc_text(const struct doc_node *node, struct str key);
const struct doc_entry *doc_find(const struct doc_node *node, struct str key);
const char *doc_type_name(enum doc_type type); /* "a string", "a mapping", … for messages */
/* Canonical compact JSON: mapping keys in the order written. */
void doc_to_json(const struct doc_node *node, struct buf *out);

#endif
