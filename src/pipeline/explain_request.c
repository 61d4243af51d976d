/* SPDX-License-Identifier: Apache-2.0 */
/* explain_request: the rules that a request is held against, the one that takes it, and what
 * becomes of it. */
#include "ir/graph.h"
#include "pipeline/domain.h"
#include "pipeline/effects.h"
#include "pipeline/explain_internal.h"
#include "pipeline/passing.h"

/* --- the rules ------------------------------------------------------------------------------ */

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
    if (explain_proxyless(telling) && match->query.len > 0) {
        return STR("left out for gRPC clients: a call has no query");
    }
    if (explain_proxyless(telling) && match->method.len > 0 &&
        !str_eq(match->method, STR("POST"))) {
        return STR("left out for gRPC clients: every call is a POST");
    }
    return ir_match_why_not(match, telling->request, telling->arena);
}

static struct str verdict_on(struct telling *telling, const struct ir_routing *routing,
                             const struct ir_route *route, const struct ir_route *winner)
{
    struct str hostname = domain_hostname(telling->engine, routing, route->rule);
    if (winner == route) {
        return STR("takes the request");
    }
    if (!str_eq(hostname, domain_hostname(telling->engine, routing, winner->rule))) {
        return arena_printf(telling->arena,
                            "matches too, but the hostname of its route, '%.*s', is less specific",
                            STR_FMT(hostname));
    }
    return arena_printf(telling->arena, "matches too, but %s", why_before(winner, route));
}

static void tell_rule(struct telling *telling, const struct ir_routing *routing,
                      const struct ir_route *route, const struct ir_route *winner,
                      struct str reason)
{
    json_open(telling->json, '{');
    explain_place_always(telling, route->rule);
    if (routing->domain.len > 0) {
        explain_text(telling, "hostname", domain_hostname(telling->engine, routing, route->rule));
    }
    explain_text(telling, "match", ir_match_text(&route->match, telling->arena));
    explain_text(telling, "verdict",
                 reason.len > 0 ? reason : verdict_on(telling, routing, route, winner));
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

const struct ir_route *explain_rules(struct telling *telling, const struct ir_routing *routing)
{
    const struct ir_route *winner = NULL;
    size_t told = 0;
    if (explain_leaves_out(telling, EXPLAIN_RULES)) {
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
            tell_rule(telling, routing, route, winner, reason);
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

static void tell_error(struct telling *telling, int32_t status, struct str reason)
{
    const struct failing failing = {.status = status};
    if (!explain_proxyless(telling)) {
        json_key(telling->json, "status");
        json_int(telling->json, status);
    }
    explain_text(telling, "code",
                 explain_proxyless(telling) ? STR("UNAVAILABLE")
                                            : str_from(explain_grpc_code(status)));
    explain_text(telling, "outcome", explain_failure(telling, failing, reason));
}

void explain_error(struct telling *telling, int32_t status, struct str reason)
{
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    explain_text(telling, "action", STR("error"));
    tell_error(telling, status, reason);
    json_close(telling->json, '}');
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

static void tell_notes(struct telling *telling, const struct ir_route *winner)
{
    json_key(telling->json, "notes");
    json_open(telling->json, '[');
    if (telling->question->fragment) {
        json_text(telling->json, "clients do not send the '#' and what follows it; Envoy answers "
                                 "400 where one does");
    }
    if (!str_eq(telling->request->path, telling->question->request.path)) {
        json_str(telling->json, arena_printf(telling->arena, "Envoy reads the path as '%.*s'",
                                             STR_FMT(telling->request->path)));
    }
    if (!explain_proxyless(telling) && repeats_header(telling->request)) {
        json_text(telling->json, "of a repeated header each value is compared, as Envoy 1.40 does; "
                                 "older ones join the values with ','");
    }
    if (winner != NULL) {
        explain_lost_mirrors(telling, winner->rule);
    }
    json_close(telling->json, ']');
}

/* Where the client wrote a port, Location has one, too (xds/route_action.c). */
static void tell_redirect(struct telling *telling, const struct ir_route *winner)
{
    const struct ir_redirect *redirect = winner->redirect;
    const struct request *request = telling->request;
    struct arena *arena = telling->arena;
    struct str host =
        redirect->hostname.len > 0 ? redirect->hostname : passing_host_name(telling->host);
    int port = redirect->port;
    if (port == 0 && redirect->hostname.len == 0 && host.len < telling->host.len) {
        port = str_eq(redirect->scheme, STR("https")) ? 443 : 80;
    }
    struct str path =
        passing_change(&winner->match, redirect->path_change, redirect->path, request->path, arena);
    json_key(telling->json, "status");
    json_int(telling->json, redirect->status);
    explain_text(telling, "outcome",
                 arena_printf(arena, "%d: Location is %.*s://%.*s%.*s%.*s%s%.*s",
                              (int)redirect->status, STR_FMT(redirect->scheme), STR_FMT(host),
                              STR_FMT(port != 0 ? arena_printf(arena, ":%d", port) : STR_NULL),
                              STR_FMT(path), request->query.ptr != NULL ? "?" : "",
                              STR_FMT(request->query)));
}

/* Returns "forward", "redirect" or "error". */
static const char *action_of(const struct telling *telling, const struct ir_route *winner)
{
    if (winner != NULL && winner->action == IR_FORWARD && any_valid(winner)) {
        return "forward";
    }
    /* gRPC clients follow no redirects: they are sent an error in place of it */
    return winner != NULL && winner->action == IR_REDIRECT && !explain_proxyless(telling)
               ? "redirect"
               : "error";
}

static void tell_outcome(struct telling *telling, const struct ir_route *winner)
{
    if (winner->action == IR_REDIRECT && !explain_proxyless(telling)) {
        tell_redirect(telling, winner);
    } else if (winner->action != IR_FORWARD) {
        tell_error(telling, winner->error_status, winner->reason);
    } else if (any_valid(winner)) {
        const struct failing failing = {.status = winner->error_status};
        explain_backends(telling, winner, winner->rule, winner->backends.items,
                         winner->backends.len, failing);
    } else {
        tell_error(telling, winner->error_status, winner->backends.items[0].reason);
        explain_remedy(telling, winner->rule, winner->backends.items[0].reason);
    }
}

void explain_decision(struct telling *telling, const struct ir_route *winner)
{
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    json_key(telling->json, "action");
    json_text(telling->json, action_of(telling, winner));
    if (winner == NULL) {
        tell_error(telling, HTTP_NOT_FOUND, STR("no rule matches"));
    } else {
        explain_place(telling, winner->rule);
        tell_outcome(telling, winner);
    }
    if (winner != NULL && winner->action == IR_FORWARD &&
        !explain_leaves_out(telling, EXPLAIN_EFFECTS)) {
        effects_tell(telling->engine, winner, telling->question->client, telling->arena,
                     telling->json);
    }
    if (!explain_leaves_out(telling, EXPLAIN_NOTES)) {
        tell_notes(telling, winner);
    }
    json_close(telling->json, '}');
}
