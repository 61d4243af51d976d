/* SPDX-License-Identifier: Apache-2.0 */
/* http_route: which fields does an HTTPRoute have, and what must hold between them? */
#include <inttypes.h>

#include "model/route_schema.h"

/* --- matches ------------------------------------------------------------------------------- */

static const char *const path_names[] = {
    [PATH_EXACT] = "Exact", [PATH_PREFIX] = "PathPrefix", [PATH_REGEX] = "RegularExpression", NULL};
static const char *const method_names[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                           "CONNECT", "OPTIONS", "TRACE", "PATCH", NULL};

static void report_path(const struct doc_node *node, struct problems *problems, struct str path,
                        struct str value, const char *remedy, const char *what)
{
    const struct doc_node *at = doc_get(node, STR("value"));
    problems_report(problems, PROBLEM_bad_format, at->line, at->column,
                    arena_printf(problems->arena, "%.*s.value", STR_FMT(path)), str_from(remedy),
                    "path '%.*s' %s", STR_FMT(problem_quote(problems->arena, value)), what);
}

static void check_path(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    static const char *const forbidden[] = {"//", "/./", "/../", "%2f", "%2F", "#"};
    const struct path_match *match = obj;
    struct str value = match->value;
    if (match->type == PATH_REGEX) {
        route_check_regex(node, "value", value, problems, path);
        return;
    }
    if (!str_starts_with(value, STR("/"))) {
        report_path(node, problems, path, value, "put '/' in front", "does not begin with '/'");
        return;
    }
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        if (str_contains(value, str_from(forbidden[i]))) {
            report_path(node, problems, path, value, "write the path in its plain form",
                        arena_printf(problems->arena, "contains '%s'", forbidden[i]).ptr);
            return;
        }
    }
    if (str_ends_with(value, STR("/.")) || str_ends_with(value, STR("/.."))) {
        report_path(node, problems, path, value, "write the path in its plain form",
                    "ends with '.' or '..'");
    } else if (!format_is_path(value)) {
        report_path(node, problems, path, value, "escape other characters as '%XX'",
                    "has characters that a URL path cannot have");
    }
}

static const struct field path_fields[] = {
    FIELD(ENUM, "type", struct path_match, type, .names = path_names, .fallback = "PathPrefix"),
    FIELD(STR, "value", struct path_match, value, .format = &format_text, .fallback = "/"),
    FIELD_END,
};
static const struct schema path_schema = {.name = "a path match",
                                          .size = sizeof(struct path_match),
                                          .fields = path_fields,
                                          .check = check_path};

#define MATCH_FIELDS(value_format)                                                                 \
    FIELD(ENUM, "type", struct header_match, type, .names = route_match_names,                     \
          .fallback = "Exact"),                                                                    \
        FIELD(STR, "name", struct header_match, name, .required = true,                            \
              .format = &format_header_name),                                                      \
        FIELD(STR, "value", struct header_match, value, .required = true,                          \
              .format = (value_format))

static const struct field header_fields[] = {MATCH_FIELDS(&format_header_value), FIELD_END};
static const struct schema header_schema = {.name = "a header match",
                                            .size = sizeof(struct header_match),
                                            .fields = header_fields,
                                            .check = route_check_header};

static const struct field query_fields[] = {MATCH_FIELDS(&format_query_value), FIELD_END};
static const struct schema query_schema = {.name = "a query parameter match",
                                           .size = sizeof(struct header_match),
                                           .fields = query_fields,
                                           .check = route_check_header};

static const struct field match_fields[] = {
    FIELD(STRUCT, "path", struct http_match, path, .schema = &path_schema),
    FIELD(LIST, "headers", struct http_match, headers, .schema = &header_schema,
          .max = ROUTE_ITEMS_MAX, .unique = true),
    FIELD(LIST, "queryParams", struct http_match, query, .schema = &query_schema,
          .max = ROUTE_ITEMS_MAX, .unique = true),
    FIELD(STR, "method", struct http_match, method, .names = method_names),
    FIELD_LINE_OF(struct http_match),
    FIELD_FAULT_OF(struct http_match),
    FIELD_END,
};
const struct schema http_match_schema = {
    .name = "an HTTPRoute match", .size = sizeof(struct http_match), .fields = match_fields};

/* --- timeouts and retries ------------------------------------------------------------------ */

static void check_timeouts(const void *obj, const struct doc_node *node, struct problems *problems,
                           struct str path)
{
    const struct timeouts *timeouts = obj;
    if (timeouts->has_request && timeouts->has_backend && timeouts->request_ms != 0 &&
        timeouts->backend_ms > timeouts->request_ms) {
        route_report(node, "backendRequest", problems, path,
                     "make it at most as long as 'request', which covers all attempts",
                     "'backendRequest' is longer than 'request'");
    }
}

static const struct field timeout_fields[] = {
    FIELD(DURATION, "request", struct timeouts, request_ms,
          FIELD_HAS(struct timeouts, has_request)),
    FIELD(DURATION, "backendRequest", struct timeouts, backend_ms,
          FIELD_HAS(struct timeouts, has_backend)),
    FIELD_END,
};
static const struct schema timeout_schema = {.name = "timeouts",
                                             .size = sizeof(struct timeouts),
                                             .fields = timeout_fields,
                                             .check = check_timeouts};

static const struct field retry_fields[] = {
    FIELD(INT_LIST, "codes", struct retry, codes, .min = 400, .max = 599, .unique = true),
    FIELD(INT, "attempts", struct retry, attempts, .max = INT32_MAX, .fallback = "1",
          FIELD_HAS(struct retry, has_attempts)),
    FIELD(DURATION, "backoff", struct retry, backoff_ms, FIELD_HAS(struct retry, has_backoff)),
    FIELD_END,
};
static const struct schema retry_schema = {
    .name = "retry", .size = sizeof(struct retry), .fields = retry_fields};

