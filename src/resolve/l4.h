/* SPDX-License-Identifier: Apache-2.0 */
/* l4: where the connections to a Service port go, for the part of a routing that is not HTTP. */
#ifndef HEDDLE_RESOLVE_L4_H
#define HEDDLE_RESOLVE_L4_H

#include "engine/engine.h"
#include "ir/attachment.h"
#include "ir/ir.h"

/* Fills row's connections, and the routes for clients that know nothing but requests. attached: a
 * group of X_ATTACHED, of which `kind` governs (KIND_COUNT: none). The row's name must be set. */
void l4_routing(struct eval *ev, struct row_span attached, enum kind_id kind,
                struct ir_routing *row);

/* What listeners know the backends of a route by (ir_l4_route.name), in the arena. port: a key of
 * T_ROUTING; the "@client-ns" of one is kept. Of several TCPRoutes it is the same. */
struct str l4_name(struct arena *arena, const struct attachment *attachment, struct str port);

/* The same of a listener of a Gateway; entry: of the listener, too. Its TCPRoutes and UDPRoutes
 * have one in common. */
struct str gateway_l4_name(struct arena *arena, const struct attachment *attachment,
                           struct str entry, int protocol, struct str listener);

/* What older routes of its kind have that the route asks for by this parentRef: "TCPRoute/a/b,
 * which is older, has the connections to 'a/svc:80'", in the arena. Empty: nothing. */
struct str l4_outranked(struct eval *ev, struct arena *arena, const struct attachment *attachment,
                        const struct attached_parent *parent);

#endif
