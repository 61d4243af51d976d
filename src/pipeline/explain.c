/* SPDX-License-Identifier: Apache-2.0 */
/* explain: why a request goes where it goes; of connections: explain_l4.c. */
#include "pipeline/explain.h"

#include <string.h>

#include "base/panic.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "model/route.h"
#include "pipeline/effects.h"
#include "pipeline/explain_internal.h"
#include "pipeline/inbound.h"
#include "resolve/key.h"
#include "resolve/listener_name.h"
#include "resolve/rule.h"
#include "xds/row.h"

#define ENDPOINTS_TOLD_MAX 100 /* of each backend */

static void text(struct telling *telling, const char *key, struct str value)
{
    json_key(telling->json, key);
    json_str(telling->json, value);
}

static bool proxyless(const struct telling *telling)
{
    return telling->question->client->role == ROLE_PROXYLESS;
}

/* --- which Service port --------------------------------------------------------------------- */

struct by_ip {
    const struct question *question;
    struct str key;
};

static void visit_port(void *user, struct str key, const struct row *row)
{
    struct by_ip *search = user;
    const struct ir_port *port = (const struct ir_port *)row;
    if (port->port != search->question->port || port->protocol == IR_UDP ||
        port->taken_by.len > 0) {
        return;
    }
    for (size_t i = 0; i < port->ips.len; i++) {
        if (str_eq(port->ips.items[i], search->question->host)) {
            search->key = key;
        }
    }
}

static const struct settings_row *settings_of(const struct telling *telling)
{
    const struct settings_row *settings =
        (const struct settings_row *)engine_get(telling->engine, T_SETTINGS, STR(""));
    ASSERT(settings != NULL);
    return settings;
}

/* A sidecar finds a Service by the address that the connection goes to, whatever name the
 * application looked up, so "svc" alone is known in the client's namespace; a proxyless client by
 * the name it dials. */
static struct str find_port(struct telling *telling)
{
    const struct question *question = telling->question;
    const struct settings_row *settings = settings_of(telling);
    struct by_ip search = {.question = question};
    struct str service = question->host;
    struct str ns = question->client->ns;
    if (!proxyless(telling)) {
        engine_each(telling->engine, T_PORT, visit_port, &search);
        if (search.key.len > 0) {
            return search.key;
        }
    }
    bool short_name = str_index(service, '.') == service.len && !proxyless(telling);
    if (!short_name &&
        !service_host_parse(question->host, settings->cluster_domain, &service, &ns)) {
        return STR_NULL;
    }
    struct str key = port_key_make(telling->arena, ns, service, question->port, STR_NULL);
    return engine_get(telling->engine, T_PORT, key) != NULL ? key : STR_NULL;
}

/* --- the rules ------------------------------------------------------------------------------ */

/* "HTTPRoute/ns/name/2" -> the route's row, and the rule's number. */
static const struct route *route_of(struct telling *telling, struct str rule, size_t *ret_rule)
{
    struct rule_key key = rule_key_parse(rule);
    *ret_rule = key.number;
    return (const struct route *)engine_get(telling->engine, T_ROUTE, key.route);
}

static bool leaves_out(const struct telling *telling, enum explain_part part)
{
    return (telling->leave_out & part) != 0;
}

static void tell_place(struct telling *telling, struct str rule)
{
    size_t number;
    const struct route *route = rule.len > 0 ? route_of(telling, rule, &number) : NULL;
    if (route == NULL) {
        text(telling, "rule", STR("default"));
        return;
    }
    text(telling, "rule", rule);
    text(telling, "file", route->object.origin.file);
    json_key(telling->json, "line");
    json_uint(telling->json, number < route_rule_count(route) ? route_rule_line(route, number) : 0);
}

void explain_place(struct telling *telling, struct str rule)
{
    if (!leaves_out(telling, EXPLAIN_PLACES)) {
        tell_place(telling, rule);
    }
}

static unsigned path_rank(const struct ir_match *match)
{
    static const unsigned ranks[] = {
        [IR_PATH_EXACT] = 3,      [IR_PATH_REGEX] = 2, [IR_PATH_PREFIX] = 1,
        [IR_PATH_RAW_PREFIX] = 1, [IR_PATH_ANY] = 0,
    };
    return ranks[match->path_type];
}

