/* SPDX-License-Identifier: Apache-2.0 */
/* route_features: see route_features.h. */
#include "xds/route_features.h"

#include "ir/client.h"
#include "xds/build.h"

/* --- paths --------------------------------------------------------------------------------- */

struct path_change { /* one of the two, or none */
    char *prefix;    /* for what the route matched */
    pb_regex_rewrite *regex;
};

static pb_regex_rewrite *regex_rewrite(struct arena *arena, struct str pattern, struct str text)
{
    char *escaped = arena_alloc(arena, text.len * 2 + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\') {
            escaped[len++] = '\\';
        }
        escaped[len++] = text.ptr[i];
    }
    pb_regex_rewrite *rewrite = NEW(arena, pb_regex_rewrite);
    rewrite->pattern = xds_regex(arena, pattern);
    rewrite->substitution = escaped;
    return rewrite;
}

/* HTTPPathModifier's table. The query is kept by Envoy in all cases.
 *
 *   matched   replaced by   request      becomes      how
 *   /foo      /xyz          /foo/bar     /xyz/bar     prefix_rewrite "/xyz"
 *   /         /xyz          /bar         /xyz/bar     prefix_rewrite "/xyz/"
 *   /foo      (nothing)     /foo/bar     /bar         ^/foo/x -> /, where x is any number of
 *   /foo      (nothing)     /foo         /            slashes, so that "//" never begins a path
 */
static struct path_change path_change(struct arena *arena, const struct ir_match *match, int change,
                                      struct str path)
{
    struct path_change result = {NULL, NULL};
    if (change == IR_PATH_REPLACE) {
        result.regex = regex_rewrite(arena, STR("^.+$"), path);
    } else if (change == IR_PATH_REPLACE_PREFIX && match->path_type == IR_PATH_ANY) {
        /* "/" for "/" changes nothing */
        result.prefix =
            path.len > 0 ? xds_text(arena, arena_printf(arena, "%.*s/", STR_FMT(path))) : NULL;
    } else if (change == IR_PATH_REPLACE_PREFIX && path.len > 0) {
        result.prefix = xds_text(arena, path);
    } else if (change == IR_PATH_REPLACE_PREFIX) {
        struct str quoted = xds_quote_regex(arena, match->path);
        result.regex =
            regex_rewrite(arena, arena_printf(arena, "^%.*s/*", STR_FMT(quoted)), STR("/"));
    }
    return result;
}

/* --- redirects ----------------------------------------------------------------------------- */

static pb_redirect_code redirect_code(int32_t status)
{
    switch (status) {
    case 301:
        return PB_REDIRECT_301;
    case 303:
        return PB_REDIRECT_303;
    case 307:
        return PB_REDIRECT_307;
    case 308:
        return PB_REDIRECT_308;
    default:
        return PB_REDIRECT_302;
    }
}

pb_redirect *xds_redirect(struct arena *arena, const struct ir_route *ir, int32_t port)
{
    const struct ir_redirect *from = ir->redirect;
    pb_redirect *redirect = NEW(arena, pb_redirect);
    redirect->scheme_rewrite_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__SCHEME_REWRITE_SPECIFIER_SCHEME_REDIRECT;
    redirect->scheme_redirect = xds_text(arena, from->scheme);
    if (from->hostname.len > 0) {
        redirect->host_redirect = xds_text(arena, from->hostname);
    }
    redirect->port_redirect = (uint32_t)port;
    redirect->response_code = redirect_code(from->status);
    struct path_change change = path_change(arena, &ir->match, from->path_change, from->path);
    if (change.prefix != NULL) {
        redirect->path_rewrite_specifier_case =
            ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__PATH_REWRITE_SPECIFIER_PREFIX_REWRITE;
        redirect->prefix_rewrite = change.prefix;
    } else if (change.regex != NULL) {
        redirect->path_rewrite_specifier_case =
            ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__PATH_REWRITE_SPECIFIER_REGEX_REWRITE;
        redirect->regex_rewrite = change.regex;
    }
    return redirect;
}

/* --- mirrors ------------------------------------------------------------------------------- */

/* Envoy decides a mirror by the random number that decided a runtime_fraction before: only the
 * slice gets here, so the mirror takes its share of that. */
static pb_mirror *mirror_policy(struct arena *arena, const struct ir_mirror *ir,
                                struct route_slice slice)
{
    pb_mirror *mirror = NEW(arena, pb_mirror);
    mirror->cluster = xds_text(arena, ir->cluster);
    mirror->disable_shadow_host_suffix_append = true; /* the copy has the Host of the request */
    if (ir->numerator < ir->denominator) {
        pb_fraction *fraction = NEW(arena, pb_fraction);
        int64_t share = ir->numerator * (slice.to - slice.from) + ir->denominator / 2;
        fraction->numerator = slice.from + (uint32_t)(share / ir->denominator);
        fraction->denominator = ENVOY__TYPE__V3__FRACTIONAL_PERCENT__DENOMINATOR_TYPE__MILLION;
        mirror->runtime_fraction = NEW(arena, pb_runtime_fraction);
        mirror->runtime_fraction->default_value = fraction;
    }
    return mirror;
}

