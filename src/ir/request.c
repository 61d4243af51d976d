/* SPDX-License-Identifier: Apache-2.0 */
/* request: which requests a match takes. */
#include "ir/request.h"

#include "ir/expression.h"

#define SHOWN_MAX 80 /* bytes of what was sent that an explanation repeats */

static bool below(struct str path, struct str prefix)
{
    return str_starts_with(path, prefix) && (path.len == prefix.len || path.ptr[prefix.len] == '/');
}

static bool path_matches(const struct ir_match *match, struct str path)
{
    switch ((enum ir_path_match)match->path_type) {
    case IR_PATH_ANY:
        return true;
    case IR_PATH_EXACT:
        return str_eq(path, match->path);
    case IR_PATH_PREFIX:
        return below(path, match->path);
    case IR_PATH_RAW_PREFIX:
        return str_starts_with(path, match->path);
    case IR_PATH_REGEX:
        return expression_matches(match->path, path);
    }
    return false;
}

/* How often a header is there; its values as a list. */
static size_t header_value(const struct request *request, struct str name, struct arena *arena,
                           struct str *ret_value)
{
    size_t count = 0;
    for (size_t i = 0; i < request->nheaders; i++) {
        if (!str_eq_nocase(request->headers[i].name, name)) {
            continue;
        }
        struct str value = request->headers[i].value;
        *ret_value = count > 0
                         ? arena_printf(arena, "%.*s,%.*s", STR_FMT(*ret_value), STR_FMT(value))
                         : value;
        count++;
    }
    return count;
}

static bool query_value(const struct request *request, struct str name, struct str *ret_value)
{
    struct str rest = request->query;
    while (rest.len > 0) {
        struct str value = str_cut(&rest, '&');
        struct str key = str_cut(&value, '=');
        if (str_eq(key, name)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool value_matches(const struct ir_value_match *match, struct str value)
{
    return match->regex ? expression_matches(match->value, value) : str_eq(match->value, value);
}

static bool one_header_matches(const struct ir_value_match *match, const struct request *request)
{
    for (size_t i = 0; i < request->nheaders; i++) {
        if (str_eq_nocase(request->headers[i].name, match->name) &&
            value_matches(match, request->headers[i].value)) {
            return true;
        }
    }
    return false;
}

/* --- in words ------------------------------------------------------------------------------ */

/* Of a long text the beginning. */
static struct str shown(struct str text, struct arena *arena)
{
    size_t len = SHOWN_MAX;
    if (text.len <= SHOWN_MAX) {
        return text;
    }
    while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
        len--; /* not within a character of UTF-8 */
    }
    return arena_printf(arena, "%.*s…", STR_FMT(str_sub(text, 0, len)));
}

static struct str path_why_not(const struct ir_match *match, struct str path, struct arena *arena)
{
    static const char *const relations[] = {
        [IR_PATH_ANY] = "",
        [IR_PATH_EXACT] = "is not",
        [IR_PATH_PREFIX] = "is not below",
        [IR_PATH_RAW_PREFIX] = "does not begin with",
        [IR_PATH_REGEX] = "does not match",
    };
    return arena_printf(arena, "path '%.*s' %s '%.*s'", STR_FMT(shown(path, arena)),
                        relations[match->path_type], STR_FMT(match->path));
}

/* what: "header" or "query parameter" */
static struct str value_why_not(const char *what, const struct ir_value_match *match,
                                struct str value, struct arena *arena)
{
    return arena_printf(arena, "%s '%.*s' is '%.*s', %s '%.*s'", what, STR_FMT(match->name),
                        STR_FMT(shown(value, arena)), match->regex ? "which does not match" : "not",
                        STR_FMT(match->value));
}

static struct str header_why_not(const struct ir_value_match *match, const struct request *request,
                                 struct arena *arena)
{
    struct str value = STR_NULL;
    size_t count = header_value(request, match->name, arena, &value);
    if (count == 0) {
        return arena_printf(arena, "there is no header '%.*s'", STR_FMT(match->name));
    }
    if (request->joins ? value_matches(match, value) : one_header_matches(match, request)) {
        return STR_NULL;
    }
    if (count == 1 || request->joins) {
        return value_why_not("header", match, value, arena);
    }
    return arena_printf(arena, "no value of header '%.*s' ('%.*s') %s '%.*s'", STR_FMT(match->name),
                        STR_FMT(shown(value, arena)), match->regex ? "matches" : "is",
                        STR_FMT(match->value));
}

static struct str values_why_not(const struct ir_match *match, const struct request *request,
                                 struct arena *arena)
{
    for (size_t i = 0; i < match->headers.len; i++) {
        struct str why = header_why_not(&match->headers.items[i], request, arena);
        if (why.len > 0) {
            return why;
        }
    }
    for (size_t i = 0; i < match->query.len; i++) {
        const struct ir_value_match *param = &match->query.items[i];
        struct str value = STR_NULL;
        if (!query_value(request, param->name, &value)) {
            return arena_printf(arena, "there is no query parameter '%.*s'", STR_FMT(param->name));
        }
        if (!value_matches(param, value)) {
            return value_why_not("query parameter", param, value, arena);
        }
    }
    return STR_NULL;
}

struct str ir_match_why_not(const struct ir_match *match, const struct request *request,
                            struct arena *arena)
{
    if (!path_matches(match, request->path)) {
        return path_why_not(match, request->path, arena);
    }
    if (match->method.len > 0 && !str_eq(match->method, request->method)) {
        return arena_printf(arena, "the method is %.*s, not %.*s", STR_FMT(request->method),
                            STR_FMT(match->method));
    }
    return values_why_not(match, request, arena);
}

bool ir_match_request(const struct ir_match *match, const struct request *request)
{
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    bool matches = ir_match_why_not(match, request, &scratch).len == 0;
    arena_release(&scratch);
    return matches;
}

static struct str add_values(struct str text, const char *what, const struct ir_value_match *items,
                             size_t len, struct arena *arena)
{
    for (size_t i = 0; i < len; i++) {
        text =
            arena_printf(arena, "%.*s, %s %.*s%s%.*s", STR_FMT(text), what, STR_FMT(items[i].name),
                         items[i].regex ? "~" : "=", STR_FMT(items[i].value));
    }
    return text;
}

struct str ir_match_text(const struct ir_match *match, struct arena *arena)
{
    static const char *const words[] = {
        [IR_PATH_ANY] = "any path",         [IR_PATH_EXACT] = "path ",
        [IR_PATH_PREFIX] = "path below ",   [IR_PATH_RAW_PREFIX] = "path beginning with ",
        [IR_PATH_REGEX] = "path matching ",
    };
    struct str text = arena_printf(arena, "%s%.*s", words[match->path_type], STR_FMT(match->path));
    if (match->method.len > 0) {
        text = arena_printf(arena, "%.*s, method %.*s", STR_FMT(text), STR_FMT(match->method));
    }
    text = add_values(text, "header", match->headers.items, match->headers.len, arena);
    return add_values(text, "query", match->query.items, match->query.len, arena);
}