static struct str route_part(struct str rule)
{
    return str_sub(rule, 0, str_rindex(rule, '/'));
}

/* Why the winner stands before another that matches, too (model/precedence.h). */
static const char *why_before(const struct ir_route *winner, const struct ir_route *loser)
{
    const struct ir_match *a = &winner->match;
    const struct ir_match *b = &loser->match;
    if (path_rank(a) != path_rank(b) || a->path.len != b->path.len) {
        return "its path is less specific";
    }
    if ((a->method.len > 0) != (b->method.len > 0)) {
        return "it asks for no method";
    }
    if (a->headers.len != b->headers.len) {
        return "it asks for fewer headers";
    }
    if (a->query.len != b->query.len) {
        return "it asks for fewer query parameters";
    }
    if (str_eq(winner->rule, loser->rule)) {
        return "it stands later in the same rule";
    }
    return str_eq(route_part(winner->rule), route_part(loser->rule))
               ? "its rule stands later in the same route"
               : "its route is younger, or as old and later by name";
}

/* gRPC clients are not sent what cannot match a call (xds/route_match.h). */
static struct str why_not(struct telling *telling, const struct ir_match *match)
{
    if (proxyless(telling) && match->query.len > 0) {
        return STR("left out for gRPC clients: a call has no query");
    }
    if (proxyless(telling) && match->method.len > 0 && !str_eq(match->method, STR("POST"))) {
        return STR("left out for gRPC clients: every call is a POST");
    }
    return ir_match_why_not(match, telling->request, telling->arena);
}

static void tell_rule(struct telling *telling, const struct ir_route *route,
                      const struct ir_route *winner, struct str reason)
{
    json_open(telling->json, '{');
    tell_place(telling, route->rule);
    text(telling, "match", ir_match_text(&route->match, telling->arena));
    if (winner == route) {
        text(telling, "verdict", STR("takes the request"));
    } else if (reason.len == 0) {
        text(telling, "verdict",
             arena_printf(telling->arena, "matches too, but %s", why_before(winner, route)));
    } else {
        text(telling, "verdict", reason);
    }
    json_close(telling->json, '}');
}

static const struct ir_route *find_taker(struct telling *telling, const struct ir_routing *routing)
{
    size_t i = 0;
    while (i < routing->routes.len && why_not(telling, &routing->routes.items[i].match).len > 0) {
        i++;
    }
    return i < routing->routes.len ? &routing->routes.items[i] : NULL;
}

/* Returns the one that takes the request, or NULL. */
static const struct ir_route *tell_rules(struct telling *telling, const struct ir_routing *routing)
{
    const struct ir_route *winner = NULL;
    size_t told = 0;
    if (leaves_out(telling, EXPLAIN_RULES)) {
        return find_taker(telling, routing);
    }
    json_key(telling->json, "rules");
    json_open(telling->json, '[');
    for (size_t i = 0; i < routing->routes.len; i++) {
        const struct ir_route *route = &routing->routes.items[i];
        bool wanted = told < RULES_TOLD_MAX;
        if (!wanted && winner != NULL) {
            break;
        }
        struct str reason = why_not(telling, &route->match);
        if (reason.len == 0 && winner == NULL) {
            winner = route;
        }
        if (wanted || winner == route) {
            tell_rule(telling, route, winner, reason);
            told++;
        }
    }
    json_close(telling->json, ']');
    if (told < routing->routes.len) {
        json_key(telling->json, "more_rules");
        json_uint(telling->json, routing->routes.len - told);
    }
    return winner;
}

/* --- the decision --------------------------------------------------------------------------- */

/* What Envoy tells a gRPC client in place of an HTTP status. */
static const char *grpc_code(int32_t status)
{
    return status == 404 ? "UNIMPLEMENTED" : "UNAVAILABLE"; /* 500: see xds/route_action.c */
}

/* "500 (for gRPC UNAVAILABLE): REASON"; proxyless clients fail every such call with UNAVAILABLE. */
static struct str failure(const struct telling *telling, int32_t status, struct str reason)
{
    return proxyless(telling) ? arena_printf(telling->arena, "UNAVAILABLE: %.*s", STR_FMT(reason))
                              : arena_printf(telling->arena, "%d (for gRPC %s): %.*s", (int)status,
                                             grpc_code(status), STR_FMT(reason));
}