/* --- rules --------------------------------------------------------------------------------- */

static const struct field backend_fields[] = {
    BACKEND_REF_FIELDS(&http_filter_schema),
    FIELD_END,
};
static const struct schema backend_schema = {.name = "a backendRef",
                                             .size = sizeof(struct backend_ref),
                                             .fields = backend_fields,
                                             .check = route_check_backend_ref};

static const struct path_modifier *filter_path(const struct filter *filter)
{
    if (filter->redirect != NULL && filter->redirect->path != NULL) {
        return filter->redirect->path;
    }
    return filter->rewrite != NULL ? filter->rewrite->path : NULL;
}

/* A match that is left out is by the prefix "/"; of "matches: []" the API makes no match at all. */
static bool has_one_prefix(const struct http_rule *rule, const struct doc_node *rule_node)
{
    const struct doc_node *matches = doc_get(rule_node, STR("matches"));
    bool none = matches != NULL && matches->type == DOC_SEQUENCE && matches->len == 0;
    return !none && rule->matches.len == 1 && rule->matches.items[0].path.type == PATH_PREFIX;
}

/* ReplacePrefixMatch needs to know which prefix: the rule must have one match, of that type. */
static void check_prefix(const struct filter *filters, size_t len, const struct doc_node *node,
                         struct problems *problems, struct str path)
{
    for (size_t i = 0; i < len; i++) {
        const struct path_modifier *modifier = filter_path(&filters[i]);
        if (modifier != NULL && modifier->type == PATH_MODIFIER_PREFIX) {
            route_report(node, "filters", problems, path,
                         "give the rule exactly one match, with a path of type 'PathPrefix'",
                         "'ReplacePrefixMatch' does not say which prefix of the rule it replaces");
            return;
        }
    }
}

static void check_rule(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct http_rule *rule = obj;
    route_check_filters(rule->filters.items, rule->filters.len, node, problems, path);
    bool prefix = has_one_prefix(rule, node);
    if (!prefix) {
        check_prefix(rule->filters.items, rule->filters.len, node, problems, path);
    }
    for (size_t i = 0; i < rule->backends.len && !prefix; i++) {
        const struct backend_ref *backend = &rule->backends.items[i];
        struct str at = arena_printf(problems->arena, "%.*s.backendRefs[%zu]", STR_FMT(path), i);
        check_prefix(backend->filters.items, backend->filters.len,
                     doc_get(node, STR("backendRefs"))->items[i], problems, at);
    }
    for (size_t i = 0; i < rule->filters.len && rule->backends.len > 0; i++) {
        if (rule->filters.items[i].type == FILTER_REDIRECT) {
            route_report(node, "backendRefs", problems, path, "remove one of them",
                         "a rule that redirects requests cannot have backendRefs");
            break;
        }
    }
}

/* One fault is the rule's, wherever it stands; of several that of the first match. */
static void finish_rule(void *obj, struct arena *arena)
{
    struct http_rule *rule = obj;
    (void)arena;
    for (size_t i = rule->matches.len; i > 0; i--) {
        struct str fault = rule->matches.items[i - 1].fault;
        rule->fault = fault.len > 0 ? fault : rule->fault;
    }
    if (rule->fault.len > 0) {
        rule->filters.len = rule->backends.len = 0;
        rule->timeouts = NULL;
        rule->retry = NULL;
        rule->session = NULL;
    }
}

static const struct field rule_fields[] = {
    FIELD(STR, "name", struct http_rule, name, .format = &format_subdomain),
    FIELD(LIST, "matches", struct http_rule, matches, .schema = &http_match_schema,
          .max = ROUTE_MATCHES_MAX, .fallback = "PathPrefix /"),
    FIELD(LIST, "filters", struct http_rule, filters, .schema = &http_filter_schema,
          .max = ROUTE_ITEMS_MAX),
    FIELD(LIST, "backendRefs", struct http_rule, backends, .schema = &backend_schema,
          .max = ROUTE_ITEMS_MAX),
    FIELD(PTR, "timeouts", struct http_rule, timeouts, .schema = &timeout_schema),
    FIELD(PTR, "retry", struct http_rule, retry, .schema = &retry_schema),
    FIELD(PTR, "sessionPersistence", struct http_rule, session, .schema = &session_schema),
    FIELD_LINE_OF(struct http_rule),
    FIELD_FAULT_OF(struct http_rule),
    FIELD_END,
};
static const struct schema rule_schema = {.name = "an HTTPRoute rule",
                                          .size = sizeof(struct http_rule),
                                          .fields = rule_fields,
                                          .finish = finish_rule,
                                          .check = check_rule};

static void check_spec(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct http_route *route = obj;
    size_t matches = 0;
    for (size_t i = 0; i < route->rules.len; i++) {
        matches += route->rules.items[i].matches.len;
    }
    route_check_match_count(matches, node, problems, path);
    route_check_parents(&route->route, node, problems, path);
}

static const struct field spec_fields[] = {
    ROUTE_FIELDS,
    FIELD(LIST, "rules", struct http_route, rules, .schema = &rule_schema, .min = 1,
          .max = ROUTE_RULES_MAX, .unique = true, .fallback = "one rule"),
    FIELD_END,
};
static const struct schema spec_schema = {
    .name = "an HTTPRoute's spec", .fields = spec_fields, .check = check_spec};

static const struct field route_fields[] = {
    OBJECT_FIELDS,
    FIELD_FLAT("spec", &spec_schema, .required = true),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema http_route_schema = {
    .name = "an HTTPRoute", .size = sizeof(struct http_route), .fields = route_fields};
