/* SPDX-License-Identifier: Apache-2.0 */
/* filter: which fields do the filters of both route kinds have, and which exclude each other? */
#include <inttypes.h>

#include "model/route_schema.h"

#define CORS_ITEMS_MAX 64
#define CORS_METHODS_MAX 9
#define AUTH_HEADERS_MAX 64

const char *const route_filter_names[] = {
    [FILTER_REQUEST_HEADERS] = "RequestHeaderModifier",
    [FILTER_RESPONSE_HEADERS] = "ResponseHeaderModifier",
    [FILTER_MIRROR] = "RequestMirror",
    [FILTER_REDIRECT] = "RequestRedirect",
    [FILTER_REWRITE] = "URLRewrite",
    [FILTER_CORS] = "CORS",
    [FILTER_EXTERNAL_AUTH] = "ExternalAuth",
    [FILTER_EXTENSION] = "ExtensionRef",
    NULL,
};

/* The member that a type demands and all others exclude. */
static const char *const filter_members[] = {
    [FILTER_REQUEST_HEADERS] = "requestHeaderModifier",
    [FILTER_RESPONSE_HEADERS] = "responseHeaderModifier",
    [FILTER_MIRROR] = "requestMirror",
    [FILTER_REDIRECT] = "requestRedirect",
    [FILTER_REWRITE] = "urlRewrite",
    [FILTER_CORS] = "cors",
    [FILTER_EXTERNAL_AUTH] = "externalAuth",
    [FILTER_EXTENSION] = "extensionRef",
    NULL,
};

/* --- header modifiers ---------------------------------------------------------------------- */

static const struct field header_value_fields[] = {
    FIELD(STR, "name", struct header_value, name, .required = true, .format = &format_header_name),
    FIELD(STR, "value", struct header_value, value, .required = true,
          .format = &format_header_value),
    FIELD_END,
};
static const struct schema header_value_schema = {
    .name = "a header", .size = sizeof(struct header_value), .fields = header_value_fields};

static const struct field header_filter_fields[] = {
    FIELD(LIST, "set", struct header_filter, set, .schema = &header_value_schema,
          .max = ROUTE_ITEMS_MAX, .unique = true),
    FIELD(LIST, "add", struct header_filter, add, .schema = &header_value_schema,
          .max = ROUTE_ITEMS_MAX, .unique = true),
    FIELD(STR_LIST, "remove", struct header_filter, remove, .max = ROUTE_ITEMS_MAX, .unique = true),
    FIELD_END,
};
static const struct schema header_filter_schema = {.name = "a header modifier",
                                                   .size = sizeof(struct header_filter),
                                                   .fields = header_filter_fields};

/* --- mirrors ------------------------------------------------------------------------------- */

static void check_fraction(const void *obj, const struct doc_node *node, struct problems *problems,
                           struct str path)
{
    const struct fraction *fraction = obj;
    if (fraction->numerator > fraction->denominator) {
        route_report(node, "numerator", problems, path,
                     "write a numerator that is not greater than the denominator",
                     "'numerator' is greater than 'denominator', which is %" PRId32,
                     fraction->denominator);
    }
}

static const struct field fraction_fields[] = {
    FIELD(INT, "numerator", struct fraction, numerator, .required = true, .max = INT32_MAX),
    FIELD(INT, "denominator", struct fraction, denominator, .min = 1, .max = INT32_MAX,
          .fallback = "100"),
    FIELD_END,
};
static const struct schema fraction_schema = {.name = "a fraction",
                                              .size = sizeof(struct fraction),
                                              .fields = fraction_fields,
                                              .check = check_fraction};

static void check_mirror(const void *obj, const struct doc_node *node, struct problems *problems,
                         struct str path)
{
    const struct mirror_filter *mirror = obj;
    if (mirror->has_percent && mirror->fraction != NULL) {
        route_report(node, "fraction", problems, path, "remove one of them",
                     "both 'percent' and 'fraction' are set");
    }
}

static const struct field mirror_fields[] = {
    FIELD(STRUCT, "backendRef", struct mirror_filter, backend, .required = true,
          .schema = &object_ref_schema),
    FIELD(INT, "percent", struct mirror_filter, percent, .max = 100,
          FIELD_HAS(struct mirror_filter, has_percent)),
    FIELD(PTR, "fraction", struct mirror_filter, fraction, .schema = &fraction_schema),
    FIELD_END,
};
static const struct schema mirror_schema = {.name = "a request mirror",
                                            .size = sizeof(struct mirror_filter),
                                            .fields = mirror_fields,
                                            .check = check_mirror};

/* --- redirects and rewrites ---------------------------------------------------------------- */

