/* SPDX-License-Identifier: Apache-2.0 */
/* json_tree: see json_tree.h. */
#include "codec/json_tree.h"

struct str json_tree_text(const json_t *value)
{
    return json_is_string(value) ? str_span(json_string_value(value), json_string_length(value))
                                 : STR_NULL;
}

struct str json_tree_text_at(const json_t *object, const char *key)
{
    return json_tree_text(json_object_get(object, key));
}

json_t *json_tree_string(struct str text)
{
    json_t *value = json_stringn(text.ptr != NULL ? text.ptr : "", text.len);
    return value != NULL ? value : json_string("");
}
