/* SPDX-License-Identifier: Apache-2.0 */
/* effects: what a rule does to a request besides choosing a backend, in words. */
#include "pipeline/effects.h"

#include <inttypes.h>

#include "base/vec.h"
#include "ir/client.h"
#include "ir/gateway.h"
#include "ir/graph.h"

struct effects {
    const struct engine *engine;
    struct arena *arena;
    bool proxyless;
    bool keeps_sessions; /* a proxyless client that keeps those in cookies */
    /* As many as a rule has (model/route_schema.h): less than 200. */
    VEC(struct str) in_force;
    VEC(struct str) ignored;
};

static void in_force(struct effects *effects, struct str what)
{
    vec_push(&effects->in_force, what);
}

/* What sidecars do and gRPC clients do not know of. */
static void by_proxies(struct effects *effects, struct str what)
{
    if (!effects->proxyless) {
        in_force(effects, what);
    } else {
        vec_push(&effects->ignored, what);
    }
}

/* --- headers and paths ---------------------------------------------------------------------- */

static void headers(struct effects *effects, const char *whose, const struct ir_header_ops *ops)
{
    struct arena *arena = effects->arena;
    for (size_t i = 0; ops != NULL && i < ops->remove.len; i++) {
        by_proxies(effects, arena_printf(arena, "removes the %s header %.*s", whose,
                                         STR_FMT(ops->remove.items[i])));
    }
    for (size_t i = 0; ops != NULL && i < ops->set.len; i++) {
        by_proxies(effects,
                   arena_printf(arena, "sets the %s header %.*s: %.*s", whose,
                                STR_FMT(ops->set.items[i].name), STR_FMT(ops->set.items[i].value)));
    }
    for (size_t i = 0; ops != NULL && i < ops->add.len; i++) {
        by_proxies(effects,
                   arena_printf(arena, "adds the %s header %.*s: %.*s", whose,
                                STR_FMT(ops->add.items[i].name), STR_FMT(ops->add.items[i].value)));
    }
}

static void rewrites(struct effects *effects, const struct ir_rewrite *rewrite)
{
    struct arena *arena = effects->arena;
    if (rewrite->hostname.len > 0) {
        by_proxies(effects, arena_printf(arena, "the backend gets the Host %.*s",
                                         STR_FMT(rewrite->hostname)));
    }
    if (rewrite->path_change == IR_PATH_REPLACE) {
        by_proxies(effects, arena_printf(arena, "the path becomes %.*s", STR_FMT(rewrite->path)));
    } else if (rewrite->path_change == IR_PATH_REPLACE_PREFIX) {
        by_proxies(effects,
                   arena_printf(arena, "the prefix that matched becomes %.*s",
                                STR_FMT(rewrite->path.len > 0 ? rewrite->path : STR("nothing"))));
    }
}

static struct str session_text(const struct effects *effects, const struct ir_session *session,
                               struct str suffix)
{
    return arena_printf(effects->arena, "sessions are kept at their endpoint by the %s %.*s%.*s",
                        session->carrier == IR_COOKIE ? "cookie" : "header", STR_FMT(session->name),
                        STR_FMT(suffix));
}

/* gRPC's C core keeps those of one backend, by cookies (xds/route_action.c). */
static void session(struct effects *effects, const struct ir_route *route)
{
    struct str what = session_text(effects, route->session, STR_NULL);
    if (effects->keeps_sessions && route->session->carrier == IR_COOKIE &&
        route->backends.len == 1) {
        in_force(effects, what);
    } else {
        by_proxies(effects, what);
    }
}

static struct str duration(struct arena *arena, int64_t ms)
{
    return ms % 1000 == 0 ? arena_printf(arena, "%" PRId64 "s", ms / 1000)
                          : arena_printf(arena, "%" PRId64 "ms", ms);
}

/* Of the cluster, since it holds for all routes together. */
static void retry_budget(struct effects *effects, struct str port, struct str suffix)
{
    const struct ir_cluster *row =
        (const struct ir_cluster *)engine_get(effects->engine, T_CLUSTER, port);
    if (row == NULL || row->retry_budget == NULL) {
        return;
    }
    const struct ir_retry_budget *budget = row->retry_budget;
    by_proxies(effects,
               arena_printf(effects->arena,
                            "as many retries at a time as %d %% of the requests of the last %.*s, "
                            "and at least %" PRId64 "%.*s",
                            (int)budget->percent,
                            STR_FMT(duration(effects->arena, budget->interval_ms)),
                            budget->min_concurrency, STR_FMT(suffix)));
}

