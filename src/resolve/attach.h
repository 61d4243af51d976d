/* SPDX-License-Identifier: Apache-2.0 */
/* attach: the parts of which an attachment (T_ATTACHMENT) is made. */
#ifndef HEDDLE_RESOLVE_ATTACH_H
#define HEDDLE_RESOLVE_ATTACH_H

#include "engine/engine.h"
#include "ir/attachment.h"
#include "model/route.h"

/* The parentRef is not accepted. message: in the attachment's arena, as all of ret_parent. */
void attach_refuse(struct attached_parent *parent, enum condition_id why, struct str message);

/* Group of X_ATTACHED_NAMES: a hostname of TLSRoutes on a port, a key of T_ROUTING. */
struct str attach_name(struct arena *arena, struct str port, struct str hostname);

/* attach_gateway.c. False: the parentRef is not of a Gateway or ListenerSet of ours, so that
 * nothing is to be said of it. */
bool attach_gateway(struct eval *ev, struct arena *arena, const struct route *route,
                    const struct parent_ref *ref, struct attached_parent *ret_parent);
/* The key of the Gateway of ours that the parentRef of a route in the namespace means, itself or by
 * a ListenerSet, in the scratch arena; empty: none. */
struct str attach_gateway_of(struct eval *ev, struct str ns, const struct parent_ref *ref);

/* attach_backend.c: fills `backends` and `mirrors` of a row whose parents are known. */
void attach_backends(struct eval *ev, const struct route *route, struct attachment *row);

#endif
