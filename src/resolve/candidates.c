/* SPDX-License-Identifier: Apache-2.0 */
/* candidates: see candidates.h. */
#include "resolve/candidates.h"

#include <stdlib.h>

#include "ir/graph.h"
#include "model/precedence.h"
#include "resolve/filters.h"
#include "resolve/match.h"
#include "resolve/rule.h"

static int candidate_cmp(const void *a, const void *b)
{
    const struct candidate *ca = a;
    const struct candidate *cb = b;
    int order = 0;
    if (ca->http != NULL && cb->http != NULL) {
        order = http_match_cmp(ca->http, cb->http);
    } else if (ca->http == NULL && cb->http == NULL) {
        order = grpc_match_cmp(ca->grpc, cb->grpc);
    }
    if (order == 0) {
        order = (ca->age > cb->age) - (ca->age < cb->age);
    }
    if (order == 0) {
        order = (ca->rule > cb->rule) - (ca->rule < cb->rule);
    }
    return order != 0 ? order : (ca->match > cb->match) - (ca->match < cb->match);
}

/* False: the match cannot be read, and takes no request. */
static bool fill_candidate(struct candidate *candidate)
{
    if (candidate->route->object.kind == KIND_GRPCROUTE) {
        static const struct grpc_match every = {.method = NULL};
        const struct grpc_rule *rule =
            &((const struct grpc_route *)candidate->route)->rules.items[candidate->rule];
        candidate->grpc = rule->matches.len > 0 ? &rule->matches.items[candidate->match] : &every;
        return candidate->grpc->fault.len == 0;
    } else {
        static const struct http_match every = {.path = {PATH_PREFIX, STR("/")}};
        const struct http_rule *rule =
            &((const struct http_route *)candidate->route)->rules.items[candidate->rule];
        candidate->http = rule->matches.len > 0 ? &rule->matches.items[candidate->match] : &every;
        return candidate->http->fault.len == 0;
    }
}

struct candidates candidates_of(struct eval *ev, const struct attachment *const *attached,
                                size_t len)
{
    struct candidates all = {.len = 0};
    size_t room = 0;
    const struct route **routes = ARENA_ARRAY(eval_scratch(ev), len, const struct route *);
    for (size_t i = 0; i < len; i++) {
        routes[i] = attached[i] != NULL
                        ? (const struct route *)eval_get(ev, T_ROUTE, attached[i]->key)
                        : NULL;
        for (size_t j = 0; routes[i] != NULL && j < route_rule_count(routes[i]); j++) {
            room += route_match_count(routes[i], j);
        }
    }
    all.items = ARENA_ARRAY(eval_scratch(ev), room, struct candidate);
    for (size_t i = 0; i < len; i++) {
        for (size_t j = 0; routes[i] != NULL && j < route_rule_count(routes[i]); j++) {
            for (size_t k = 0; k < route_match_count(routes[i], j); k++) {
                all.items[all.len] = (struct candidate){
                    .route = routes[i],
                    .attachment = attached[i],
                    .age = i,
                    .rule = j,
                    .match = k,
                };
                all.len += fill_candidate(&all.items[all.len]) ? 1 : 0;
            }
        }
    }
    qsort(all.items, all.len, sizeof(*all.items), candidate_cmp);
    return all;
}

static void make_error(struct ir_route *route, struct str reason)
{
    route->action = IR_ERROR;
    route->reason = reason;
}

static void forward(struct arena *arena, const struct candidate *from, const struct rule_view *rule,
                    const struct arrival *arrival, struct ir_route *route)
{
    route->action = IR_FORWARD;
    if (rule->backends_len > 0) {
        route->backends.len = shares_of_rule(arena, &arrival->sender, from->attachment, rule,
                                             from->rule, &route->backends.items);
    } else if (arrival->own_cluster.len > 0) {
        route->backends.len = shares_of_port(arena, arrival->own_cluster, &route->backends.items);
    }
    if (route->backends.len == 0) {
        make_error(route, rule->backends_len > 0 ? STR(RULE_WEIGHTLESS) : STR(RULE_BACKENDLESS));
    }
}

void candidate_route(struct arena *arena, const struct candidate *from,
                     const struct arrival *arrival, struct ir_route *ret_route)
{
    if (from->http != NULL) {
        match_from_http(arena, from->http, &ret_route->match);
    } else {
        match_from_grpc(arena, from->grpc, &ret_route->match);
    }
    bool grpc = from->route->object.kind == KIND_GRPCROUTE;
    ret_route->error_status = grpc ? 503 : 500;
    ret_route->rule = arena_printf(arena, "%.*s/%zu", STR_FMT(from->attachment->key), from->rule);
    struct str unserved = rule_unserved(from->route, from->rule, arena);
    if (unserved.len > 0) {
        make_error(ret_route, unserved);
        return;
    }
    struct rule_view rule = route_rule(from->route, from->rule);
    filters_of_rule(arena, &rule, from->rule, from->attachment, arrival, ret_route);
    if (ret_route->action != IR_REDIRECT) {
        forward(arena, from, &rule, arrival, ret_route);
    }
}
