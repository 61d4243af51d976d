/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain_internal: what answers to all questions have in common.
 *
 *   explain.c            who is asked, and where the question leads to in the mesh
 *   explain_gateway.c    where it leads to at a Gateway: to which domain, or to which connections
 *   explain_listeners.c  by which of its listeners
 *   explain_unattached.c which routes it does not come to
 *   explain_unasked.c    the same in the mesh
 *   explain_request.c    the rules of a request, and what becomes of it
 *   explain_l4.c         the same of a connection
 *   explain_backends.c   shares and endpoints
 *   explain_remedy.c     what to do about backends that get nothing
 *   explain_then.c       the routes of a backend's Service, behind those of a Gateway
 */
#ifndef HEDDLE_PIPELINE_EXPLAIN_INTERNAL_H
#define HEDDLE_PIPELINE_EXPLAIN_INTERNAL_H

#include "ir/gateway.h"
#include "ir/ir.h"
#include "pipeline/explain.h"

#define HTTP_NOT_FOUND 404
#define HTTP_MISDIRECTED 421
#define HTTP_UNAVAILABLE 503
#define HTTP_LOOP_DETECTED 508

#define UNATTACHED_TOLD_MAX 20
#define RULES_TOLD_MAX 50 /* rules that did not match are told up to here */

struct telling {
    const struct engine *engine;
    const struct question *question;
    const struct request *request; /* as the client's routing sees it */
    struct arena *arena;
    struct json *json;
    unsigned leave_out;               /* enum explain_part */
    const struct ir_gateway *gateway; /* that is asked; NULL: the mesh is */
    struct str host;                  /* as the client sends it, with a port or without */
};

static inline void explain_text(struct telling *telling, const char *key, struct str value)
{
    json_key(telling->json, key);
    json_str(telling->json, value);
}
bool explain_leaves_out(const struct telling *telling, enum explain_part part);
bool explain_proxyless(const struct telling *telling);

/* Members `rule`, `file` and `line` of a rule such as "HTTPRoute/ns/name/0", unless places are left
 * out. */
void explain_place(struct telling *telling, struct str rule);
void explain_place_always(struct telling *telling, struct str rule);

/* --- shares and endpoints ------------------------------------------------------------------- */
/* What becomes of what is not sent anywhere. */
struct failing {
    bool opaque;    /* a connection, which is closed */
    int32_t status; /* of a request */
};
struct str explain_failure(const struct telling *telling, struct failing failing,
                           struct str reason);
/* What Envoy tells a gRPC client in place of an HTTP status. */
const char *explain_grpc_code(int32_t status);
/* Member `backends`: share, backend, endpoints; outcome of those that fail. rule: that has them;
 * NULL: one of connections. name: its. */
void explain_backends(struct telling *telling, const struct ir_route *rule, struct str name,
                      const struct ir_backend *backends, size_t len, struct failing failing);
/* Member `then`: what the routes of the backend's Service do with what the rule sends there. */
void explain_then(struct telling *telling, const struct ir_route *rule,
                  const struct ir_backend *backend, struct str port);

/* Member `remedy`, where one is known, of a backend of the rule that gets nothing for the reason.
 */
void explain_remedy(struct telling *telling, struct str rule, struct str reason);
/* Items: of filters RequestMirror of the rule that send nowhere. */
void explain_lost_mirrors(struct telling *telling, struct str rule);
/* Member `remedy`, of a Service port without a ready endpoint. */
void explain_idle(struct telling *telling, struct str port_key);

/* --- requests ------------------------------------------------------------------------------- */
/* Member `rules`. Returns the rule that takes the request; NULL: none does. */
const struct ir_route *explain_rules(struct telling *telling, const struct ir_routing *routing);
/* Member `decision`, of a rule or (404) of none. */
void explain_decision(struct telling *telling, const struct ir_route *winner);
/* Member `decision` of a request that gets to no rule, or of a connection that is closed. */
void explain_error(struct telling *telling, int32_t status, struct str reason);
void explain_closed(struct telling *telling, struct str reason);

/* --- connections ---------------------------------------------------------------------------- */
/* All of a connection that a sidecar does not look into. */
void explain_connection(struct telling *telling, const struct ir_routing *routing,
                        struct explained *ret_explained);
/* Its parts, also of a Gateway's: member `rules`; which takes the connection, NULL: none does;
 * member `decision`. */
const struct ir_l4_route *explain_connection_rules(struct telling *telling,
                                                   const struct ir_routing *routing);
void explain_connection_decision(struct telling *telling, const struct ir_l4_route *winner,
                                 struct explained *ret_explained);

/* --- Gateways ------------------------------------------------------------------------------- */
/* All of a question to a Gateway. */
void explain_gateway(struct telling *telling, struct explained *ret_explained);
struct asked_routes {                 /* which routes a question came to, if to any */
    const struct ir_routing *routing; /* NULL: to none */
    struct str listener;              /* whose they are; empty: nobody's */
    struct str host;                  /* of a connection the server name; empty: none */
    bool taken;                       /* by one of them */
};
/* Member `unattached`: routes that are not among them, though they might be meant to be. */
void explain_unattached(struct telling *telling, const struct asked_routes *asked);

/* The routes of a Service port for the client, and their key; NULL: there are none. */
const struct ir_routing *explain_find_routing(struct telling *telling, struct str port,
                                              struct str *ret_key);
/* Whether the route is among the rules. */
bool explain_is_asked(const struct ir_routing *routing, struct str route);
/* Member `unattached`: routes that name the Service, and are not. taken: a rule has the request. */
void explain_unasked(struct telling *telling, const struct ir_routing *routing, struct str port,
                     bool taken);
/* Which set of routes it is, in words. */
struct str explain_routing(const struct telling *telling, const struct ir_routing *routing);

#endif
