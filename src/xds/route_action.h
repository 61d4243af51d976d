/* SPDX-License-Identifier: Apache-2.0 */
/* route_action: ir_route's action -> Route, for each dialect. */
#ifndef HEDDLE_XDS_ROUTE_ACTION_H
#define HEDDLE_XDS_ROUTE_ACTION_H

#include "base/vec.h"
#include "ir/ir.h"
#include "xds/alias.h"

struct route_list {
    VEC(pb_route *) routes;
    VEC(struct str) reasons; /* clusters without endpoints that routes name (xds/reason.h) */
};

/* Appends the one or two Routes that ir needs. */
void xds_envoy_route(struct arena *arena, const struct ir_route *ir, struct route_list *list);
void xds_grpc_route(struct arena *arena, const struct ir_route *ir, struct str routing,
                    struct route_list *list);

#endif
