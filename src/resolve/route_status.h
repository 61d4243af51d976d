/* SPDX-License-Identifier: Apache-2.0 */
/* route_status: what a route's conditions say of one parentRef, of the mesh's or of a Gateway. */
#ifndef HEDDLE_RESOLVE_ROUTE_STATUS_H
#define HEDDLE_RESOLVE_ROUTE_STATUS_H

#include "engine/engine.h"
#include "ir/attachment.h"
#include "model/route.h"

struct route_parent {
    struct eval *ev;
    struct arena *arena; /* of the messages */
    const struct route *route;
    const struct attachment *attachment;
    const struct attached_parent *from; /* a parentRef that is accepted */
};

/* What the parentRef comes to beside other routes. */
struct standing {
    enum condition_id id; /* C_accepted, C_outranked; else the route governs nothing by it */
    struct str message;   /* why, or what of it belongs to others; empty: all is the route's */
};
struct standing route_standing_mesh(const struct route_parent *parent);
struct standing route_standing_gateway(const struct route_parent *parent);

/* Whether a client rejects what was made of the route there. */
bool route_rejected_mesh(const struct route_parent *parent, struct str *ret_message);
bool route_rejected_gateway(const struct route_parent *parent, struct str *ret_message);

#endif
