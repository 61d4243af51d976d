/* SPDX-License-Identifier: Apache-2.0 */
/* explain_internal: what explain.c and explain_l4.c share. */
#ifndef HEDDLE_PIPELINE_EXPLAIN_INTERNAL_H
#define HEDDLE_PIPELINE_EXPLAIN_INTERNAL_H

#include "ir/ir.h"
#include "pipeline/explain.h"

#define RULES_TOLD_MAX 50 /* rules that did not match are told up to here */

struct telling {
    const struct engine *engine;
    const struct question *question;
    const struct request *request; /* as the client's routing sees it */
    struct arena *arena;
    struct json *json;
    unsigned leave_out; /* enum explain_part */
};

/* Members `rule`, `file` and `line` of a rule such as "HTTPRoute/ns/name/0". */
void explain_place(struct telling *telling, struct str rule);
/* Member `endpoints`, and `outcome` when there are none. opaque: of a connection. */
void explain_endpoints(struct telling *telling, struct str cluster, bool opaque);
/* Which set of routes it is, in words. */
struct str explain_routing(const struct telling *telling, const struct ir_routing *routing);

/* All of a connection that a sidecar does not look into. */
void explain_connection(struct telling *telling, const struct ir_routing *routing,
                        struct explained *ret_explained);

#endif
