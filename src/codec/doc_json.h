/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc_json: JSON that a program wrote (the API server's) as a tree of doc nodes. Unlike
 * doc_parse() there are no lines, and nothing is guessed: for speed.
 *
 * doc_json_parse() makes the tree of one value; a walk steps over the members of a large one, whose
 * texts can then be parsed one by one.
 */
#ifndef HEDDLE_CODEC_DOC_JSON_H
#define HEDDLE_CODEC_DOC_JSON_H

#include "base/err.h"
#include "codec/doc.h"

/* One JSON value (RFC 8259). The tree and its texts are in the arena. False: it is no JSON, nested
 * deeper than DOC_DEPTH_MAX, or of more than nodes_max nodes. Of a key that stands twice the last
 * counts. Half a surrogate pair becomes U+FFFD. */
bool doc_json_parse(struct arena *arena, struct str text, size_t nodes_max,
                    struct doc_node **ret_root, struct err *err);
/* The node as JSON again is doc_to_json() (codec/doc.h). */

/*
 * for (bool more = doc_json_walk(text, &walk); more; more = doc_json_step(&walk)) {
 *     walk.key, walk.value …
 * }
 * if (!doc_json_walked(&walk)) { it was no JSON object or array }
 *
 * The shape is checked only as far as is needed to find the ends: what a value is, its parse says.
 */
struct doc_json_walk {
    struct str key;   /* of an object's member, escapes as they are; empty in an array */
    struct str value; /* the text of the value, without white space around it */
    struct str rest;
    char close; /* '}' or ']'; 0: at the end */
    bool bad;
};
/* At the first member; false: there is none. */
bool doc_json_walk(struct str text, struct doc_json_walk *ret_walk);
bool doc_json_step(struct doc_json_walk *walk);
bool doc_json_walked(const struct doc_json_walk *walk);

#endif
