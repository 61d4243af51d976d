/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain_unattached: routes that may well have been meant to take a request or connection of a
 * Gateway, and are not even asked:
 *
 *   - their parentRef names the Gateway, but no listener took them, or another route is in the way
 *   - they are attached to other listeners than the one that has the host
 *   - none of their hostnames is the host
 *   - they have the host, and name other Gateways
 *
 * Of requests only routes with a rule that would match are told.
 */
#include <stdlib.h>

#include "base/vec.h"
#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/gateway.h"
#include "model/hostname.h"
#include "pipeline/explain_internal.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/match.h"
#include "resolve/rule.h"

#define OTHER_HOSTS_TOLD_MAX 5    /* of routes that only have other hostnames: the nearest */
#define OTHER_HOSTS_BESIDES_MAX 2 /* the same, where some route has the host */
#define DISTANCE_MAX 32           /* beyond it one hostname is as far as another */
#define NAMES_TOLD_MAX 4

struct unattached {
    struct str key;
    const struct route *route;
    struct str why;
    size_t parent;
    enum { HAS_HOST, ANY_HOST, OTHER_HOST } rank; /* the likeliest first */
    unsigned distance;                            /* of its nearest hostname */
};

struct search {
    struct telling *telling;
    const struct asked_routes *asked;
    VEC(struct unattached) found;
};

struct reason {
    size_t parent; /* of the route's parentRefs */
    struct str why;
};

/* --- which routes --------------------------------------------------------------------------- */

static bool would_match(const struct search *search, const struct route *route)
{
    struct telling *telling = search->telling;
    bool grpc = route->object.kind == KIND_GRPCROUTE;
    struct ir_match match;
    for (size_t i = 0; i < route_rule_count(route); i++) {
        const struct http_rule *http = &((const struct http_route *)route)->rules.items[i];
        const struct grpc_rule *call = &((const struct grpc_route *)route)->rules.items[i];
        size_t written = grpc ? call->matches.len : http->matches.len;
        for (size_t j = 0; j < route_match_count(route, i); j++) {
            match = (struct ir_match){.path_type = IR_PATH_ANY};
            if (grpc) {
                match_from_grpc(telling->arena, written > 0 ? &call->matches.items[j] : NULL,
                                &match);
            } else {
                match_from_http(telling->arena, written > 0 ? &http->matches.items[j] : NULL,
                                &match);
            }
            if (ir_match_request(&match, telling->request)) {
                return true;
            }
        }
    }
    return false;
}

/* By a hostname of its own. */
static bool names_host(const struct search *search, const struct route *route)
{
    bool any = false;
    for (size_t i = 0; i < route->hostnames.len; i++) {
        any = any || hostname_covers(route->hostnames.items[i], search->asked->host);
    }
    return any;
}

static bool is_of_kind(const struct search *search, const struct route *route)
{
    static const enum kind_id kinds[] = {
        [ABOUT_TCP] = KIND_TCPROUTE, [ABOUT_TLS] = KIND_TLSROUTE, [ABOUT_UDP] = KIND_UDPROUTE};
    int about = search->telling->question->about;
    bool requests = !govern_of_connections(route->object.kind);
    if (about != ABOUT_REQUEST && requests) { /* by mistake, of a listener that reads none */
        return search->telling->question->https && names_host(search, route);
    }
    return about == ABOUT_REQUEST ? requests : route->object.kind == kinds[about];
}

static bool is_of(struct str rule, struct str route)
{
    return rule.len > 0 && str_eq(rule_key_parse(rule).route, route);
}

bool explain_is_asked(const struct ir_routing *domain, struct str route)
{
    bool any = false;
    for (size_t i = 0; domain != NULL && i < domain->routes.len; i++) {
        any = any || is_of(domain->routes.items[i].rule, route);
    }
    for (size_t i = 0; domain != NULL && i < domain->connections.len; i++) {
        any = any || is_of(domain->connections.items[i].rule, route);
    }
    return any;
}

static bool has_host(const struct search *search, const struct route *route)
{
    return route->hostnames.len == 0 || names_host(search, route);
}

/* --- why not -------------------------------------------------------------------------------- */

static struct str list_hostnames(const struct search *search, const struct route *route)
{
    struct arena *arena = search->telling->arena;
    struct str all = STR_NULL;
    for (size_t i = 0; i < route->hostnames.len && i < NAMES_TOLD_MAX; i++) {
        all = arena_printf(arena, "%.*s%s'%.*s'", STR_FMT(all), i > 0 ? ", " : "",
                           STR_FMT(route->hostnames.items[i]));
    }
    return route->hostnames.len > NAMES_TOLD_MAX ? arena_printf(arena, "%.*s, …", STR_FMT(all))
                                                 : all;
}

