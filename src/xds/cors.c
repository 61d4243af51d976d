/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cors: ir_cors -> the words of a route to Envoy's CORS filter.
 *
 * Envoy answers a preflight itself and never passes it on; other requests it passes on, and adds
 * the headers to the answer where the Origin is an allowed one. Where any method or header is
 * allowed and credentials are, it answers with what the preflight asked for, never with "*"
 * (GEP-1767). To a preflight that asks for no headers it would say so with an empty
 * Access-Control-Allow-Headers, where the API wants none: such preflights get a route of their own.
 */
#include "xds/cors.h"

#include "xds/build.h"

static bool is_any(const struct str *items, size_t len)
{
    return len == 1 && str_eq(items[0], STR("*"));
}

bool xds_cors_splits(const struct ir_cors *cors)
{
    return cors->credentials && is_any(cors->headers.items, cors->headers.len);
}

/* A browser leaves the port out of an Origin where it is the scheme's own. */
static struct str port_regex(struct arena *arena, const struct ir_origin *origin)
{
    int32_t own = str_eq(origin->scheme, STR("https")) ? 443 : 80;
    return arena_printf(arena, origin->port == own ? "(:%d)?" : ":%d", (int)origin->port);
}

static struct str origin_regex(struct arena *arena, const struct ir_origin *origin)
{
    if (origin->scheme.len == 0) {
        return STR(".*");
    }
    struct str host = STR("([^:/]+|\\[[^/]*\\])");
    if (origin->host.len > 0) {
        host = arena_printf(arena, "%s%.*s", origin->below ? "[^:/]+\\." : "",
                            STR_FMT(xds_quote_regex(arena, origin->host)));
    }
    return arena_printf(arena, "%.*s://%.*s%.*s", STR_FMT(origin->scheme), STR_FMT(host),
                        STR_FMT(port_regex(arena, origin)));
}

static pb_string_matcher *origin_matcher(struct arena *arena, const struct ir_origin *origin)
{
    pb_string_matcher *matcher = NEW(arena, pb_string_matcher);
    matcher->match_pattern_case =
        ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_SAFE_REGEX;
    matcher->safe_regex = xds_regex(arena, origin_regex(arena, origin));
    return matcher;
}

static char *join(struct arena *arena, const struct str *items, size_t len)
{
    struct str text = STR("");
    for (size_t i = 0; i < len; i++) {
        text =
            arena_printf(arena, "%.*s%s%.*s", STR_FMT(text), i > 0 ? ", " : "", STR_FMT(items[i]));
    }
    return xds_text(arena, text);
}

void xds_cors(struct arena *arena, const struct ir_cors *cors, bool bare, pb_route *route)
{
    pb_cors_policy *policy = NEW(arena, pb_cors_policy);
    policy->allow_origin_string_match = ARENA_ARRAY(arena, cors->origins.len, pb_string_matcher *);
    for (size_t i = 0; i < cors->origins.len; i++) {
        policy->allow_origin_string_match[policy->n_allow_origin_string_match++] =
            origin_matcher(arena, &cors->origins.items[i]);
    }
    policy->allow_methods = join(arena, cors->methods.items, cors->methods.len);
    policy->allow_headers =
        bare ? policy->allow_headers : join(arena, cors->headers.items, cors->headers.len);
    policy->expose_headers = join(arena, cors->expose.items, cors->expose.len);
    policy->max_age = xds_text(arena, arena_printf(arena, "%d", (int)cors->max_age));
    policy->allow_credentials = xds_bool(arena, cors->credentials);
    policy->forward_not_matching_preflights = xds_bool(arena, false);
    xds_route_filter(arena, CORS_FILTER, &policy->base, route);
}
