/* SPDX-License-Identifier: Apache-2.0 */
/* shares: the backendRefs of a rule as the shares of what the rule takes. */
#ifndef HEDDLE_RESOLVE_SHARES_H
#define HEDDLE_RESOLVE_SHARES_H

#include "ir/attachment.h"
#include "ir/ir.h"
#include "resolve/rule.h"

struct ir_gateway;

/* Who sends: the mesh, or a Gateway's Envoys, which call their clusters otherwise (upstream.h) and
 * need grants. */
struct sender {
    struct eval *ev;
    const struct ir_gateway *gateway; /* NULL: the mesh; then nothing else counts */
    bool requests;                    /* else connections */
    bool grpc;                        /* requests of a GRPCRoute */
    bool passthrough;                 /* connections in whose TLS nobody looks */
};

/* Where the sender sends for a backend. Empty, and why: it does not. Both in the arena. */
struct str share_cluster(struct arena *arena, const struct sender *sender,
                         const struct attached_backend *backend, struct str *ret_reason);
/* Weight 0 takes no part; an invalid reference keeps its share, which is an error
 * (HTTPRouteRule.backendRefs, TCPRouteRule.backendRefs). Returns how many there are; none: all
 * weights are 0. index: of the rule; attachment: where its references are resolved. */
size_t shares_of_rule(struct arena *arena, const struct sender *sender,
                      const struct attachment *attachment, const struct rule_view *rule,
                      size_t index, struct ir_backend **ret_backends);
/* All of it to one Service port. */
size_t shares_of_port(struct arena *arena, struct str cluster, struct ir_backend **ret_backends);

#endif