static const char *const modifier_names[] = {
    [PATH_MODIFIER_FULL] = "ReplaceFullPath", [PATH_MODIFIER_PREFIX] = "ReplacePrefixMatch", NULL};
static const char *const scheme_names[] = {"http", "https", NULL};

static void check_modifier(const void *obj, const struct doc_node *node, struct problems *problems,
                           struct str path)
{
    const struct path_modifier *modifier = obj;
    bool full = modifier->type == PATH_MODIFIER_FULL;
    if (full != modifier->has_full) {
        route_report(node, "replaceFullPath", problems, path,
                     "make 'type' and 'replaceFullPath' agree",
                     full ? "type 'ReplaceFullPath' demands 'replaceFullPath'"
                          : "'replaceFullPath' demands type 'ReplaceFullPath'");
    }
    if (!full != modifier->has_prefix) {
        route_report(node, "replacePrefixMatch", problems, path,
                     "make 'type' and 'replacePrefixMatch' agree",
                     !full ? "type 'ReplacePrefixMatch' demands 'replacePrefixMatch'"
                           : "'replacePrefixMatch' demands type 'ReplacePrefixMatch'");
    }
}

static const struct field modifier_fields[] = {
    FIELD(ENUM, "type", struct path_modifier, type, .required = true, .names = modifier_names),
    FIELD(STR, "replaceFullPath", struct path_modifier, full, .format = &format_text,
          FIELD_HAS(struct path_modifier, has_full)),
    FIELD(STR, "replacePrefixMatch", struct path_modifier, prefix, .format = &format_text,
          FIELD_HAS(struct path_modifier, has_prefix)),
    FIELD_END,
};
static const struct schema modifier_schema = {.name = "a path modifier",
                                              .size = sizeof(struct path_modifier),
                                              .fields = modifier_fields,
                                              .check = check_modifier};

static void check_redirect(const void *obj, const struct doc_node *node, struct problems *problems,
                           struct str path)
{
    static const int32_t codes[] = {301, 302, 303, 307, 308};
    const struct redirect_filter *redirect = obj;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (redirect->status == codes[i]) {
            return;
        }
    }
    const struct doc_node *at = doc_get(node, STR("statusCode"));
    problems_report(problems, PROBLEM_not_in_enum, at->line, at->column,
                    arena_printf(problems->arena, "%.*s.statusCode", STR_FMT(path)),
                    STR("use one of 301, 302, 303, 307, 308"),
                    "'%" PRId32 "' is not a value of 'statusCode'", redirect->status);
}

static const struct field redirect_fields[] = {
    FIELD(STR, "scheme", struct redirect_filter, scheme, .names = scheme_names),
    FIELD(STR, "hostname", struct redirect_filter, hostname, .format = &format_hostname),
    FIELD(PTR, "path", struct redirect_filter, path, .schema = &modifier_schema),
    FIELD(INT, "port", struct redirect_filter, port, .min = 1, .max = 65535),
    FIELD(INT, "statusCode", struct redirect_filter, status, .fallback = "302"),
    FIELD_END,
};
static const struct schema redirect_schema = {.name = "a redirect",
                                              .size = sizeof(struct redirect_filter),
                                              .fields = redirect_fields,
                                              .check = check_redirect};

static const struct field rewrite_fields[] = {
    FIELD(STR, "hostname", struct rewrite_filter, hostname, .format = &format_hostname),
    FIELD(PTR, "path", struct rewrite_filter, path, .schema = &modifier_schema),
    FIELD_END,
};
static const struct schema rewrite_schema = {
    .name = "a URL rewrite", .size = sizeof(struct rewrite_filter), .fields = rewrite_fields};

/* --- CORS ---------------------------------------------------------------------------------- */

static const char *const cors_methods[] = {"GET",     "HEAD",  "POST",  "PUT", "DELETE", "CONNECT",
                                           "OPTIONS", "TRACE", "PATCH", "*",   NULL};

static void check_alone(const struct str *items, size_t len, const struct doc_node *node,
                        const char *field, struct problems *problems, struct str path)
{
    for (size_t i = 0; i < len && len > 1; i++) {
        if (str_eq(items[i], STR("*"))) {
            route_report(node, field, problems, path, "remove the others, or '*'",
                         "'*' stands beside other items of '%s'", field);
            return;
        }
    }
}

static void check_cors(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct cors_filter *cors = obj;
    check_alone(cors->allow_origins.items, cors->allow_origins.len, node, "allowOrigins", problems,
                path);
    check_alone(cors->allow_methods.items, cors->allow_methods.len, node, "allowMethods", problems,
                path);
    check_alone(cors->allow_headers.items, cors->allow_headers.len, node, "allowHeaders", problems,
                path);
}

