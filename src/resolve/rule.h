/* SPDX-License-Identifier: Apache-2.0 */
/* rule: what the rules of all routes have in common, whichever the kind. */
#ifndef HEDDLE_RESOLVE_RULE_H
#define HEDDLE_RESOLVE_RULE_H

#include "base/arena.h"
#include "model/route.h"

struct rule_view { /* borrowed from the route; what the kind has not is NULL */
    const struct filter *filters;
    size_t filters_len;
    const struct backend_ref *backends;
    size_t backends_len;
    const struct session_persistence *session;
    const struct timeouts *timeouts; /* HTTPRoute only */
    const struct retry *retry;       /* HTTPRoute only */
    struct str fault;                /* not empty: it could not be read (model/route.h) */
    uint32_t line;
};

/* Reasons of such rules' errors. */
#define RULE_BACKENDLESS "the rule has no backendRefs"
#define RULE_WEIGHTLESS "all backendRefs have weight 0"

size_t route_rule_count(const struct route *route);
/* Of an HTTPRoute or GRPCRoute; no match at all is one. */
size_t route_match_count(const struct route *route, size_t rule);
/* What such a match asks of headers. */
struct header_match_view {
    const struct header_match *items;
    size_t len;
};
struct header_match_view route_match_headers(const struct route *route, size_t rule, size_t match);
struct rule_view route_rule(const struct route *route, size_t index);
uint32_t route_rule_line(const struct route *route, size_t index);

/* What in a rule heddle cannot read or does not enforce yet: "rules[0].filters[1]: filter type
 * 'ExtensionRef' is not served yet", or empty. Such a rule answers every request with an error, and
 * a condition says why: never would it be followed without the part that is missing. */
struct str rule_unserved(const struct route *route, size_t index, struct arena *arena);
/* Whether that is so of all rules. One without rules has nothing that could be unserved. */
bool route_is_unserved(const struct route *route, struct arena *scratch);

#endif
