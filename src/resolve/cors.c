/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cors: HTTPCORSFilter -> IR (GEP-1767).
 *
 * Of an origin, "*" is any: it has no scheme; a host "*" is any host: it has none; a host "*.a.org"
 * is every name below a.org. A port that is not written is the one that the scheme means.
 */
#include "resolve/cors.h"

#define PORT_HTTP 80
#define PORT_HTTPS 443

/* text: what model/ has found to be an origin. */
static struct ir_origin make_origin(struct arena *arena, struct str text)
{
    struct ir_origin origin = {.scheme = STR_NULL};
    if (str_eq(text, STR("*"))) {
        return origin;
    }
    size_t colon = str_index(text, ':');
    origin.scheme = arena_str(arena, str_sub(text, 0, colon));
    origin.port = str_eq(origin.scheme, STR("https")) ? PORT_HTTPS : PORT_HTTP;
    struct str rest = str_sub(text, colon + 3, text.len); /* behind "://" */
    struct str host = str_cut(&rest, ':');
    uint64_t port = 0;
    if (str_to_u64(rest, &port)) {
        origin.port = (int32_t)port;
    }
    origin.below = str_starts_with(host, STR("*."));
    if (!str_eq(host, STR("*"))) {
        size_t from = origin.below ? 2 : 0;
        origin.host = arena_lower(arena, str_sub(host, from, host.len));
    }
    return origin;
}

static size_t copy_names(struct arena *arena, const struct str *from, size_t len,
                         struct str **ret_items)
{
    struct str *items = ARENA_ARRAY(arena, len, struct str);
    for (size_t i = 0; i < len; i++) {
        items[i] = arena_str(arena, from[i]);
    }
    *ret_items = items;
    return len;
}

/* "If the configuration contains the wildcard `*` in `exposeHeaders` and `allowCredentials` is set
 * to `true`, the gateway cannot use the `*`": then nothing is exposed, as browsers have it too. */
static bool may_expose(const struct cors_filter *filter)
{
    for (size_t i = 0; filter->allow_credentials && i < filter->expose_headers.len; i++) {
        if (str_eq(filter->expose_headers.items[i], STR("*"))) {
            return false;
        }
    }
    return true;
}

struct ir_cors *cors_from_filter(struct arena *arena, const struct cors_filter *filter)
{
    struct ir_cors *cors = ARENA_NEW(arena, struct ir_cors);
    cors->origins.items = ARENA_ARRAY(arena, filter->allow_origins.len, struct ir_origin);
    for (size_t i = 0; i < filter->allow_origins.len; i++) {
        cors->origins.items[cors->origins.len++] =
            make_origin(arena, filter->allow_origins.items[i]);
    }
    cors->methods.len = copy_names(arena, filter->allow_methods.items, filter->allow_methods.len,
                                   &cors->methods.items);
    cors->headers.len = copy_names(arena, filter->allow_headers.items, filter->allow_headers.len,
                                   &cors->headers.items);
    if (may_expose(filter)) {
        cors->expose.len = copy_names(arena, filter->expose_headers.items,
                                      filter->expose_headers.len, &cors->expose.items);
    }
    cors->credentials = filter->allow_credentials;
    cors->max_age = filter->max_age;
    return cors;
}