static const struct field cors_fields[] = {
    FIELD(STR_LIST, "allowOrigins", struct cors_filter, allow_origins, .max = CORS_ITEMS_MAX,
          .format = &format_origin, .unique = true),
    FIELD(BOOL, "allowCredentials", struct cors_filter, allow_credentials),
    FIELD(STR_LIST, "allowMethods", struct cors_filter, allow_methods, .max = CORS_METHODS_MAX,
          .names = cors_methods, .unique = true),
    FIELD(STR_LIST, "allowHeaders", struct cors_filter, allow_headers, .max = CORS_ITEMS_MAX,
          .format = &format_header_name, .unique = true),
    FIELD(STR_LIST, "exposeHeaders", struct cors_filter, expose_headers, .max = CORS_ITEMS_MAX,
          .format = &format_header_name, .unique = true),
    FIELD(INT, "maxAge", struct cors_filter, max_age, .min = 1, .max = INT32_MAX, .fallback = "5"),
    FIELD_END,
};
static const struct schema cors_schema = {.name = "a CORS filter",
                                          .size = sizeof(struct cors_filter),
                                          .fields = cors_fields,
                                          .check = check_cors};

/* --- external authorization and extensions ------------------------------------------------- */

static const char *const auth_names[] = {[AUTH_HTTP] = "HTTP", [AUTH_GRPC] = "GRPC", NULL};

static const struct field auth_grpc_fields[] = {
    FIELD(STR_LIST, "allowedHeaders", struct auth_grpc, allowed_headers, .max = AUTH_HEADERS_MAX,
          .unique = true),
    FIELD_END,
};
static const struct schema auth_grpc_schema = {
    .name = "external authorization by gRPC",
    .size = sizeof(struct auth_grpc),
    .fields = auth_grpc_fields,
};

static const struct field auth_http_fields[] = {
    FIELD(STR, "path", struct auth_http, path, .format = &format_url_path),
    FIELD(STR_LIST, "allowedHeaders", struct auth_http, allowed_headers, .max = AUTH_HEADERS_MAX,
          .unique = true),
    FIELD(STR_LIST, "allowedResponseHeaders", struct auth_http, allowed_response_headers,
          .max = AUTH_HEADERS_MAX, .unique = true),
    FIELD_END,
};
static const struct schema auth_http_schema = {
    .name = "external authorization by HTTP",
    .size = sizeof(struct auth_http),
    .fields = auth_http_fields,
};

static const struct field auth_body_fields[] = {
    FIELD(INT, "maxSize", struct auth_body, max_size, .max = INT32_MAX),
    FIELD_END,
};
static const struct schema auth_body_schema = {
    .name = "forwardBody", .size = sizeof(struct auth_body), .fields = auth_body_fields};

static void check_auth(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct auth_filter *auth = obj;
    bool grpc = auth->protocol == AUTH_GRPC;
    if (grpc != (auth->grpc != NULL)) {
        route_report(node, "grpc", problems, path, "make 'protocol' and 'grpc' agree",
                     grpc ? "protocol 'GRPC' demands 'grpc'" : "'grpc' demands protocol 'GRPC'");
    }
    if (!grpc != (auth->http != NULL)) {
        route_report(node, "http", problems, path, "make 'protocol' and 'http' agree",
                     !grpc ? "protocol 'HTTP' demands 'http'" : "'http' demands protocol 'HTTP'");
    }
}

static const struct field auth_fields[] = {
    FIELD(ENUM, "protocol", struct auth_filter, protocol, .required = true, .names = auth_names),
    FIELD(STRUCT, "backendRef", struct auth_filter, backend, .required = true,
          .schema = &object_ref_schema),
    FIELD(PTR, "grpc", struct auth_filter, grpc, .schema = &auth_grpc_schema),
    FIELD(PTR, "http", struct auth_filter, http, .schema = &auth_http_schema),
    FIELD(PTR, "forwardBody", struct auth_filter, body, .schema = &auth_body_schema),
    FIELD_END,
};
static const struct schema auth_schema = {.name = "external authorization",
                                          .size = sizeof(struct auth_filter),
                                          .fields = auth_fields,
                                          .check = check_auth};

static const struct field extension_fields[] = {
    FIELD(STR, "group", struct extension_ref, group, .required = true, .format = &format_group),
    FIELD(STR, "kind", struct extension_ref, kind, .required = true, .format = &format_kind),
    FIELD(STR, "name", struct extension_ref, name, .required = true, .format = &format_object_name),
    FIELD_END,
};
static const struct schema extension_schema = {
    .name = "an extensionRef", .size = sizeof(struct extension_ref), .fields = extension_fields};

/* --- the filter itself --------------------------------------------------------------------- */

