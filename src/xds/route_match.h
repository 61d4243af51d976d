/* SPDX-License-Identifier: Apache-2.0 */
/* route_match: ir_match -> RouteMatch, for each dialect. */
#ifndef HEDDLE_XDS_ROUTE_MATCH_H
#define HEDDLE_XDS_ROUTE_MATCH_H

#include "ir/ir.h"
#include "xds/alias.h"

pb_route_match *xds_envoy_match(struct arena *arena, const struct ir_match *ir);
/* NULL when no gRPC request can match: another method than POST, a query parameter. Leaving such
 * a route out means the same and keeps clients from rejecting it. */
pb_route_match *xds_grpc_match(struct arena *arena, const struct ir_match *ir);

/* Narrows a match of xds_envoy_match() to requests whose Host has no port. Once for each match. */
void xds_match_host_without_port(struct arena *arena, pb_route_match *match);
/* Narrows a match of xds_envoy_match() to CORS preflights that ask for no headers. Once. */
void xds_match_bare_preflight(struct arena *arena, pb_route_match *match);

#endif
