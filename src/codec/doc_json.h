/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc_json: JSON that a program wrote (the API server's) as a tree of doc nodes. Unlike
 * doc_parse() there are no lines, and nothing is guessed: for speed.
 */
#ifndef HEDDLE_CODEC_DOC_JSON_H
#define HEDDLE_CODEC_DOC_JSON_H

#include "base/err.h"
#include "codec/doc.h"

/* One JSON value. The tree and its texts are in the arena. False: it is no JSON, nested deeper than
 * DOC_DEPTH_MAX, or of more than nodes_max nodes. Of a key that stands twice the last counts. */
bool doc_json_parse(struct arena *arena, struct str text, size_t nodes_max,
                    struct doc_node **ret_root, struct err *err);
/* The node as JSON again is doc_to_json() (codec/doc.h). */

#endif
