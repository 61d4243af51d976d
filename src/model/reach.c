/* SPDX-License-Identifier: Apache-2.0 */
/* reach: comparing every match of a route with those that are tried before it. */
#include "model/reach.h"

#include <inttypes.h>
#include <string.h>

#include "model/paths.h"
#include "model/precedence.h"

/* One match of the route, of either kind, with what the messages need. */
struct candidate {
    const void *match;
    size_t rule;
    size_t nth;
};

/* What differs between the two kinds. */
struct route_view {
    struct candidate *candidates; /* in rule and match order */
    size_t len;
    int (*compare)(const void *a, const void *b);
    bool (*covers)(const void *outer, const void *inner);
    bool (*splits_by_weight)(const struct object *object, size_t first, size_t second);
    const struct object *object;
    const struct doc_node *node;
};

/* --- what takes more ----------------------------------------------------------------------- */

static bool same_name(struct str a, struct str b, bool nocase)
{
    return nocase ? str_eq_nocase(a, b) : str_eq(a, b);
}

/* The entry that counts: of several of one name it is the first (resolve/match.c). */
static const struct header_match *find_condition(const struct header_match *items, size_t len,
                                                 struct str name, bool nocase)
{
    size_t i = 0;
    while (i < len && !same_name(items[i].name, name, nocase)) {
        i++;
    }
    return i < len ? &items[i] : NULL;
}

/* Every condition of outer is one of inner: outer takes more. */
static bool conditions_cover(const struct header_match *outer, size_t nouter,
                             const struct header_match *inner, size_t ninner, bool nocase)
{
    for (size_t i = 0; i < nouter; i++) {
        const struct header_match *counts = find_condition(outer, nouter, outer[i].name, nocase);
        const struct header_match *found = find_condition(inner, ninner, outer[i].name, nocase);
        if (found == NULL || found->type != counts->type || !str_eq(found->value, counts->value)) {
            return false;
        }
    }
    return true;
}

static struct paths paths_of(const struct path_match *path)
{
    static const int forms[] = {
        [PATH_EXACT] = PATHS_ONE, [PATH_PREFIX] = PATHS_ELEMENTS, [PATH_REGEX] = PATHS_EXPRESSION};
    return (struct paths){forms[path->type], path->value};
}

static bool http_covers(const void *outer_match, const void *inner_match)
{
    const struct http_match *outer = outer_match, *inner = inner_match;
    return paths_cover(paths_of(&outer->path), paths_of(&inner->path)) &&
           (outer->method.len == 0 || str_eq(outer->method, inner->method)) &&
           conditions_cover(outer->headers.items, outer->headers.len, inner->headers.items,
                            inner->headers.len, true) &&
           conditions_cover(outer->query.items, outer->query.len, inner->query.items,
                            inner->query.len, false);
}

static bool method_covers(const struct method_match *outer, const struct method_match *inner)
{
    if (outer == NULL) {
        return true;
    }
    if (outer->service.len != 0 &&
        (inner == NULL || outer->type != inner->type || !str_eq(outer->service, inner->service))) {
        return false;
    }
    return outer->method.len == 0 ||
           (inner != NULL && outer->type == inner->type && str_eq(outer->method, inner->method));
}

static bool grpc_covers(const void *outer_match, const void *inner_match)
{
    const struct grpc_match *outer = outer_match, *inner = inner_match;
    return method_covers(outer->method, inner->method) &&
           conditions_cover(outer->headers.items, outer->headers.len, inner->headers.items,
                            inner->headers.len, true);
}

/* --- what is found ------------------------------------------------------------------------- */

/* The candidate of another rule that takes all requests of `inner` before it, or NULL. */
static const struct candidate *find_cover(const struct route_view *view,
                                          const struct candidate *inner)
{
    for (size_t i = 0; i < view->len; i++) {
        const struct candidate *outer = &view->candidates[i];
        int order = view->compare(outer->match, inner->match);
        bool first = order < 0 || (order == 0 && outer < inner);
        if (first && outer->rule != inner->rule && view->covers(outer->match, inner->match)) {
            return outer;
        }
    }
    return NULL;
}

static const struct doc_node *rule_node(const struct route_view *view, size_t rule)
{
    const struct doc_node *rules = doc_get(doc_get(view->node, STR("spec")), STR("rules"));
    return rules->items[rule]; /* of two rules, none is a default */
}

/* Where a match stands, or its rule when the match is a default. */
static const struct doc_node *match_node(const struct route_view *view,
                                         const struct candidate *candidate)
{
    const struct doc_node *rule = rule_node(view, candidate->rule);
    const struct doc_node *matches = doc_get(rule, STR("matches"));
    bool written = matches != NULL && candidate->nth < matches->len;
    return written ? matches->items[candidate->nth] : rule;
}

