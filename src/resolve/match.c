/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match: Gateway API matches -> IR.
 *
 * "If multiple entries specify equivalent header names, only the first entry with an equivalent
 * name MUST be considered for a match" (HTTPHeaderMatch.name; query parameters likewise, but their
 * names are compared exactly). PathPrefix is by elements and a trailing '/' in it does not count.
 */
#include "resolve/match.h"

static bool named_before(const struct header_match *items, size_t index, bool nocase)
{
    for (size_t i = 0; i < index; i++) {
        if (nocase ? str_eq_nocase(items[i].name, items[index].name)
                   : str_eq(items[i].name, items[index].name)) {
            return true;
        }
    }
    return false;
}

static size_t copy_values(struct arena *arena, const struct header_match *items, size_t len,
                          bool nocase, struct ir_value_match **ret_items)
{
    struct ir_value_match *copies = ARENA_ARRAY(arena, len, struct ir_value_match);
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        if (!named_before(items, i, nocase)) {
            copies[kept].name =
                nocase ? arena_lower(arena, items[i].name) : arena_str(arena, items[i].name);
            copies[kept].value = arena_str(arena, items[i].value);
            copies[kept].regex = items[i].type == HEADER_REGEX;
            kept++;
        }
    }
    *ret_items = copies;
    return kept;
}

static void copy_path(struct arena *arena, const struct path_match *path,
                      struct ir_match *ret_match)
{
    struct str value = path->value;
    if (path->type == PATH_PREFIX) {
        while (value.len > 0 && value.ptr[value.len - 1] == '/') {
            value.len--;
        }
        if (value.len == 0) {
            ret_match->path_type = IR_PATH_ANY;
            return;
        }
        ret_match->path_type = IR_PATH_PREFIX;
    } else {
        ret_match->path_type = path->type == PATH_EXACT ? IR_PATH_EXACT : IR_PATH_REGEX;
    }
    ret_match->path = arena_str(arena, value);
}

void match_from_http(struct arena *arena, const struct http_match *match,
                     struct ir_match *ret_match)
{
    if (match == NULL) {
        return;
    }
    copy_path(arena, &match->path, ret_match);
    ret_match->method = arena_str(arena, match->method);
    ret_match->headers.len = copy_values(arena, match->headers.items, match->headers.len, true,
                                         &ret_match->headers.items);
    ret_match->query.len =
        copy_values(arena, match->query.items, match->query.len, false, &ret_match->query.items);
}

/* Method names are identifiers, so '.' in a service name is the only character to quote. */
static struct str quote_regex(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, text.len * 2 + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.') {
            out[len++] = '\\';
        }
        out[len++] = text.ptr[i];
    }
    return str_span(out, len);
}

/* A gRPC request's path is "/service/method" (gRPC over HTTP/2, "Path"). */
static void copy_method(struct arena *arena, const struct method_match *method,
                        struct ir_match *ret_match)
{
    struct str service = method->service;
    struct str name = method->method;
    if (service.len == 0 && name.len == 0) {
        ret_match->path_type = IR_PATH_ANY;
    } else if (method->type == METHOD_REGEX) {
        struct str any = STR("[^/]+");
        ret_match->path_type = IR_PATH_REGEX;
        ret_match->path =
            arena_printf(arena, "/(?:%.*s)/(?:%.*s)", STR_FMT(service.len > 0 ? service : any),
                         STR_FMT(name.len > 0 ? name : any));
    } else if (service.len == 0) {
        ret_match->path_type = IR_PATH_REGEX;
        ret_match->path = arena_printf(arena, "/[^/]+/%.*s", STR_FMT(quote_regex(arena, name)));
    } else if (name.len == 0) {
        ret_match->path_type = IR_PATH_RAW_PREFIX;
        ret_match->path = arena_printf(arena, "/%.*s/", STR_FMT(service));
    } else {
        ret_match->path_type = IR_PATH_EXACT;
        ret_match->path = arena_printf(arena, "/%.*s/%.*s", STR_FMT(service), STR_FMT(name));
    }
}

void match_from_grpc(struct arena *arena, const struct grpc_match *match,
                     struct ir_match *ret_match)
{
    if (match == NULL) {
        return;
    }
    if (match->method != NULL) {
        copy_method(arena, match->method, ret_match);
    }
    ret_match->headers.len = copy_values(arena, match->headers.items, match->headers.len, true,
                                         &ret_match->headers.items);
}