/* --- timeouts and retries ------------------------------------------------------------------ */

/* Whether a limit of each attempt says more than the one of the whole request. */
static bool limits_attempts(const struct ir_route *ir)
{
    return ir->backend_timeout_ms > 0 &&
           (ir->timeout_ms == 0 || ir->backend_timeout_ms < ir->timeout_ms);
}

static pb_retry_back_off *back_off(struct arena *arena, int64_t ms)
{
    if (ms == 0) {
        return NULL;
    }
    pb_retry_back_off *message = NEW(arena, pb_retry_back_off);
    message->base_interval = xds_ms(arena, ms);
    return message;
}

/* An attempt that timed out is a reset to Envoy, so with a limit of each attempt resets are
 * retried; without one only what the backend has not seen. */
static void set_retry(struct arena *arena, const struct ir_route *ir, pb_retry_policy *policy)
{
    const struct ir_retry *retry = ir->retry;
    policy->retry_on =
        xds_text(arena, arena_printf(arena, "connect-failure,refused-stream,%s%s",
                                     limits_attempts(ir) ? "reset" : "reset-before-request",
                                     retry->codes.len > 0 ? ",retriable-status-codes" : ""));
    policy->num_retries = xds_u32(arena, (uint32_t)retry->attempts);
    policy->retry_back_off = back_off(arena, retry->backoff_ms);
    policy->retriable_status_codes = ARENA_ARRAY(arena, retry->codes.len, uint32_t);
    for (size_t i = 0; i < retry->codes.len; i++) {
        policy->retriable_status_codes[policy->n_retriable_status_codes++] =
            (uint32_t)retry->codes.items[i];
    }
}

void xds_envoy_features(struct arena *arena, const struct ir_route *ir, struct route_slice slice,
                        pb_route_action *action)
{
    action->timeout = xds_ms(arena, ir->timeout_ms); /* 0: none; Envoy's default would be 15 s */
    if (ir->retry != NULL || limits_attempts(ir)) {
        action->retry_policy = NEW(arena, pb_retry_policy);
        if (limits_attempts(ir)) {
            action->retry_policy->per_try_timeout = xds_ms(arena, ir->backend_timeout_ms);
        }
        if (ir->retry != NULL) {
            set_retry(arena, ir, action->retry_policy);
        }
    }
    if (ir->rewrite != NULL) {
        struct path_change change =
            path_change(arena, &ir->match, ir->rewrite->path_change, ir->rewrite->path);
        if (change.prefix != NULL) {
            action->prefix_rewrite = change.prefix;
        }
        action->regex_rewrite = change.regex;
    }
    action->request_mirror_policies = ARENA_ARRAY(arena, ir->mirrors.len, pb_mirror *);
    for (size_t i = 0; i < ir->mirrors.len; i++) {
        action->request_mirror_policies[action->n_request_mirror_policies++] =
            mirror_policy(arena, &ir->mirrors.items[i], slice);
    }
}

struct str xds_hostname_of(const struct ir_route *ir, const struct ir_backend *backend)
{
    if (backend->hostname.len > 0 || ir->rewrite == NULL) {
        return backend->hostname;
    }
    return ir->rewrite->hostname;
}

/* gRPC waits for 0.8 to 1.2 of the interval (gRFC A6), the API asks for no less than its backoff.
 */
static int64_t no_sooner(int64_t backoff_ms)
{
    return (backoff_ms * 5 + 3) / 4;
}

/* gRPC has no limit of each attempt (gRFC A44), which without retries is one of the request. It
 * knows no HTTP codes: 429, 502, 503 and 504 are UNAVAILABLE to it, as a lost connection is. */
void xds_grpc_features(struct arena *arena, const struct ir_route *ir, pb_route_action *action)
{
    int64_t timeout =
        ir->retry == NULL && limits_attempts(ir) ? ir->backend_timeout_ms : ir->timeout_ms;
    if (timeout > 0) {
        action->max_stream_duration = NEW(arena, pb_max_stream_duration);
        action->max_stream_duration->max_stream_duration = xds_ms(arena, timeout);
    }
    if (ir->retry != NULL) {
        int32_t attempts =
            ir->retry->attempts < GRPC_RETRIES_MAX ? ir->retry->attempts : GRPC_RETRIES_MAX;
        action->retry_policy = NEW(arena, pb_retry_policy);
        action->retry_policy->retry_on = (char *)"unavailable";
        action->retry_policy->num_retries = xds_u32(arena, (uint32_t)attempts);
        action->retry_policy->retry_back_off = back_off(arena, no_sooner(ir->retry->backoff_ms));
    }
}