static void report_rule(const struct route_view *view, size_t rule, const struct candidate *cover,
                        struct problems *problems)
{
    struct arena *arena = problems->arena;
    const struct doc_node *at = rule_node(view, rule);
    struct str remedy =
        view->splits_by_weight(view->object, cover->rule, rule)
            ? arena_printf(arena,
                           "to split requests by weight, put the backendRefs of both rules into "
                           "rule %zu",
                           cover->rule + 1)
            : STR("make one of them narrower, or remove the rule");
    problems_report(problems, PROBLEM_unreachable_rule, at->line, at->column,
                    arena_printf(arena, "spec.rules[%zu]", rule), remedy,
                    "rule %zu is never reached: rule %zu on line %" PRIu32
                    " takes all its requests",
                    rule + 1, cover->rule + 1, rule_node(view, cover->rule)->line);
}

static void report_match(const struct route_view *view, const struct candidate *inner,
                         const struct candidate *cover, struct problems *problems)
{
    struct arena *arena = problems->arena;
    const struct doc_node *at = match_node(view, inner);
    problems_report(problems, PROBLEM_unreachable_rule, at->line, at->column,
                    arena_printf(arena, "spec.rules[%zu].matches[%zu]", inner->rule, inner->nth),
                    STR("make one of them narrower, or remove the match"),
                    "match %zu of rule %zu is never reached: rule %zu on line %" PRIu32
                    " takes all its requests",
                    inner->nth + 1, inner->rule + 1, cover->rule + 1,
                    match_node(view, cover)->line);
}

/* Looks at the matches of one rule, which begin at candidates[first]. */
static void review_rule(const struct route_view *view, size_t first, size_t len,
                        struct problems *problems)
{
    const struct candidate **covers = ARENA_ARRAY(problems->arena, len, const struct candidate *);
    size_t covered = 0;
    for (size_t i = 0; i < len; i++) {
        covers[i] = find_cover(view, &view->candidates[first + i]);
        covered += covers[i] != NULL ? 1 : 0;
    }
    if (covered == len) {
        report_rule(view, view->candidates[first].rule, covers[0], problems);
        return;
    }
    for (size_t i = 0; i < len && covered > 0; i++) {
        if (covers[i] != NULL) {
            report_match(view, &view->candidates[first + i], covers[i], problems);
        }
    }
}

static void review(const struct route_view *view, struct problems *problems)
{
    for (size_t first = 0; first < view->len;) {
        size_t len = 1;
        while (first + len < view->len &&
               view->candidates[first + len].rule == view->candidates[first].rule) {
            len++;
        }
        review_rule(view, first, len, problems);
        first += len;
    }
}

/* --- the two kinds ------------------------------------------------------------------------- */

static int compare_http(const void *a, const void *b)
{
    return http_match_cmp(a, b);
}

/* Two rules that differ in nothing but their backends were meant as one. */
static bool http_splits(const struct object *object, size_t first, size_t second)
{
    const struct http_rule *rules = ((const struct http_route *)object)->rules.items;
    return rules[first].backends.len > 0 && rules[second].backends.len > 0 &&
           rules[second].filters.len == 0;
}

void reach_http(const struct object *object, const struct doc_node *node, struct problems *problems)
{
    const struct http_route *route = (const struct http_route *)object;
    struct route_view view = {.compare = compare_http,
                              .covers = http_covers,
                              .splits_by_weight = http_splits,
                              .object = object,
                              .node = node};
    size_t len = 0;
    for (size_t i = 0; i < route->rules.len; i++) {
        len += route->rules.items[i].matches.len;
    }
    view.candidates = ARENA_ARRAY(problems->arena, len, struct candidate);
    for (size_t i = 0; i < route->rules.len; i++) {
        for (size_t j = 0; j < route->rules.items[i].matches.len; j++) {
            const struct http_match *match = &route->rules.items[i].matches.items[j];
            view.candidates[view.len++] = (struct candidate){match, i, j};
        }
    }
    review(&view, problems);
}

static int compare_grpc(const void *a, const void *b)
{
    return grpc_match_cmp(a, b);
}

static bool grpc_splits(const struct object *object, size_t first, size_t second)
{
    const struct grpc_rule *rules = ((const struct grpc_route *)object)->rules.items;
    return rules[first].backends.len > 0 && rules[second].backends.len > 0 &&
           rules[second].filters.len == 0;
}

void reach_grpc(const struct object *object, const struct doc_node *node, struct problems *problems)
{
    static const struct grpc_match any = {.line = 0}; /* of a rule without matches */
    const struct grpc_route *route = (const struct grpc_route *)object;
    struct route_view view = {.compare = compare_grpc,
                              .covers = grpc_covers,
                              .splits_by_weight = grpc_splits,
                              .object = object,
                              .node = node};
    size_t len = route->rules.len; /* at most one `any` each */
    for (size_t i = 0; i < route->rules.len; i++) {
        len += route->rules.items[i].matches.len;
    }
    view.candidates = ARENA_ARRAY(problems->arena, len, struct candidate);
    for (size_t i = 0; i < route->rules.len; i++) {
        const struct grpc_rule *rule = &route->rules.items[i];
        for (size_t j = 0; j < rule->matches.len; j++) {
            const struct grpc_match *match = &rule->matches.items[j];
            view.candidates[view.len++] = (struct candidate){match, i, j};
        }
        if (rule->matches.len == 0) {
            view.candidates[view.len++] = (struct candidate){&any, i, 0};
        }
    }
    review(&view, problems);
}
