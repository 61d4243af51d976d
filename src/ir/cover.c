/* SPDX-License-Identifier: Apache-2.0 */
/* cover: every condition of the outer match is one of the inner match, too. */
#include "ir/cover.h"

#include "model/paths.h"

static struct paths paths_of(const struct ir_match *match)
{
    static const int forms[] = {
        [IR_PATH_ANY] = PATHS_ELEMENTS,     [IR_PATH_EXACT] = PATHS_ONE,
        [IR_PATH_PREFIX] = PATHS_ELEMENTS,  [IR_PATH_RAW_PREFIX] = PATHS_BYTES,
        [IR_PATH_REGEX] = PATHS_EXPRESSION,
    };
    return (struct paths){forms[match->path_type], match->path};
}

static bool has(const struct ir_value_match *items, size_t len, const struct ir_value_match *wanted)
{
    for (size_t i = 0; i < len; i++) {
        if (str_eq(items[i].name, wanted->name)) { /* no name stands twice */
            return items[i].regex == wanted->regex && str_eq(items[i].value, wanted->value);
        }
    }
    return false;
}

bool ir_match_covers(const struct ir_match *outer, const struct ir_match *inner)
{
    if (!paths_cover(paths_of(outer), paths_of(inner)) ||
        (outer->method.len > 0 && !str_eq(outer->method, inner->method))) {
        return false;
    }
    for (size_t i = 0; i < outer->headers.len; i++) {
        if (!has(inner->headers.items, inner->headers.len, &outer->headers.items[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < outer->query.len; i++) {
        if (!has(inner->query.items, inner->query.len, &outer->query.items[i])) {
            return false;
        }
    }
    return true;
}
