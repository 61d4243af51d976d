/* SPDX-License-Identifier: Apache-2.0 */
/* unmet: each condition of each match for itself. */
#include "model/unmet.h"

#include <ctype.h>
#include <string.h>

#include "model/route.h"

struct spot { /* one match */
    const struct doc_node *node;
    struct str path; /* "spec.rules[0].matches[1]" */
    struct problems *problems;
};

/* False where the match is a default, and asks for nothing. */
static bool find_spot(const struct doc_node *route, size_t rule, size_t match,
                      struct problems *problems, struct spot *ret_spot)
{
    const struct doc_node *rules = doc_get(doc_get(route, STR("spec")), STR("rules"));
    const struct doc_node *matches =
        rules != NULL && rule < rules->len ? doc_get(rules->items[rule], STR("matches")) : NULL;
    if (matches == NULL || match >= matches->len) {
        return false;
    }
    *ret_spot = (struct spot){
        .node = matches->items[match],
        .path = arena_printf(problems->arena, "spec.rules[%zu].matches[%zu]", rule, match),
        .problems = problems,
    };
    return true;
}

static void report(const struct spot *spot, enum problem_code code, const struct doc_node *at,
                   struct str path, struct str text, struct str remedy)
{
    problems_report(
        spot->problems, code, at->line, at->column,
        arena_printf(spot->problems->arena, "%.*s.%.*s", STR_FMT(spot->path), STR_FMT(path)),
        remedy, "%.*s", STR_FMT(text));
}

/* Of field `field` of an entry of the list. */
static void report_entry(const struct spot *spot, enum problem_code code, const char *list,
                         size_t index, const char *field, struct str text, struct str remedy)
{
    const struct doc_node *entry = doc_get(spot->node, str_from(list))->items[index];
    report(spot, code, doc_get(entry, str_from(field)),
           arena_printf(spot->problems->arena, "%s[%zu].%s", list, index, field), text, remedy);
}

/* --- headers -------------------------------------------------------------------------------- */

static size_t first_of_name(const struct header_match *items, struct str name)
{
    size_t i = 0;
    while (!str_eq_nocase(items[i].name, name)) {
        i++;
    }
    return i;
}

static void check_headers(const struct spot *spot, const struct header_match *items, size_t len)
{
    struct arena *arena = spot->problems->arena;
    for (size_t i = 0; i < len; i++) {
        size_t first = first_of_name(items, items[i].name);
        if (first != i) {
            report_entry(spot, PROBLEM_ignored_condition, "headers", i, "name",
                         arena_printf(arena,
                                      "'%.*s' is the header of headers[%zu], too: only the first "
                                      "condition on a header counts",
                                      STR_FMT(items[i].name), first),
                         STR("take one of them out, or make one expression of both"));
        }
    }
}

/* --- the path, the query, the method -------------------------------------------------------- */

/* What ends a query, or a part of it, or is no character of a URL. */
static const char *not_in_query(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '#' || c == '&') {
            return &text.ptr[i];
        }
    }
    return NULL;
}

static void check_query_text(const struct spot *spot, size_t index, const char *field,
                             struct str text)
{
    const char *bad = not_in_query(text);
    if (bad == NULL) {
        return;
    }
    unsigned char c = (unsigned char)*bad;
    struct arena *arena = spot->problems->arena;
    report_entry(spot, PROBLEM_unmet_condition, "queryParams", index, field,
                 c > ' ' && c < 0x7f
                     ? arena_printf(arena,
                                    "a query has '%c' only encoded, and is compared as it is "
                                    "sent: no request meets this",
                                    c)
                     : STR("a query has blanks and control characters only encoded, and is "
                           "compared as it is sent: no request meets this"),
                 arena_printf(arena, "write it as it is sent: '%%%02X' for this character", c));
}

static void check_query(const struct spot *spot, const struct header_match *items, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        check_query_text(spot, i, "name", items[i].name);
        if (items[i].type == HEADER_EXACT) {
            check_query_text(spot, i, "value", items[i].value);
        }
    }
}

/* It begins with a plain character other than '/', which must be there once or more. */
static bool begins_otherwise(struct str expression)
{
    if (expression.len == 0 || str_index(expression, '|') < expression.len) {
        return false;
    }
    char first = expression.ptr[0];
    char second = expression.len > 1 ? expression.ptr[1] : '\0';
    bool optional = second == '*' || second == '?' || second == '{';
    return (isalnum((unsigned char)first) || strchr("-_~%", first) != NULL) && !optional;
}

static void check_path(const struct spot *spot, const struct path_match *path)
{
    if (path->type == PATH_REGEX && begins_otherwise(path->value)) {
        const struct doc_node *at = doc_get(doc_get(spot->node, STR("path")), STR("value"));
        report(spot, PROBLEM_unmet_condition, at, STR("path.value"),
               STR("an expression must match the whole path, which begins with '/': no request "
                   "meets this"),
               STR("let it begin with '/', or with '.*'"));
    }
}

/* RFC 9110, 9.3.6: its target is a host and a port. */
static void check_method(const struct spot *spot, struct str method)
{
    if (str_eq(method, STR("CONNECT"))) {
        report(spot, PROBLEM_unmet_condition, doc_get(spot->node, STR("method")), STR("method"),
               STR("a CONNECT has no path, and no route takes it: no request meets this"),
               STR("take it out"));
    }
}

/* --- the two kinds -------------------------------------------------------------------------- */

void unmet_http(const struct object *object, const struct doc_node *node, struct problems *problems)
{
    const struct http_route *route = (const struct http_route *)object;
    struct spot spot;
    for (size_t i = 0; i < route->rules.len; i++) {
        const struct http_rule *rule = &route->rules.items[i];
        for (size_t j = 0; j < rule->matches.len && find_spot(node, i, j, problems, &spot); j++) {
            const struct http_match *match = &rule->matches.items[j];
            check_path(&spot, &match->path);
            check_method(&spot, match->method);
            check_headers(&spot, match->headers.items, match->headers.len);
            check_query(&spot, match->query.items, match->query.len);
        }
    }
}

void unmet_grpc(const struct object *object, const struct doc_node *node, struct problems *problems)
{
    const struct grpc_route *route = (const struct grpc_route *)object;
    struct spot spot;
    for (size_t i = 0; i < route->rules.len; i++) {
        const struct grpc_rule *rule = &route->rules.items[i];
        for (size_t j = 0; j < rule->matches.len && find_spot(node, i, j, problems, &spot); j++) {
            const struct grpc_match *match = &rule->matches.items[j];
            check_headers(&spot, match->headers.items, match->headers.len);
        }
    }
}
