/* SPDX-License-Identifier: Apache-2.0 */
/* request: which requests a match takes. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "ir/request.h"

#include <pcre2.h>

#define REGEX_STEPS_MAX 1000000 /* backtracking of one match; RE2 would not backtrack at all */

/* Expressions were checked to be RE2's (model/regex.h); PCRE2 reads that subset the same way. */
static bool regex_matches(struct str regex, struct str text)
{
    int error;
    PCRE2_SIZE at;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)regex.ptr, regex.len,
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);
    if (code == NULL) {
        return false;
    }
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(limits, REGEX_STEPS_MAX);
    int count = pcre2_match(code, (PCRE2_SPTR)(text.ptr != NULL ? text.ptr : ""), text.len, 0, 0,
                            data, limits);
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return count >= 0;
}

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
        return regex_matches(match->path, path);
    }
    return false;
}

/* All values of a header, joined; false when it is absent. */
static bool header_value(const struct request *request, struct str name, struct arena *arena,
                         struct str *ret_value)
{
    bool found = false;
    for (size_t i = 0; i < request->nheaders; i++) {
        if (!str_eq_nocase(request->headers[i].name, name)) {
            continue;
        }
        struct str value = request->headers[i].value;
        *ret_value =
            found ? arena_printf(arena, "%.*s,%.*s", STR_FMT(*ret_value), STR_FMT(value)) : value;
        found = true;
    }
    return found;
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
    return match->regex ? regex_matches(match->value, value) : str_eq(match->value, value);
}

static struct str path_text(const struct ir_match *match, struct arena *arena)
{
    static const char *const words[] = {
        [IR_PATH_ANY] = "any path",         [IR_PATH_EXACT] = "path ",
        [IR_PATH_PREFIX] = "path below ",   [IR_PATH_RAW_PREFIX] = "path beginning with ",
        [IR_PATH_REGEX] = "path matching ",
    };
    return arena_printf(arena, "%s%.*s", words[match->path_type], STR_FMT(match->path));
}

static struct str values_why_not(const struct ir_match *match, const struct request *request,
                                 struct arena *arena)
{
    for (size_t i = 0; i < match->headers.len; i++) {
        const struct ir_value_match *header = &match->headers.items[i];
        struct str value = STR_NULL;
        if (!header_value(request, header->name, arena, &value)) {
            return arena_printf(arena, "no header '%.*s'", STR_FMT(header->name));
        }
        if (!value_matches(header, value)) {
            return arena_printf(arena, "header '%.*s' is '%.*s', not '%.*s'", STR_FMT(header->name),
                                STR_FMT(value), STR_FMT(header->value));
        }
    }
    for (size_t i = 0; i < match->query.len; i++) {
        const struct ir_value_match *param = &match->query.items[i];
        struct str value = STR_NULL;
        if (!query_value(request, param->name, &value)) {
            return arena_printf(arena, "no query parameter '%.*s'", STR_FMT(param->name));
        }
        if (!value_matches(param, value)) {
            return arena_printf(arena, "query parameter '%.*s' is '%.*s', not '%.*s'",
                                STR_FMT(param->name), STR_FMT(value), STR_FMT(param->value));
        }
    }
    return STR_NULL;
}

struct str ir_match_why_not(const struct ir_match *match, const struct request *request,
                            struct arena *arena)
{
    if (!path_matches(match, request->path)) {
        return arena_printf(arena, "'%.*s' is not a %.*s", STR_FMT(request->path),
                            STR_FMT(path_text(match, arena)));
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

struct str ir_match_text(const struct ir_match *match, struct arena *arena)
{
    struct str text = path_text(match, arena);
    if (match->method.len > 0) {
        text = arena_printf(arena, "%.*s, method %.*s", STR_FMT(text), STR_FMT(match->method));
    }
    for (size_t i = 0; i < match->headers.len; i++) {
        const struct ir_value_match *header = &match->headers.items[i];
        text = arena_printf(arena, "%.*s, header %.*s%s%.*s", STR_FMT(text), STR_FMT(header->name),
                            header->regex ? "~" : "=", STR_FMT(header->value));
    }
    for (size_t i = 0; i < match->query.len; i++) {
        const struct ir_value_match *param = &match->query.items[i];
        text = arena_printf(arena, "%.*s, query %.*s%s%.*s", STR_FMT(text), STR_FMT(param->name),
                            param->regex ? "~" : "=", STR_FMT(param->value));
    }
    return text;
}
