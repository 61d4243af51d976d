/* SPDX-License-Identifier: Apache-2.0 */
/* explain_l4: why a connection that nobody looks into goes where it goes. */
#include "model/hostname.h"
#include "pipeline/explain_internal.h"

#define NAMES_TOLD_MAX 8 /* of each rule */

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
    explain_text(telling, "match", match_text(telling, route));
    if (route == winner) {
        explain_text(telling, "verdict", STR("takes the connection"));
    } else if (takes(route, telling->question)) {
        explain_text(telling, "verdict",
                     arena_printf(telling->arena, "matches too, but '%.*s' is less specific",
                                  STR_FMT(best_name(route, telling->question))));
    } else {
        explain_text(telling, "verdict", why_none(telling));
    }
    json_close(telling->json, '}');
}

/* What a Gateway's listener refuses is the outcome, no rule. */
static bool is_rule(const struct telling *telling, const struct ir_l4_route *route)
{
    return telling->gateway == NULL || route->rule.len > 0;
}

/* The winner, then what matches too, then what does not. */
static void tell_rules(struct telling *telling, const struct ir_routing *routing,
                       const struct ir_l4_route *winner)
{
    size_t told = 0;
    size_t all = 0;
    json_key(telling->json, "rules");
    json_open(telling->json, '[');
    for (unsigned place = 0; place < 3; place++) {
        for (size_t i = 0; i < routing->connections.len; i++) {
            const struct ir_l4_route *route = &routing->connections.items[i];
            unsigned its = route == winner ? 0 : takes(route, telling->question) ? 1 : 2;
            if (its != place || !is_rule(telling, route)) {
                continue;
            }
            if (all++ < RULES_TOLD_MAX) {
                tell_rule(telling, route, winner);
                told++;
            }
        }
    }
    json_close(telling->json, ']');
    if (told < all) {
        json_key(telling->json, "more_rules");
        json_uint(telling->json, all - told);
    }
}

/* --- the decision --------------------------------------------------------------------------- */

static struct str refusal(struct telling *telling, struct str reason)
{
    const struct failing failing = {.opaque = true};
    return explain_failure(telling, failing, reason);
}

void explain_closed(struct telling *telling, struct str reason)
{
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    explain_text(telling, "action", STR("error"));
    explain_text(telling, "outcome", refusal(telling, reason));
    json_close(telling->json, '}');
}

static void tell_decision(struct telling *telling, const struct ir_l4_route *winner)
{
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    if (winner == NULL) {
        explain_text(telling, "action", STR("error"));
        explain_text(telling, "outcome", refusal(telling, why_none(telling)));
    } else {
        explain_text(telling, "action", winner->backends.len > 0 ? STR("forward") : STR("error"));
        if (winner->rule.len > 0) {
            explain_place(telling, winner->rule);
        }
        if (winner->backends.len > 0) {
            const struct failing failing = {.opaque = true};
            explain_backends(telling, NULL, winner->rule, winner->backends.items,
                             winner->backends.len, failing);
        } else {
            explain_text(telling, "outcome", refusal(telling, winner->reason));
            explain_remedy(telling, winner->rule, winner->reason);
        }
    }
    json_close(telling->json, '}');
}

const struct ir_l4_route *explain_connection_rules(struct telling *telling,
                                                   const struct ir_routing *routing)
{
    const struct ir_l4_route *winner = choose(routing, telling->question);
    if (!explain_leaves_out(telling, EXPLAIN_RULES)) {
        tell_rules(telling, routing, winner);
    }
    return winner;
}

void explain_connection_decision(struct telling *telling, const struct ir_l4_route *winner,
                                 struct explained *ret_explained)
{
    tell_decision(telling, winner);
    ret_explained->connection = winner;
    if (winner != NULL) {
        ret_explained->filter = winner->name;
    }
}

void explain_connection(struct telling *telling, const struct ir_routing *routing,
                        struct explained *ret_explained)
{
    if (routing->kind.len == 0) {
        explain_text(telling, "routing",
                     STR("opaque TCP: no route is attached, and appProtocol names no HTTP"));
        explain_connection_decision(telling, choose(routing, telling->question), ret_explained);
        return;
    }
    explain_text(telling, "routing", explain_routing(telling, routing));
    explain_connection_decision(telling, explain_connection_rules(telling, routing), ret_explained);
}
