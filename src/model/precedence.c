/* SPDX-License-Identifier: Apache-2.0 */
/* precedence: the order of matches that HTTPRouteRule.matches and GRPCRouteRule.matches demand. */
#include "model/precedence.h"

static int larger_first(size_t a, size_t b)
{
    return (a < b) - (a > b);
}

static int path_class(int type)
{
    static const int classes[] = {[PATH_EXACT] = 0, [PATH_REGEX] = 1, [PATH_PREFIX] = 2};
    return classes[type];
}

static size_t path_length(const struct path_match *path)
{
    bool slash = path->type == PATH_PREFIX && str_ends_with(path->value, STR("/"));
    return path->value.len - (slash ? 1 : 0);
}

/* Only the first entry of a name counts, so entries that repeat one do not make a match longer. */
static size_t distinct_headers(const struct header_match *items, size_t len)
{
    size_t distinct = 0;
    for (size_t i = 0; i < len; i++) {
        size_t j = 0;
        while (j < i && !str_eq_nocase(items[j].name, items[i].name)) {
            j++;
        }
        distinct += j == i ? 1 : 0;
    }
    return distinct;
}

int http_match_cmp(const struct http_match *a, const struct http_match *b)
{
    int order = path_class(a->path.type) - path_class(b->path.type);
    if (order == 0) {
        order = larger_first(path_length(&a->path), path_length(&b->path));
    }
    if (order == 0) {
        order = larger_first(a->method.len != 0, b->method.len != 0);
    }
    if (order == 0) {
        order = larger_first(distinct_headers(a->headers.items, a->headers.len),
                             distinct_headers(b->headers.items, b->headers.len));
    }
    return order != 0 ? order : larger_first(a->query.len, b->query.len);
}

/* 2: exact, 1: regular expression, 0: any */
static size_t part_class(const struct method_match *match, struct str part)
{
    if (part.len == 0) {
        return 0;
    }
    return match->type == METHOD_EXACT ? 2 : 1;
}

static int part_cmp(const struct method_match *a, struct str part_a, const struct method_match *b,
                    struct str part_b)
{
    int order = larger_first(part_class(a, part_a), part_class(b, part_b));
    return order != 0 ? order : larger_first(part_a.len, part_b.len);
}

int grpc_match_cmp(const struct grpc_match *a, const struct grpc_match *b)
{
    static const struct method_match any = {.type = METHOD_EXACT};
    const struct method_match *method_a = a->method != NULL ? a->method : &any;
    const struct method_match *method_b = b->method != NULL ? b->method : &any;
    int order = part_cmp(method_a, method_a->service, method_b, method_b->service);
    if (order == 0) {
        order = part_cmp(method_a, method_a->method, method_b, method_b->method);
    }
    if (order == 0) {
        order = larger_first(distinct_headers(a->headers.items, a->headers.len),
                             distinct_headers(b->headers.items, b->headers.len));
    }
    return order;
}

int route_age_cmp(const struct route *a, const struct route *b)
{
    const struct meta *meta_a = &a->object.meta, *meta_b = &b->object.meta;
    if (meta_a->created != meta_b->created) {
        return meta_a->created < meta_b->created ? -1 : 1;
    }
    int order = str_cmp(meta_a->ns, meta_b->ns);
    return order != 0 ? order : str_cmp(meta_a->name, meta_b->name);
}
