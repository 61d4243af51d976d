/* SPDX-License-Identifier: Apache-2.0 */
/* grpc_route: which fields does a GRPCRoute have, and what must hold between them? */
#include "model/route_schema.h"

/* --- matches ------------------------------------------------------------------------------- */

static const char *const method_names[] = {
    [METHOD_EXACT] = "Exact", [METHOD_REGEX] = "RegularExpression", NULL};

/* What a part of the method match must look like. */
struct part_form {
    bool (*matches)(struct str text);
    const char *name;
    const char *remedy;
};
static const struct part_form service_form = {format_is_grpc_service, "the name of a gRPC service",
                                              "write a full name such as 'package.Service'"};
static const struct part_form method_form = {format_is_grpc_method, "the name of a gRPC method",
                                             "write the name of a method alone, such as 'Echo'"};

/* Also as an empty text, which of type RegularExpression means any. */
static bool is_given(const struct doc_node *node, const char *field)
{
    const struct doc_node *at = doc_get(node, str_from(field));
    return at != NULL && at->type != DOC_NULL;
}

static void check_part(const struct doc_node *node, const char *field, const struct part_form *form,
                       struct problems *problems, struct str path)
{
    const struct doc_node *at = doc_get(node, str_from(field));
    if (!is_given(node, field) || form->matches(at->text)) {
        return;
    }
    problems_report(problems, PROBLEM_bad_format, at->line, at->column,
                    arena_printf(problems->arena, "%.*s.%s", STR_FMT(path), field),
                    str_from(form->remedy), "'%.*s' is not %s",
                    STR_FMT(problem_quote(problems->arena, at->text)), form->name);
}

static void check_method(const void *obj, const struct doc_node *node, struct problems *problems,
                         struct str path)
{
    const struct method_match *match = obj;
    if (!is_given(node, "service") && !is_given(node, "method")) {
        route_report(node, NULL, problems, path, "add 'service', 'method' or both",
                     "the method match names neither a service nor a method");
    }
    if (match->type == METHOD_EXACT) {
        check_part(node, "service", &service_form, problems, path);
        check_part(node, "method", &method_form, problems, path);
        return;
    }
    if (match->service.len > 0) {
        route_check_regex(node, "service", match->service, problems, path);
    }
    if (match->method.len > 0) {
        route_check_regex(node, "method", match->method, problems, path);
    }
}

static const struct field method_fields[] = {
    FIELD(ENUM, "type", struct method_match, type, .names = method_names, .fallback = "Exact"),
    FIELD(STR, "service", struct method_match, service, .format = &format_text),
    FIELD(STR, "method", struct method_match, method, .format = &format_text),
    FIELD_END,
};
static const struct schema method_schema = {.name = "a method match",
                                            .size = sizeof(struct method_match),
                                            .fields = method_fields,
                                            .check = check_method};

static const struct field header_fields[] = {
    FIELD(ENUM, "type", struct header_match, type, .names = route_match_names, .fallback = "Exact"),
    FIELD(STR, "name", struct header_match, name, .required = true, .format = &format_header_name),
    FIELD(STR, "value", struct header_match, value, .required = true, .format = &format_any_value),
    FIELD_END,
};
static const struct schema header_schema = {.name = "a header match",
                                            .size = sizeof(struct header_match),
                                            .fields = header_fields,
                                            .check = route_check_header};

static const struct field match_fields[] = {
    FIELD(PTR, "method", struct grpc_match, method, .schema = &method_schema),
    FIELD(LIST, "headers", struct grpc_match, headers, .schema = &header_schema,
          .max = ROUTE_ITEMS_MAX, .unique = true),
    FIELD_LINE_OF(struct grpc_match),
    FIELD_FAULT_OF(struct grpc_match),
    FIELD_END,
};
const struct schema grpc_match_schema = {
    .name = "a GRPCRoute match", .size = sizeof(struct grpc_match), .fields = match_fields};

/* --- rules --------------------------------------------------------------------------------- */

static const struct field backend_fields[] = {
    BACKEND_REF_FIELDS(&grpc_filter_schema),
    FIELD_END,
};
static const struct schema backend_schema = {.name = "a backendRef",
                                             .size = sizeof(struct backend_ref),
                                             .fields = backend_fields,
                                             .check = route_check_backend_ref};

static void check_rule(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct grpc_rule *rule = obj;
    route_check_filters(rule->filters.items, rule->filters.len, node, problems, path);
}

/* As of an HTTPRoute's rule. */
static void finish_rule(void *obj, struct arena *arena)
{
    struct grpc_rule *rule = obj;
    (void)arena;
    for (size_t i = rule->matches.len; i > 0; i--) {
        struct str fault = rule->matches.items[i - 1].fault;
        rule->fault = fault.len > 0 ? fault : rule->fault;
    }
    if (rule->fault.len > 0) {
        rule->filters.len = rule->backends.len = 0;
        rule->session = NULL;
    }
}

static const struct field rule_fields[] = {
    FIELD(STR, "name", struct grpc_rule, name, .format = &format_subdomain),
    FIELD(LIST, "matches", struct grpc_rule, matches, .schema = &grpc_match_schema,
          .max = ROUTE_MATCHES_MAX),
    FIELD(LIST, "filters", struct grpc_rule, filters, .schema = &grpc_filter_schema,
          .max = ROUTE_ITEMS_MAX),
    FIELD(LIST, "backendRefs", struct grpc_rule, backends, .schema = &backend_schema,
          .max = ROUTE_ITEMS_MAX),
    FIELD(PTR, "sessionPersistence", struct grpc_rule, session, .schema = &session_schema),
    FIELD_LINE_OF(struct grpc_rule),
    FIELD_FAULT_OF(struct grpc_rule),
    FIELD_END,
};
static const struct schema rule_schema = {.name = "a GRPCRoute rule",
                                          .size = sizeof(struct grpc_rule),
                                          .fields = rule_fields,
                                          .finish = finish_rule,
                                          .check = check_rule};

static void check_spec(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct grpc_route *route = obj;
    size_t matches = 0;
    for (size_t i = 0; i < route->rules.len; i++) {
        matches += route->rules.items[i].matches.len;
    }
    route_check_match_count(matches, node, problems, path);
    route_check_parents(&route->route, node, problems, path);
}

static const struct field spec_fields[] = {
    ROUTE_FIELDS,
    FIELD(LIST, "rules", struct grpc_route, rules, .schema = &rule_schema, .max = ROUTE_RULES_MAX,
          .unique = true),
    FIELD_END,
};
static const struct schema spec_schema = {
    .name = "a GRPCRoute's spec", .fields = spec_fields, .check = check_spec};

static const struct field route_fields[] = {
    OBJECT_FIELDS,
    FIELD_FLAT("spec", &spec_schema, .required = true),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema grpc_route_schema = {
    .name = "a GRPCRoute", .size = sizeof(struct grpc_route), .fields = route_fields};
