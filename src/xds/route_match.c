/* SPDX-License-Identifier: Apache-2.0 */
/* route_match: ir_match -> RouteMatch. gRPC clients know prefix, path and safe_regex only. */
#include "xds/route_match.h"

#include "xds/build.h"

#define MORE_HEADERS 3 /* room for what xds_match_*() add to a match */

static void set_prefix(pb_route_match *match, char *prefix)
{
    match->path_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PREFIX;
    match->prefix = prefix;
}

static void set_regex(struct arena *arena, pb_route_match *match, struct str regex)
{
    match->path_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_SAFE_REGEX;
    match->safe_regex = xds_regex(arena, regex);
}

/* grpc-js anchors an expression by '^' before and '$' behind it, which in "a|b" each hold for one
 * alternative only. */
static struct str alternatives(struct arena *arena, struct str regex)
{
    return str_index(regex, '|') < regex.len ? arena_printf(arena, "(?:%.*s)", STR_FMT(regex))
                                             : regex;
}

static void set_path(struct arena *arena, const struct ir_match *ir, bool envoy,
                     pb_route_match *match)
{
    switch ((enum ir_path_match)ir->path_type) {
    case IR_PATH_ANY:
        set_prefix(match, (char *)"/");
        break;
    case IR_PATH_EXACT:
        match->path_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PATH;
        match->path = xds_text(arena, ir->path);
        break;
    case IR_PATH_PREFIX:
        if (envoy) {
            match->path_specifier_case =
                ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PATH_SEPARATED_PREFIX;
            match->path_separated_prefix = xds_text(arena, ir->path);
        } else {
            set_regex(arena, match,
                      arena_printf(arena, "%.*s(/.*)?", STR_FMT(xds_quote_regex(arena, ir->path))));
        }
        break;
    case IR_PATH_RAW_PREFIX:
        set_prefix(match, xds_text(arena, ir->path));
        break;
    case IR_PATH_REGEX:
        set_regex(arena, match, envoy ? ir->path : alternatives(arena, ir->path));
        break;
    }
    /* What is not set means true, except to grpc-java. */
    if (!envoy && (ir->path_type == IR_PATH_EXACT || ir->path_type == IR_PATH_RAW_PREFIX)) {
        match->case_sensitive = xds_bool(arena, true);
    }
}

static pb_string_matcher *string_matcher(struct arena *arena, struct str value, bool regex)
{
    pb_string_matcher *matcher = NEW(arena, pb_string_matcher);
    if (regex) {
        matcher->match_pattern_case =
            ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_SAFE_REGEX;
        matcher->safe_regex = xds_regex(arena, value);
    } else {
        matcher->match_pattern_case = ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_EXACT;
        matcher->exact = xds_text(arena, value);
    }
    return matcher;
}

static pb_header_matcher *header_matcher(struct arena *arena, struct str name, struct str value,
                                         bool regex)
{
    pb_header_matcher *matcher = NEW(arena, pb_header_matcher);
    matcher->name = xds_text(arena, name);
    matcher->header_match_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
    matcher->string_match = string_matcher(arena, value, regex);
    return matcher;
}

static void set_headers(struct arena *arena, const struct ir_match *ir, bool envoy,
                        pb_route_match *match)
{
    match->headers = ARENA_ARRAY(arena, ir->headers.len + 1 + MORE_HEADERS, pb_header_matcher *);
    if (envoy && ir->method.len > 0) {
        match->headers[match->n_headers++] =
            header_matcher(arena, STR(":method"), ir->method, false);
    }
    for (size_t i = 0; i < ir->headers.len; i++) {
        const struct ir_value_match *header = &ir->headers.items[i];
        struct str value =
            header->regex && !envoy ? alternatives(arena, header->value) : header->value;
        match->headers[match->n_headers++] =
            header_matcher(arena, header->name, value, header->regex);
    }
}

void xds_match_host_without_port(struct arena *arena, pb_route_match *match)
{
    match->headers[match->n_headers++] =
        header_matcher(arena, STR(":authority"), STR("[^:]*|\\[[^\\]]*\\]"), true);
}

static void match_presence(struct arena *arena, const char *name, bool present,
                           pb_route_match *match)
{
    pb_header_matcher *matcher = NEW(arena, pb_header_matcher);
    matcher->name = xds_text(arena, str_from(name));
    matcher->header_match_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PRESENT_MATCH;
    matcher->present_match = present;
    match->headers[match->n_headers++] = matcher;
}

void xds_match_bare_preflight(struct arena *arena, pb_route_match *match)
{
    match->headers[match->n_headers++] =
        header_matcher(arena, STR(":method"), STR("OPTIONS"), false);
    match_presence(arena, "access-control-request-method", true, match);
    match_presence(arena, "access-control-request-headers", false, match);
}

pb_route_match *xds_envoy_match(struct arena *arena, const struct ir_match *ir)
{
    pb_route_match *match = NEW(arena, pb_route_match);
    set_path(arena, ir, true, match);
    set_headers(arena, ir, true, match);
    match->query_parameters = ARENA_ARRAY(arena, ir->query.len, pb_query_matcher *);
    for (size_t i = 0; i < ir->query.len; i++) {
        const struct ir_value_match *param = &ir->query.items[i];
        pb_query_matcher *matcher = NEW(arena, pb_query_matcher);
        matcher->name = xds_text(arena, param->name);
        matcher->query_parameter_match_specifier_case =
            ENVOY__CONFIG__ROUTE__V3__QUERY_PARAMETER_MATCHER__QUERY_PARAMETER_MATCH_SPECIFIER_STRING_MATCH;
        matcher->string_match = string_matcher(arena, param->value, param->regex);
        match->query_parameters[match->n_query_parameters++] = matcher;
    }
    return match;
}

pb_route_match *xds_grpc_match(struct arena *arena, const struct ir_match *ir)
{
    if (ir->query.len > 0 || (ir->method.len > 0 && !str_eq(ir->method, STR("POST")))) {
        return NULL;
    }
    pb_route_match *match = NEW(arena, pb_route_match);
    set_path(arena, ir, false, match);
    set_headers(arena, ir, false, match);
    return match;
}
