/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidates: the matches of several routes in the order in which they are tried, and what becomes
 * of each: the same for the routes of a Service port and for those of a Gateway's domain.
 */
#ifndef HEDDLE_RESOLVE_CANDIDATES_H
#define HEDDLE_RESOLVE_CANDIDATES_H

#include "ir/attachment.h"
#include "ir/ir.h"
#include "resolve/shares.h"

#define ROUTE_HINT 256 /* bytes of an ir_route's texts and lists */

struct candidate { /* one match of one rule of one attached route */
    const struct http_match *http;
    const struct grpc_match *grpc;
    const struct route *route;
    const struct attachment *attachment;
    size_t age; /* position among the attachments: 0 is the oldest */
    size_t rule;
    size_t match;
};
struct candidates { /* in scratch memory */
    struct candidate *items;
    size_t len;
};

/* All readable matches of the routes, oldest route first, by the spec's precedence. NULL among the
 * attachments is none. */
struct candidates candidates_of(struct eval *ev, const struct attachment *const *attached,
                                size_t len);

/* Where the requests come in. */
struct arrival {
    int32_t port; /* the Gateway's listener's; in the mesh the Service's, which stands for it */
    bool https;
    struct sender sender;
    struct str own_cluster; /* GEP-1686: where a rule without backendRefs sends in the mesh; empty:
                               such a rule is an error (HTTPRouteRule.backendRefs) */
};
/* What a request of the candidate gets. Texts are in the arena. */
void candidate_route(struct arena *arena, const struct candidate *from,
                     const struct arrival *arrival, struct ir_route *ret_route);

#endif