static void tell_error(struct telling *telling, int32_t status, struct str reason)
{
    if (!proxyless(telling)) {
        json_key(telling->json, "status");
        json_int(telling->json, status);
    }
    text(telling, "code", proxyless(telling) ? STR("UNAVAILABLE") : str_from(grpc_code(status)));
    text(telling, "outcome", failure(telling, status, reason));
}

/* Those of the client's node, else of its zone, else for everybody (pipeline/view.c). */
static const struct ir_endpoints *find_endpoints(struct telling *telling, struct str cluster)
{
    const struct client_class *client = telling->question->client;
    const struct row *found = NULL;
    if (client->machine.len > 0) {
        found = engine_get(telling->engine, T_ENDPOINTS,
                           arena_printf(telling->arena, "%.*s@node/%.*s", STR_FMT(cluster),
                                        STR_FMT(client->machine)));
    }
    if (found == NULL && client->zone.len > 0) {
        found = engine_get(telling->engine, T_ENDPOINTS,
                           arena_printf(telling->arena, "%.*s@zone/%.*s", STR_FMT(cluster),
                                        STR_FMT(client->zone)));
    }
    if (found == NULL) {
        found = engine_get(telling->engine, T_ENDPOINTS, cluster);
    }
    return (const struct ir_endpoints *)found;
}

static void tell_endpoint(struct telling *telling, const struct ir_locality *locality,
                          const struct ir_endpoint *endpoint)
{
    json_open(telling->json, '{');
    text(telling, "address",
         arena_printf(telling->arena, "%.*s:%d", STR_FMT(endpoint->address), (int)endpoint->port));
    if (locality->zone.len > 0) {
        text(telling, "zone", locality->zone);
    }
    if (locality->priority > 0) {
        json_key(telling->json, "priority");
        json_int(telling->json, locality->priority);
    }
    if (endpoint->draining) {
        json_key(telling->json, "draining");
        json_bool(telling->json, true);
    }
    json_close(telling->json, '}');
}

static void tell_endpoints(struct telling *telling, const struct ir_endpoints *endpoints)
{
    size_t told = 0;
    json_key(telling->json, "endpoints");
    json_open(telling->json, '[');
    for (size_t i = 0; endpoints != NULL && i < endpoints->localities.len; i++) {
        const struct ir_locality *locality = &endpoints->localities.items[i];
        for (size_t j = 0; j < locality->endpoints.len && told < ENDPOINTS_TOLD_MAX; j++, told++) {
            tell_endpoint(telling, locality, &locality->endpoints.items[j]);
        }
    }
    json_close(telling->json, ']');
}

static bool any_endpoint(const struct ir_endpoints *endpoints)
{
    bool any = false;
    for (size_t i = 0; endpoints != NULL && i < endpoints->localities.len; i++) {
        any = any || endpoints->localities.items[i].endpoints.len > 0;
    }
    return any;
}

void explain_endpoints(struct telling *telling, struct str cluster, bool opaque)
{
    const struct ir_endpoints *endpoints = find_endpoints(telling, cluster);
    if (!leaves_out(telling, EXPLAIN_ENDPOINTS)) {
        tell_endpoints(telling, endpoints);
    }
    if (!any_endpoint(endpoints)) {
        struct str reason = STR("no endpoint is ready");
        text(telling, "outcome",
             opaque ? STR("the connection is closed: no endpoint is ready")
                    : failure(telling, 503, reason));
    }
}

/* Returns whether any request is forwarded. */
static bool any_valid(const struct ir_route *route)
{
    for (size_t i = 0; i < route->backends.len; i++) {
        if (route->backends.items[i].cluster.len > 0) {
            return true;
        }
    }
    return false;
}