static struct str list_listeners(const struct search *search, const struct attached_parent *parent)
{
    struct arena *arena = search->telling->arena;
    struct str all = STR_NULL;
    for (size_t i = 0; i < parent->listeners.len && i < NAMES_TOLD_MAX; i++) {
        all = arena_printf(arena, "%.*s%s'%.*s'", STR_FMT(all), i > 0 ? ", " : "",
                           STR_FMT(parent->listeners.items[i].key));
    }
    return parent->listeners.len > NAMES_TOLD_MAX ? arena_printf(arena, "%.*s, …", STR_FMT(all))
                                                  : all;
}

static bool is_attached_to(const struct attached_parent *parent, struct str listener)
{
    for (size_t i = 0; i < parent->listeners.len; i++) {
        if (str_eq(parent->listeners.items[i].key, listener)) {
            return true;
        }
    }
    return false;
}

/* On the port that is asked: then its listener is a less specific one. */
static bool is_on_port(const struct search *search, const struct attached_parent *parent)
{
    for (size_t i = 0; i < parent->listeners.len; i++) {
        if (entry_key_parse(parent->listeners.items[i].entry).port ==
            search->telling->question->port) {
            return true;
        }
    }
    return false;
}

/* Of a parentRef that is attached, if not to the listener that was asked. */
static struct str why_other_listener(const struct search *search,
                                     const struct attached_parent *parent)
{
    struct arena *arena = search->telling->arena;
    struct str owner = search->asked->listener;
    struct str has = list_listeners(search, parent);
    if (search->asked->taken && !is_on_port(search, parent)) {
        return STR_NULL;
    }
    return owner.len == 0
               ? arena_printf(arena, "it is attached to %.*s", STR_FMT(has))
               : arena_printf(arena, "it is attached to %.*s, not to '%.*s', which alone is asked",
                              STR_FMT(has), STR_FMT(owner));
}

/* The route of another kind that has the listener; empty: none has. */
static struct str rival_of(const struct search *search, struct str route)
{
    const struct ir_rivals *rivals = (const struct ir_rivals *)engine_get(
        search->telling->engine, T_RIVALS, search->asked->listener);
    return ir_rivals_winner(rivals, route);
}

/* Of a parentRef that is attached to the listener that was asked, and whose route has the host. */
static struct str why_displaced(const struct search *search, struct str route,
                                const struct condition *accepted)
{
    struct str rival = rival_of(search, route);
    if (rival.len == 0) {
        return accepted != NULL ? accepted->message : STR_NULL;
    }
    return arena_printf(search->telling->arena,
                        "%.*s, which is older, has a hostname of it on the listener, and routes of "
                        "the two kinds are not merged",
                        STR_FMT(rival));
}

/* accepted: the condition that the route's status tells of the parentRef; NULL: none. */
static struct str why_of_parent(const struct search *search, const struct route *route,
                                struct str key, const struct attached_parent *parent,
                                const struct condition *accepted)
{
    struct arena *arena = search->telling->arena;
    bool meant = search->asked->routing == NULL || has_host(search, route);
    if (parent->condition != C_accepted && meant) {
        return arena_printf(arena, "%s: %.*s",
                            condition_info((enum condition_id)parent->condition)->reason,
                            STR_FMT(parent->message));
    }
    if (!has_host(search, route)) {
        return search->asked->taken || search->asked->host.len == 0
                   ? STR_NULL
                   : arena_printf(arena, "its hostnames do not cover '%.*s': %.*s",
                                  STR_FMT(search->asked->host),
                                  STR_FMT(list_hostnames(search, route)));
    }
    return is_attached_to(parent, search->asked->listener) ? why_displaced(search, key, accepted)
                                                           : why_other_listener(search, parent);
}

static struct str list_parents(const struct search *search, const struct route *route)
{
    struct arena *arena = search->telling->arena;
    struct str all = STR_NULL;
    for (size_t i = 0; i < route->parents.len && i < NAMES_TOLD_MAX; i++) {
        const struct parent_ref *ref = &route->parents.items[i];
        struct str ns = ref->ns.len > 0 ? ref->ns : route->object.meta.ns;
        all = arena_printf(arena, "%.*s%s%.*s '%.*s/%.*s'", STR_FMT(all), i > 0 ? ", " : "",
                           STR_FMT(ref->kind), STR_FMT(ns), STR_FMT(ref->name));
    }
    return all;
}

