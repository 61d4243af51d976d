/* SPDX-License-Identifier: Apache-2.0 */
/* paths: every path begins with '/'. */
#include "model/paths.h"

#include <string.h>

static bool is_plain(struct str expression)
{
    for (size_t i = 0; i < expression.len; i++) {
        if (strchr("\\.+*?()|[]{}^$", expression.ptr[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* Each set in one way only: "/api/.*" is PATHS_BYTES, "/" and what else takes all is "". */
static struct paths normal(struct paths paths)
{
    struct str all = STR(".*");
    if (paths.form == PATHS_EXPRESSION && str_ends_with(paths.text, all)) {
        struct str before = str_sub(paths.text, 0, paths.text.len - all.len);
        if (is_plain(before)) {
            paths = (struct paths){PATHS_BYTES, before};
        }
    }
    while (paths.form == PATHS_ELEMENTS && str_ends_with(paths.text, STR("/"))) {
        paths.text.len--;
    }
    if (paths.form == PATHS_BYTES && str_eq(paths.text, STR("/"))) {
        paths.text.len--;
    }
    return paths;
}

static bool below(struct str text, struct str path)
{
    return str_starts_with(path, text) && (path.len == text.len || path.ptr[text.len] == '/');
}

bool paths_cover(struct paths outer, struct paths inner)
{
    outer = normal(outer);
    inner = normal(inner);
    bool prefix = outer.form == PATHS_ELEMENTS || outer.form == PATHS_BYTES;
    if (prefix && outer.text.len == 0) {
        return true;
    }
    if (!prefix || inner.form == PATHS_EXPRESSION) {
        return outer.form == inner.form && str_eq(outer.text, inner.text);
    }
    if (outer.form == PATHS_BYTES) {
        return str_starts_with(inner.text, outer.text);
    }
    /* "/a" begins "/a" and "/ab", which are not both below it. */
    bool whole = inner.form != PATHS_BYTES || inner.text.len > outer.text.len;
    return whole && below(outer.text, inner.text);
}
