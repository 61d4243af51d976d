/* SPDX-License-Identifier: Apache-2.0 */
/* filters: see filters.h. */
#include "resolve/filters.h"

#include "resolve/candidates.h"
#include "resolve/cors.h"
#include "resolve/session.h"
#include "resolve/shares.h"

#define PORT_HTTP 80
#define PORT_HTTPS 443

/* --- header modifiers ---------------------------------------------------------------------- */

static size_t copy_headers(struct arena *arena, const struct header_value *from, size_t len,
                           struct ir_header **ret_items)
{
    struct ir_header *items = ARENA_ARRAY(arena, len, struct ir_header);
    for (size_t i = 0; i < len; i++) {
        items[i].name = arena_str(arena, from[i].name);
        items[i].value = arena_str(arena, from[i].value);
    }
    *ret_items = items;
    return len;
}

static struct ir_header_ops *copy_ops(struct arena *arena, const struct header_filter *filter)
{
    struct ir_header_ops *ops = ARENA_NEW(arena, struct ir_header_ops);
    ops->set.len = copy_headers(arena, filter->set.items, filter->set.len, &ops->set.items);
    ops->add.len = copy_headers(arena, filter->add.items, filter->add.len, &ops->add.items);
    ops->remove.items = ARENA_ARRAY(arena, filter->remove.len, struct str);
    for (size_t i = 0; i < filter->remove.len; i++) {
        ops->remove.items[ops->remove.len++] = arena_str(arena, filter->remove.items[i]);
    }
    return ops;
}

/* --- paths --------------------------------------------------------------------------------- */

struct str path_modifier_unserved(const struct path_modifier *modifier)
{
    if (modifier == NULL) {
        return STR_NULL;
    }
    struct str path = modifier->type == PATH_MODIFIER_FULL ? modifier->full : modifier->prefix;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '?' || c == '#') {
            return STR("the new path holds a character that no path can hold");
        }
    }
    return STR_NULL;
}

/* A path begins with a slash. Prefixes are made of elements, so that their trailing slashes mean
 * nothing: "/xyz/" is "/xyz", "/" is empty. */
