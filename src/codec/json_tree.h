/* SPDX-License-Identifier: Apache-2.0 */
/* json_tree: the texts of jansson's values as struct str, for what is read or made as a tree. What
 * has to be fast or to know its lines is read by doc_json.h, and written by json.h. */
#ifndef HEDDLE_CODEC_JSON_TREE_H
#define HEDDLE_CODEC_JSON_TREE_H

#include <jansson.h>

#include "base/str.h"

/* Of the value itself; of an object's member. STR_NULL: it is no string, or not there. */
struct str json_tree_text(const json_t *value);
struct str json_tree_text_at(const json_t *object, const char *key);
/* A new string; "" for what is no UTF-8. */
json_t *json_tree_string(struct str text);

#endif
