/* SPDX-License-Identifier: Apache-2.0 */
/* unreached: the matches of each port in the order in which they are tried, each with those before.
 */
#include "pipeline/unreached.h"

#include <stdlib.h>

#include "base/vec.h"
#include "ir/cover.h"
#include "ir/graph.h"
#include "pipeline/domain.h"
#include "resolve/key.h"

#define COMPARED_MAX 512 /* matches of one port; those after them count as reached */

struct fate { /* of one match on one port */
    struct str rule;
    const struct ir_routing *routing;
    size_t order;     /* as found */
    bool taken;       /* by matches before it */
    struct str taker; /* of another route; empty: there is none */
};

struct walk {
    const struct engine *engine;
    VEC(struct fate) fates;
};

static bool same_route(struct str rule, struct str other)
{
    return str_eq(rule_key_parse(rule).route, rule_key_parse(other).route);
}

/* Whether one is held against the other: of a Gateway's, when their routes have the domain by the
 * same hostname. */
static bool is_rival(const struct walk *walk, const struct ir_routing *routing, struct str rule,
                     struct str other)
{
    return routing->domain.len == 0 || str_eq(domain_hostname(walk->engine, routing, rule),
                                              domain_hostname(walk->engine, routing, other));
}

static void find_takers(const struct walk *walk, const struct ir_routing *routing, size_t index,
                        struct fate *fate)
{
    for (size_t i = 0; i < index; i++) {
        const struct ir_route *before = &routing->routes.items[i];
        if (!ir_match_covers(&before->match, &routing->routes.items[index].match) ||
            !is_rival(walk, routing, before->rule, fate->rule)) {
            continue;
        }
        fate->taken = true;
        if (same_route(before->rule, fate->rule)) { /* that is told already */
            fate->taker = STR_NULL;
            return;
        }
        fate->taker = fate->taker.len > 0 ? fate->taker : before->rule;
    }
}

static void visit_routing(void *user, struct str key, const struct row *row)
{
    struct walk *walk = user;
    const struct ir_routing *routing = (const struct ir_routing *)row;
    (void)key;
    if (!routing->http || routing->kind.len == 0) {
        return;
    }
    for (size_t i = 0; i < routing->routes.len; i++) {
        struct fate fate = {
            .rule = routing->routes.items[i].rule, .routing = routing, .order = walk->fates.len};
        if (i < COMPARED_MAX) {
            find_takers(walk, routing, i, &fate);
        }
        vec_push(&walk->fates, fate);
    }
}

static int by_rule(const void *a, const void *b)
{
    const struct fate *fa = a, *fb = b;
    int order = str_cmp(fa->rule, fb->rule);
    return order != 0 ? order : (fa->order > fb->order) - (fa->order < fb->order);
}

/* Of a rule on one port. Returns whether it is never reached there, for the sake of others. */
static bool never_there(const struct fate *fates, size_t len, struct str *ret_taker)
{
    struct str taker = STR_NULL;
    for (size_t i = 0; i < len; i++) {
        if (!fates[i].taken) {
            return false;
        }
        taker = taker.len > 0 ? taker : fates[i].taker;
    }
    *ret_taker = taker;
    return taker.len > 0;
}

static void tell_rule(const struct fate *fates, size_t len, unreached_fn *visit, void *user)
{
    struct unreached told = {.rule = fates[0].rule};
    size_t ports = 0, never = 0;
    for (size_t first = 0, next = 0; first < len; first = next) {
        while (next < len && fates[next].routing == fates[first].routing) {
            next++;
        }
        struct str taker;
        if (never_there(&fates[first], next - first, &taker) && never++ == 0) {
            told.taker = taker;
            told.where = fates[first].routing;
        }
        ports++;
    }
    told.more = never > 0 ? never - 1 : 0;
    if (never == ports) {
        told.where = NULL;
        told.more = 0;
    }
    if (never > 0) {
        visit(user, &told);
    }
}

void unreached_each(const struct engine *engine, unreached_fn *visit, void *user)
{
    struct walk walk = {.engine = engine};
    engine_each(engine, T_ROUTING, visit_routing, &walk);
    engine_each(engine, T_GATEWAY_ROUTING, visit_routing, &walk);
    if (walk.fates.len > 0) {
        qsort(walk.fates.items, walk.fates.len, sizeof(walk.fates.items[0]), by_rule);
    }
    for (size_t first = 0, next = 0; first < walk.fates.len; first = next) {
        while (next < walk.fates.len &&
               str_eq(walk.fates.items[next].rule, walk.fates.items[first].rule)) {
            next++;
        }
        tell_rule(&walk.fates.items[first], next - first, visit, user);
    }
    vec_release(&walk.fates);
}