static void check_filter(const void *obj, const struct doc_node *node, struct problems *problems,
                         struct str path)
{
    const struct filter *filter = obj;
    for (int type = 0; route_filter_names[type] != NULL; type++) {
        const struct doc_node *member = doc_get(node, str_from(filter_members[type]));
        bool set = member != NULL && member->type != DOC_NULL;
        if (set && type != filter->type) {
            route_report(node, filter_members[type], problems, path,
                         "make 'type' and the member agree", "'%s' is set in a filter of type '%s'",
                         filter_members[type], route_filter_names[filter->type]);
        } else if (!set && type == filter->type) {
            route_report(node, filter_members[type], problems, path, "add it, or change 'type'",
                         "a filter of type '%s' lacks '%s'", route_filter_names[type],
                         filter_members[type]);
        }
    }
}

static void check_grpc_filter(const void *obj, const struct doc_node *node,
                              struct problems *problems, struct str path)
{
    const struct filter *filter = obj;
    bool known = filter->type == FILTER_REQUEST_HEADERS ||
                 filter->type == FILTER_RESPONSE_HEADERS || filter->type == FILTER_MIRROR ||
                 filter->type == FILTER_EXTENSION;
    if (known) {
        check_filter(obj, node, problems, path);
        return;
    }
    const struct doc_node *at = doc_get(node, STR("type"));
    problems_report(problems, PROBLEM_not_in_enum, at->line, at->column,
                    arena_printf(problems->arena, "%.*s.type", STR_FMT(path)),
                    STR("use one of 'RequestHeaderModifier', 'ResponseHeaderModifier', "
                        "'RequestMirror', 'ExtensionRef'"),
                    "a GRPCRoute has no filter of type '%s'", route_filter_names[filter->type]);
}

#define COMMON_FILTER_FIELDS                                                                       \
    FIELD(ENUM, "type", struct filter, type, .required = true, .names = route_filter_names),       \
        FIELD(PTR, "requestHeaderModifier", struct filter, request_headers,                        \
              .schema = &header_filter_schema),                                                    \
        FIELD(PTR, "responseHeaderModifier", struct filter, response_headers,                      \
              .schema = &header_filter_schema),                                                    \
        FIELD(PTR, "requestMirror", struct filter, mirror, .schema = &mirror_schema),              \
        FIELD(PTR, "extensionRef", struct filter, extension, .schema = &extension_schema),         \
        FIELD_LINE_OF(struct filter)

static const struct field http_filter_fields[] = {
    COMMON_FILTER_FIELDS,
    FIELD(PTR, "requestRedirect", struct filter, redirect, .schema = &redirect_schema),
    FIELD(PTR, "urlRewrite", struct filter, rewrite, .schema = &rewrite_schema),
    FIELD(PTR, "cors", struct filter, cors, .schema = &cors_schema),
    FIELD(PTR, "externalAuth", struct filter, auth, .schema = &auth_schema),
    FIELD_END,
};
const struct schema http_filter_schema = {.name = "an HTTPRoute filter",
                                          .size = sizeof(struct filter),
                                          .fields = http_filter_fields,
                                          .check = check_filter};

static const struct field grpc_filter_fields[] = {
    COMMON_FILTER_FIELDS,
    FIELD_END,
};
const struct schema grpc_filter_schema = {.name = "a GRPCRoute filter",
                                          .size = sizeof(struct filter),
                                          .fields = grpc_filter_fields,
                                          .check = check_grpc_filter};

/* --- lists of filters ---------------------------------------------------------------------- */

static bool may_repeat(int type)
{
    return type == FILTER_MIRROR || type == FILTER_EXTERNAL_AUTH || type == FILTER_EXTENSION;
}

void route_check_filters(const struct filter *filters, size_t len, const struct doc_node *node,
                         struct problems *problems, struct str path)
{
    bool seen[FILTER_EXTENSION + 1] = {false};
    const struct doc_node *list = doc_get(node, STR("filters"));
    for (size_t i = 0; i < len; i++) {
        int type = filters[i].type;
        struct str at = arena_printf(problems->arena, "%.*s.filters[%zu]", STR_FMT(path), i);
        bool second = (type == FILTER_REDIRECT && seen[FILTER_REWRITE]) ||
                      (type == FILTER_REWRITE && seen[FILTER_REDIRECT]);
        if (seen[type] && !may_repeat(type)) {
            route_report(list->items[i], "type", problems, at, "put both into one filter",
                         "a filter of type '%s' stands twice in the list",
                         route_filter_names[type]);
        } else if (second) {
            route_report(list->items[i], "type", problems, at, "remove one of them",
                         "'RequestRedirect' and 'URLRewrite' exclude each other");
        }
        seen[type] = true;
    }
}
