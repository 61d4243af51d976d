/* SPDX-License-Identifier: Apache-2.0 */
/* explain_l4: why a connection that nobody looks into goes where it goes. */
#include "model/hostname.h"
#include "pipeline/explain_internal.h"

#define NAMES_TOLD_MAX 8 /* of each rule */

static void text(struct telling *telling, const char *key, struct str value)
{
    json_key(telling->json, key);
    json_str(telling->json, value);
}

/* --- who takes it --------------------------------------------------------------------------- */

/* The server name of a rule that takes the connection best; empty: none does. */
static struct str best_name(const struct ir_l4_route *route, const struct question *question)
{
    struct str best = STR_NULL;
    for (size_t i = 0; question->server_name.len > 0 && i < route->server_names.len; i++) {
        struct str name = route->server_names.items[i];
        if (hostname_covers(name, question->server_name) &&
            (best.len == 0 || hostname_cmp(name, best) < 0)) {
            best = name;
        }
    }
    return best;
}

static bool takes(const struct ir_l4_route *route, const struct question *question)
{
    return route->server_names.len == 0 || best_name(route, question).len > 0;
}

/* "A precise name, then the longest" (TLSRouteSpec.hostnames). */
static const struct ir_l4_route *choose(const struct ir_routing *routing,
                                        const struct question *question)
{
    const struct ir_l4_route *winner = NULL;
    for (size_t i = 0; i < routing->connections.len; i++) {
        const struct ir_l4_route *route = &routing->connections.items[i];
        if (takes(route, question) &&
            (winner == NULL ||
             hostname_cmp(best_name(route, question), best_name(winner, question)) < 0)) {
            winner = route;
        }
    }
    return winner;
}

/* --- the rules ------------------------------------------------------------------------------ */

static struct str match_text(struct telling *telling, const struct ir_l4_route *route)
{
    if (route->server_names.len == 0) {
        return STR("every connection");
    }
    struct str all = STR("server name");
    for (size_t i = 0; i < route->server_names.len && i < NAMES_TOLD_MAX; i++) {
        all = arena_printf(telling->arena, "%.*s%s%.*s", STR_FMT(all), i > 0 ? ", " : " ",
                           STR_FMT(route->server_names.items[i]));
    }
    if (route->server_names.len > NAMES_TOLD_MAX) {
        all = arena_printf(telling->arena, "%.*s and %zu more", STR_FMT(all),
                           route->server_names.len - NAMES_TOLD_MAX);
    }
    return all;
}

/* Why no rule with server names takes it; also the reason when none of them does. */
static struct str why_none(struct telling *telling)
{
    const struct question *question = telling->question;
    if (question->about != ABOUT_TLS) {
        return STR("it does not begin with a TLS ClientHello");
    }
    return question->server_name.len == 0
               ? STR("the ClientHello asks for no server name")
               : arena_printf(telling->arena, "no server name takes '%.*s'",
                              STR_FMT(question->server_name));
}

static void tell_rule(struct telling *telling, const struct ir_l4_route *route,
                      const struct ir_l4_route *winner)
{
    json_open(telling->json, '{');
    explain_place(telling, route->rule);
    text(telling, "match", match_text(telling, route));
    if (route == winner) {
        text(telling, "verdict", STR("takes the connection"));
    } else if (takes(route, telling->question)) {
        text(telling, "verdict",
             arena_printf(telling->arena, "matches too, but '%.*s' is less specific",
                          STR_FMT(best_name(route, telling->question))));
    } else {
        text(telling, "verdict", why_none(telling));
    }
    json_close(telling->json, '}');
}

/* The winner, then what matches too, then what does not. */
static void tell_rules(struct telling *telling, const struct ir_routing *routing,
                       const struct ir_l4_route *winner)
{
    size_t told = 0;
    json_key(telling->json, "rules");
    json_open(telling->json, '[');
    for (unsigned place = 0; place < 3; place++) {
        for (size_t i = 0; i < routing->connections.len && told < RULES_TOLD_MAX; i++) {
            const struct ir_l4_route *route = &routing->connections.items[i];
            unsigned its = route == winner ? 0 : takes(route, telling->question) ? 1 : 2;
            if (its == place) {
                tell_rule(telling, route, winner);
                told++;
            }
        }
    }
    json_close(telling->json, ']');
    if (told < routing->connections.len) {
        json_key(telling->json, "more_rules");
        json_uint(telling->json, routing->connections.len - told);
    }
}

/* --- the decision --------------------------------------------------------------------------- */

static struct str refusal(struct telling *telling, struct str reason)
{
    return arena_printf(telling->arena, "the connection is closed: %.*s", STR_FMT(reason));
}

static void tell_backends(struct telling *telling, const struct ir_l4_route *route)
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
            explain_endpoints(telling, backend->cluster, true);
        } else {
            text(telling, "outcome", refusal(telling, backend->reason));
        }
        json_close(telling->json, '}');
    }
    json_close(telling->json, ']');
}

static void tell_decision(struct telling *telling, const struct ir_l4_route *winner)
{
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    if (winner == NULL) {
        text(telling, "action", STR("error"));
        text(telling, "outcome", refusal(telling, why_none(telling)));
    } else {
        text(telling, "action", winner->backends.len > 0 ? STR("forward") : STR("error"));
        if (winner->rule.len > 0) {
            explain_place(telling, winner->rule);
        }
        if (winner->backends.len > 0) {
            tell_backends(telling, winner);
        } else {
            text(telling, "outcome", refusal(telling, winner->reason));
        }
    }
    json_close(telling->json, '}');
}

void explain_connection(struct telling *telling, const struct ir_routing *routing,
                        struct explained *ret_explained)
{
    const struct ir_l4_route *winner = choose(routing, telling->question);
    if (routing->kind.len == 0) {
        text(telling, "routing",
             STR("opaque TCP: no route is attached, and appProtocol names no HTTP"));
    } else {
        text(telling, "routing", explain_routing(telling, routing));
        if ((telling->leave_out & EXPLAIN_RULES) == 0) {
            tell_rules(telling, routing, winner);
        }
    }
    tell_decision(telling, winner);
    ret_explained->connection = winner;
    if (winner != NULL) {
        ret_explained->filter = winner->name;
    }
}