static void tell_backends(struct telling *telling, const struct ir_route *route)
{
    int64_t sum = 0;
    for (size_t i = 0; i < route->backends.len; i++) {
        sum += route->backends.items[i].weight;
    }
    json_key(telling->json, "backends");
    json_open(telling->json, '[');
    for (size_t i = 0; i < route->backends.len; i++) {
        const struct ir_backend *backend = &route->backends.items[i];
        json_open(telling->json, '{');
        json_key(telling->json, "share");
        json_double(telling->json, (double)backend->weight / (double)sum);
        if (backend->cluster.len > 0) {
            text(telling, "backend", backend->cluster);
            explain_endpoints(telling, backend->cluster, false);
        } else {
            text(telling, "outcome", failure(telling, route->error_status, backend->reason));
        }
        json_close(telling->json, '}');
    }
    json_close(telling->json, ']');
}

static bool repeats_header(const struct request *request)
{
    for (size_t i = 0; i < request->nheaders; i++) {
        for (size_t j = 0; j < i; j++) {
            if (str_eq_nocase(request->headers[i].name, request->headers[j].name)) {
                return true;
            }
        }
    }
    return false;
}

static void tell_notes(struct telling *telling)
{
    json_key(telling->json, "notes");
    json_open(telling->json, '[');
    if (telling->question->fragment) {
        json_text(telling->json, "clients do not send the '#' and what follows it; Envoy answers "
                                 "400 where one does");
    }
    if (!proxyless(telling) && repeats_header(telling->request)) {
        json_text(telling->json, "of a repeated header each value is compared, as Envoy 1.40 does; "
                                 "older ones join the values with ','");
    }
    json_close(telling->json, ']');
}

/* The path and query of Location are told by the filter; only its beginning is worked out. */
static void tell_redirect(struct telling *telling, const struct ir_redirect *redirect)
{
    struct str port =
        redirect->port != 0 ? arena_printf(telling->arena, ":%d", (int)redirect->port) : STR_NULL;
    struct str host = redirect->hostname.len > 0 ? redirect->hostname : telling->question->host;
    json_key(telling->json, "status");
    json_int(telling->json, redirect->status);
    text(telling, "outcome",
         arena_printf(telling->arena, "%d: Location begins with %.*s://%.*s%.*s/",
                      (int)redirect->status, STR_FMT(redirect->scheme), STR_FMT(host),
                      STR_FMT(port)));
}

/* Returns "forward", "redirect" or "error". */
static const char *action_of(const struct telling *telling, const struct ir_route *winner)
{
    if (winner != NULL && winner->action == IR_FORWARD && any_valid(winner)) {
        return "forward";
    }
    /* gRPC clients follow no redirects: they are sent an error in place of it */
    return winner != NULL && winner->action == IR_REDIRECT && !proxyless(telling) ? "redirect"
                                                                                  : "error";
}

static void tell_outcome(struct telling *telling, const struct ir_route *winner)
{
    if (winner->action == IR_REDIRECT && !proxyless(telling)) {
        tell_redirect(telling, winner->redirect);
    } else if (winner->action != IR_FORWARD) {
        tell_error(telling, winner->error_status, winner->reason);
    } else if (any_valid(winner)) {
        tell_backends(telling, winner);
    } else {
        tell_error(telling, winner->error_status, winner->backends.items[0].reason);
    }
}

static void tell_decision(struct telling *telling, const struct ir_route *winner)
{
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    json_key(telling->json, "action");
    json_text(telling->json, action_of(telling, winner));
    if (winner == NULL) {
        tell_error(telling, 404, STR("no rule matches"));
    } else {
        explain_place(telling, winner->rule);
        tell_outcome(telling, winner);
    }
    if (winner != NULL && winner->action == IR_FORWARD && !leaves_out(telling, EXPLAIN_EFFECTS)) {
        effects_tell(telling->engine, winner, telling->question->client, telling->arena,
                     telling->json);
    }
    if (!leaves_out(telling, EXPLAIN_NOTES)) {
        tell_notes(telling);
    }
    json_close(telling->json, '}');
}

/* --- all of it ------------------------------------------------------------------------------ */

/* A connection where requests are looked into. */
static void tell_not_a_request(struct telling *telling, const struct ir_routing *routing)
{
    text(telling, "routing", explain_routing(telling, routing));
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    text(telling, "action", STR("error"));
    text(telling, "outcome",
         STR("the sidecar reads HTTP here, and ends what is none; ask for a request, with METHOD "
             "and http://HOST:PORT/PATH"));
    json_close(telling->json, '}');
}