/* Of a route that does not name the Gateway. */
static struct reason why_elsewhere(const struct search *search, const struct route *route)
{
    struct reason reason = {.why = STR_NULL};
    if (!search->asked->taken && route->parents.len > 0 && search->asked->host.len > 0 &&
        names_host(search, route)) {
        reason.why =
            arena_printf(search->telling->arena, "its parentRefs do not name the Gateway, but %.*s",
                         STR_FMT(list_parents(search, route)));
    }
    return reason;
}

static struct reason why_not(const struct search *search, const struct route *route, struct str key)
{
    const struct engine *engine = search->telling->engine;
    struct str gateway = search->telling->question->client->gateway;
    const struct attachment *attachment =
        (const struct attachment *)engine_get(engine, T_ATTACHMENT, key);
    const struct status *status = (const struct status *)engine_get(engine, T_STATUS, key);
    struct reason reason = {.why = STR_NULL};
    bool names_gateway = false;
    for (size_t i = 0; attachment != NULL && i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        bool told = status != NULL && i < status->parents.len &&
                    status->parents.items[i].conditions.len > 0;
        if (str_eq(parent->gateway, gateway) && reason.why.len == 0) {
            names_gateway = true;
            reason.parent = (size_t)parent->index;
            reason.why = why_of_parent(search, route, key, parent,
                                       told ? &status->parents.items[i].conditions.items[0] : NULL);
        }
    }
    return names_gateway ? reason : why_elsewhere(search, route);
}

/* --- telling -------------------------------------------------------------------------------- */

static unsigned distance_of(const struct search *search, const struct route *route)
{
    unsigned nearest = DISTANCE_MAX;
    for (size_t i = 0; i < route->hostnames.len; i++) {
        unsigned edits = str_distance(route->hostnames.items[i], search->asked->host, DISTANCE_MAX);
        nearest = edits < nearest ? edits : nearest;
    }
    return nearest;
}

static void visit_route(void *user, struct str key, const struct row *row)
{
    struct search *search = user;
    const struct route *route = (const struct route *)row;
    if (explain_is_asked(search->asked->routing, key) || !is_of_kind(search, route)) {
        return;
    }
    struct reason reason = why_not(search, route, key);
    bool request = search->telling->question->about == ABOUT_REQUEST;
    if (reason.why.len == 0 || (request && !would_match(search, route))) {
        return;
    }
    struct unattached it = {.key = key, .route = route, .why = reason.why, .parent = reason.parent};
    if (search->asked->host.len == 0 || route->hostnames.len == 0) {
        it.rank = ANY_HOST;
    } else if (!names_host(search, route)) {
        it.rank = OTHER_HOST;
        it.distance = distance_of(search, route);
    }
    vec_push(&search->found, it);
}

static int by_likelihood(const void *a, const void *b)
{
    const struct unattached *ua = a, *ub = b;
    int order = (ua->rank > ub->rank) - (ua->rank < ub->rank);
    order = order != 0 ? order : (ua->distance > ub->distance) - (ua->distance < ub->distance);
    return order != 0 ? order : str_cmp(ua->key, ub->key);
}

static void tell_route(struct search *search, const struct unattached *it)
{
    struct json *json = search->telling->json;
    json_open(json, '{');
    explain_text(search->telling, "route", it->key);
    explain_text(search->telling, "file", it->route->object.origin.file);
    json_key(json, "line");
    json_uint(json, it->route->parents.items[it->parent].line);
    explain_text(search->telling, "why", it->why);
    json_close(json, '}');
}

static void tell_found(struct search *search)
{
    struct json *json = search->telling->json;
    size_t told = 0, others = 0;
    qsort(search->found.items, search->found.len, sizeof(search->found.items[0]), by_likelihood);
    size_t others_max =
        search->found.items[0].rank == HAS_HOST ? OTHER_HOSTS_BESIDES_MAX : OTHER_HOSTS_TOLD_MAX;
    json_key(json, "unattached");
    json_open(json, '[');
    for (size_t i = 0; i < search->found.len && told < UNATTACHED_TOLD_MAX; i++) {
        const struct unattached *it = &search->found.items[i];
        others += it->rank == OTHER_HOST;
        if (others <= others_max) {
            tell_route(search, it);
            told++;
        }
    }
    json_close(json, ']');
    if (told < search->found.len) {
        json_key(json, "more_unattached");
        json_uint(json, search->found.len - told);
    }
}

void explain_unattached(struct telling *telling, const struct asked_routes *asked)
{
    struct search search = {telling, asked, {NULL, 0, 0}};
    if (explain_leaves_out(telling, EXPLAIN_RULES)) {
        return;
    }
    engine_each(telling->engine, T_ROUTE, visit_route, &search);
    if (search.found.len > 0) {
        tell_found(&search);
    }
    vec_release(&search.found);
}