static void backends(struct effects *effects, const struct ir_route *route)
{
    for (size_t i = 0; i < route->backends.len; i++) {
        const struct ir_backend *backend = &route->backends.items[i];
        if (backend->cluster.len == 0) {
            continue; /* an error share: nothing is sent anywhere */
        }
        struct str port = upstream_name_parse(backend->cluster).port; /* of the mesh: itself */
        struct str suffix = arena_printf(effects->arena, " for %.*s", STR_FMT(port));
        if (backend->request_headers != NULL || backend->response_headers != NULL) {
            by_proxies(effects,
                       arena_printf(effects->arena, "header modifiers%.*s", STR_FMT(suffix)));
        }
        if (backend->hostname.len > 0) {
            by_proxies(effects, arena_printf(effects->arena, "the Host %.*s%.*s",
                                             STR_FMT(backend->hostname), STR_FMT(suffix)));
        }
        if (backend->session != NULL) {
            by_proxies(effects, session_text(effects, backend->session, suffix));
        }
        if (route->retry != NULL) {
            retry_budget(effects, port, suffix);
        }
    }
}

/* --- copies, browsers ----------------------------------------------------------------------- */

static void mirrors(struct effects *effects, const struct ir_route *route)
{
    for (size_t i = 0; i < route->mirrors.len; i++) {
        const struct ir_mirror *mirror = &route->mirrors.items[i];
        by_proxies(effects, arena_printf(effects->arena,
                                         "%" PRId64 " of %" PRId64 " requests are copied to %.*s",
                                         mirror->numerator, mirror->denominator,
                                         STR_FMT(upstream_name_parse(mirror->cluster).port)));
    }
}

/* --- time ----------------------------------------------------------------------------------- */

/* gRPC clients know no limit of each attempt, which without retries is one of the request
 * (xds/route_features.c). */
static void timeouts(struct effects *effects, const struct ir_route *route)
{
    struct arena *arena = effects->arena;
    if (route->timeout_ms > 0) {
        in_force(effects, arena_printf(arena, "the request may take %.*s",
                                       STR_FMT(duration(arena, route->timeout_ms))));
    }
    if (route->backend_timeout_ms > 0) {
        struct str what = arena_printf(arena, "each attempt may take %.*s",
                                       STR_FMT(duration(arena, route->backend_timeout_ms)));
        if (route->retry == NULL) {
            in_force(effects, what);
        } else {
            by_proxies(effects, what);
        }
    }
}

static void retries(struct effects *effects, const struct ir_retry *retry)
{
    struct arena *arena = effects->arena;
    struct str codes = STR_NULL;
    for (size_t i = 0; i < retry->codes.len; i++) {
        codes = arena_printf(arena, "%.*s%s%d", STR_FMT(codes), i > 0 ? ", " : " and after ",
                             (int)retry->codes.items[i]);
    }
    struct str backoff =
        retry->backoff_ms > 0
            ? arena_printf(arena, ", %.*s apart", STR_FMT(duration(arena, retry->backoff_ms)))
            : STR_NULL;
    in_force(effects, arena_printf(arena, "up to %d retries when a connection fails%.*s%.*s",
                                   (int)retry->attempts, STR_FMT(codes), STR_FMT(backoff)));
}

/* --- all of them ---------------------------------------------------------------------------- */

static void tell_list(struct json *json, const char *key, const struct str *items, size_t len)
{
    if (len == 0) {
        return;
    }
    json_key(json, key);
    json_open(json, '[');
    for (size_t i = 0; i < len; i++) {
        json_str(json, items[i]);
    }
    json_close(json, ']');
}

void effects_tell(const struct engine *engine, const struct ir_route *route,
                  const struct client_class *client, struct arena *arena, struct json *json)
{
    struct effects effects = {
        .engine = engine,
        .arena = arena,
        .proxyless = client->role == ROLE_PROXYLESS,
        .keeps_sessions = str_eq(str_from(client->trait), STR(SCOPE_GRPC_EARLY)),
    };
    headers(&effects, "request", route->request_headers);
    headers(&effects, "response", route->response_headers);
    if (route->rewrite != NULL) {
        rewrites(&effects, route->rewrite);
    }
    backends(&effects, route);
    mirrors(&effects, route);
    if (route->cors != NULL) {
        by_proxies(&effects, STR("preflights are answered, and allowed origins told (CORS)"));
    }
    if (route->session != NULL) {
        session(&effects, route);
    }
    timeouts(&effects, route);
    if (route->retry != NULL) {
        retries(&effects, route->retry);
    }
    tell_list(json, "in_force", effects.in_force.items, effects.in_force.len);
    tell_list(json, "ignored", effects.ignored.items, effects.ignored.len);
    vec_release(&effects.in_force);
    vec_release(&effects.ignored);
}