/* The connection is none of a Service port that the mesh carries. */
static void tell_stranger(struct telling *telling, struct str why)
{
    text(telling, "routing", why);
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    if (proxyless(telling)) {
        text(telling, "action", STR("error"));
        tell_error(telling, 0, why);
    } else {
        text(telling, "action", STR("passthrough"));
        text(telling, "outcome", STR("the sidecar passes the connection on untouched"));
    }
    json_close(telling->json, '}');
}

/* What a gRPC client compares: no binary metadata, and its content type whatever was said. */
static void see_as_grpc(struct request *request)
{
    size_t kept = 0;
    for (size_t i = 0; i < request->nheaders; i++) {
        struct ir_header header = request->headers[i];
        if (!str_ends_with(header.name, STR("-bin")) &&
            !str_eq_nocase(header.name, STR("content-type")) && kept + 1 < REQUEST_HEADERS_MAX) {
            request->headers[kept++] = header;
        }
    }
    request->headers[kept++] = (struct ir_header){STR("content-type"), STR("application/grpc")};
    request->nheaders = kept;
    request->joins = true;
}

static const struct ir_routing *find_routing(struct telling *telling, struct str key,
                                             struct explained *explained)
{
    struct str ns = telling->question->client->ns;
    struct str own = arena_printf(telling->arena, "%.*s@%.*s", STR_FMT(key), STR_FMT(ns));
    const struct ir_routing *routing =
        (const struct ir_routing *)engine_get(telling->engine, T_ROUTING, own);
    bool consumer = routing != NULL;
    if (!consumer) {
        routing = (const struct ir_routing *)engine_get(telling->engine, T_ROUTING, key);
    }
    if (routing != NULL) {
        explained->routing = consumer ? own : key;
        explained->http = routing->http || proxyless(telling);
    }
    return routing;
}

struct str explain_routing(const struct telling *telling, const struct ir_routing *routing)
{
    if (routing->kind.len > 0 && proxyless(telling) && routing->routes.len > 0 &&
        routing->routes.items[0].rule.len == 0) {
        return arena_printf(telling->arena,
                            "the Service's own endpoints: gRPC clients do not follow %.*ss",
                            STR_FMT(routing->kind));
    }
    if (routing->client_ns.len > 0) {
        return arena_printf(telling->arena,
                            "consumer %.*ss: those of the client's namespace '%.*s'",
                            STR_FMT(routing->kind), STR_FMT(routing->client_ns));
    }
    if (routing->kind.len == 0) {
        return STR("the Service's own endpoints: no route is attached");
    }
    return arena_printf(telling->arena, "producer %.*ss: those of the Service's namespace",
                        STR_FMT(routing->kind));
}

struct explained explain(const struct engine *engine, const struct question *question,
                         unsigned leave_out, struct arena *arena, struct json *json)
{
    struct request request = question->request;
    struct telling telling = {engine, question, &request, arena, json, leave_out};
    struct explained explained = {.routing = STR_NULL};
    explained.listener = inbound_explain(telling.engine, question, arena, json);
    if (explained.listener.len > 0) {
        return explained;
    }
    const struct settings_row *settings = settings_of(&telling);
    if (!authority_is_ours(settings, question->authority)) {
        tell_stranger(&telling, authority_why_not(arena, settings, question->authority));
        return explained;
    }
    struct str key = find_port(&telling);
    if (key.len == 0) {
        tell_stranger(&telling, arena_printf(arena, "'%.*s:%d' is no Service port",
                                             STR_FMT(question->host), (int)question->port));
        return explained;
    }
    text(&telling, "service", key);
    const struct ir_routing *routing = find_routing(&telling, key, &explained);
    if (routing == NULL) {
        const struct ir_port *port =
            (const struct ir_port *)engine_get(telling.engine, T_PORT, key);
        tell_stranger(&telling, port->why_not);
    } else if (!explained.http) {
        explain_connection(&telling, routing, &explained);
    } else if (question->about != ABOUT_REQUEST) {
        tell_not_a_request(&telling, routing);
    } else {
        if (proxyless(&telling)) {
            see_as_grpc(&request);
        }
        text(&telling, "routing", explain_routing(&telling, routing));
        explained.taker = tell_rules(&telling, routing);
        tell_decision(&telling, explained.taker);
    }
    return explained;
}
