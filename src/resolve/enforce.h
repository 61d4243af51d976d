/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enforce: what of a route some of the connected clients cannot do, by their class. It is said in
 * the route's status, because nothing else would tell (design §1.2).
 */
#ifndef HEDDLE_RESOLVE_ENFORCE_H
#define HEDDLE_RESOLVE_ENFORCE_H

#include "engine/engine.h"
#include "ir/attachment.h"

/* "proxyless gRPC clients do not apply rules[0].filters[0]; …", in the arena; empty: all is done.
 * Only classes count of which a client is connected. */
struct str enforce_gaps(struct eval *ev, struct arena *arena, const struct route *route,
                        const struct attached_parent *parent);

#endif
