/* SPDX-License-Identifier: Apache-2.0 */
/* route_features: what a route does beside choosing a backend, for each dialect. */
#ifndef HEDDLE_XDS_ROUTE_FEATURES_H
#define HEDDLE_XDS_ROUTE_FEATURES_H

#include "ir/ir.h"
#include "xds/alias.h"
#include "xds/route_parts.h"

/* Path rewrite, mirrors, timeouts and retries. slice: which of the requests that match get here. */
void xds_envoy_features(struct arena *arena, const struct ir_route *ir, struct route_slice slice,
                        pb_route_action *action);
/* Timeouts and retries, as far as gRPC clients know them. */
void xds_grpc_features(struct arena *arena, const struct ir_route *ir, pb_route_action *action);

/* The Host that a backend gets, or empty: its own rewrite, else that of its rule. */
struct str xds_hostname_of(const struct ir_route *ir, const struct ir_backend *backend);

/* port: written into Location; 0: none, and then a port in the request's Host stays, unless the
 * redirect names a host. */
pb_redirect *xds_redirect(struct arena *arena, const struct ir_route *ir, int32_t port);

#endif