static int change_path(struct arena *arena, const struct path_modifier *modifier,
                       struct str *ret_path)
{
    if (modifier == NULL) {
        return IR_PATH_KEEP;
    }
    bool full = modifier->type == PATH_MODIFIER_FULL;
    struct str path = full ? modifier->full : modifier->prefix;
    while (!full && path.len > 0 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    bool slash = str_starts_with(path, STR("/")) || (!full && path.len == 0);
    *ret_path = arena_printf(arena, "%s%.*s", slash ? "" : "/", STR_FMT(path));
    return full ? IR_PATH_REPLACE : IR_PATH_REPLACE_PREFIX;
}

/* HTTPRequestRedirectFilter.port: the written one, else the well-known port of the written scheme,
 * else the listener's, for which the Service port stands in the mesh. :80 of http and :443 of
 * https are not written into Location. */
static int32_t location_port(const struct redirect_filter *filter, struct str scheme,
                             int32_t arrival_port)
{
    int32_t known = str_eq(scheme, STR("https")) ? PORT_HTTPS : PORT_HTTP;
    int32_t port = filter->port != 0 ? filter->port : arrival_port;
    if (filter->port == 0 && filter->scheme.len > 0) {
        port = known;
    }
    return port == known ? 0 : port;
}

static struct ir_redirect *make_redirect(struct arena *arena, const struct redirect_filter *filter,
                                         const struct arrival *arrival)
{
    struct ir_redirect *redirect = ARENA_NEW(arena, struct ir_redirect);
    redirect->scheme = arrival->https ? STR("https") : STR("http");
    if (filter->scheme.len > 0) {
        redirect->scheme = arena_str(arena, filter->scheme);
    }
    redirect->hostname = arena_str(arena, filter->hostname);
    redirect->port = location_port(filter, redirect->scheme, arrival->port);
    redirect->status = filter->status;
    redirect->path_change = change_path(arena, filter->path, &redirect->path);
    return redirect;
}

static struct ir_rewrite *make_rewrite(struct arena *arena, const struct rewrite_filter *filter)
{
    struct ir_rewrite *rewrite = ARENA_NEW(arena, struct ir_rewrite);
    rewrite->hostname = arena_str(arena, filter->hostname);
    rewrite->path_change = change_path(arena, filter->path, &rewrite->path);
    return rewrite;
}

/* --- mirrors ------------------------------------------------------------------------------- */

static struct str mirror_cluster(struct arena *arena, const struct sender *sender,
                                 const struct attachment *attachment, size_t rule, size_t filter)
{
    for (size_t i = 0; i < attachment->mirrors.len; i++) {
        const struct attached_backend *mirror = &attachment->mirrors.items[i];
        if ((size_t)mirror->rule == rule && (size_t)mirror->index == filter) {
            struct str why;
            return share_cluster(arena, sender, mirror, &why);
        }
    }
    return STR_NULL;
}

/* A mirror that does not resolve is left out; ResolvedRefs says so. */
static void add_mirror(struct arena *arena, const struct mirror_filter *filter, struct str cluster,
                       struct ir_route *route)
{
    struct ir_mirror mirror = {.cluster = cluster, .numerator = 1, .denominator = 1};
    if (filter->has_percent) {
        mirror.numerator = filter->percent;
        mirror.denominator = 100;
    } else if (filter->fraction != NULL) {
        mirror.numerator = filter->fraction->numerator;
        mirror.denominator = filter->fraction->denominator;
    }
    if (cluster.len > 0 && mirror.numerator > 0) {
        mirror.cluster = arena_str(arena, cluster);
        route->mirrors.items[route->mirrors.len++] = mirror;
    }
}

/* --- timeouts and retries ------------------------------------------------------------------ */

static struct ir_retry *make_retry(struct arena *arena, const struct retry *from)
{
    struct ir_retry *retry = ARENA_NEW(arena, struct ir_retry);
    retry->attempts = from->attempts;
    retry->backoff_ms = from->has_backoff ? from->backoff_ms : 0;
    retry->codes.items = ARENA_ARRAY(arena, from->codes.len, int32_t);
    for (size_t i = 0; i < from->codes.len; i++) {
        retry->codes.items[retry->codes.len++] = from->codes.items[i];
    }
    return retry;
}

/* --- all of them --------------------------------------------------------------------------- */

static void apply_filter(struct arena *arena, const struct filter *filter,
                         const struct arrival *arrival, struct ir_route *route)
{
    if (filter->request_headers != NULL) {
        route->request_headers = copy_ops(arena, filter->request_headers);
    }
    if (filter->response_headers != NULL) {
        route->response_headers = copy_ops(arena, filter->response_headers);
    }
    if (filter->redirect != NULL) {
        route->action = IR_REDIRECT;
        route->reason = STR("the rule redirects requests, which gRPC clients do not follow");
        route->redirect = make_redirect(arena, filter->redirect, arrival);
    }
    if (filter->rewrite != NULL) {
        route->rewrite = make_rewrite(arena, filter->rewrite);
    }
    if (filter->cors != NULL) {
        route->cors = cors_from_filter(arena, filter->cors);
    }
}

void filters_of_rule(struct arena *arena, const struct rule_view *rule, size_t index,
                     const struct attachment *attachment, const struct arrival *arrival,
                     struct ir_route *route)
{
    route->mirrors.items = ARENA_ARRAY(arena, rule->filters_len, struct ir_mirror);
    for (size_t i = 0; i < rule->filters_len; i++) {
        const struct filter *filter = &rule->filters[i];
        apply_filter(arena, filter, arrival, route);
        if (filter->mirror != NULL) {
            add_mirror(arena, filter->mirror,
                       mirror_cluster(arena, &arrival->sender, attachment, index, i), route);
        }
    }
    if (rule->timeouts != NULL) {
        route->timeout_ms = rule->timeouts->request_ms;
        route->backend_timeout_ms = rule->timeouts->backend_ms;
    }
    if (rule->retry != NULL && rule->retry->attempts > 0) {
        route->retry = make_retry(arena, rule->retry);
    }
    if (rule->session != NULL) {
        route->session = session_make(arena, rule->session, route->rule);
    }
}

void filters_of_backend(struct arena *arena, const struct backend_ref *ref,
                        struct ir_backend *backend)
{
    for (size_t i = 0; i < ref->filters.len; i++) {
        const struct filter *filter = &ref->filters.items[i];
        if (filter->request_headers != NULL) {
            backend->request_headers = copy_ops(arena, filter->request_headers);
        }
        if (filter->response_headers != NULL) {
            backend->response_headers = copy_ops(arena, filter->response_headers);
        }
        if (filter->rewrite != NULL) {
            backend->hostname = arena_str(arena, filter->rewrite->hostname);
            backend->path_change = change_path(arena, filter->rewrite->path, &backend->path);
        }
    }
}
