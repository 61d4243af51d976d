/* SPDX-License-Identifier: Apache-2.0 */
/* hcm: the HttpConnectionManager, for each dialect. */
#ifndef HEDDLE_XDS_HCM_H
#define HEDDLE_XDS_HCM_H

#include "xds/alias.h"

#define HCM_FILTER "envoy.filters.network.http_connection_manager"

/* Transparent: nothing is added to or taken from a request that no route asks for, as far as Envoy
 * can. Routes come by RDS under `routes`. */
pb_hcm *xds_envoy_hcm(struct arena *arena, struct str routes);
/* Parts of it that gateways (gateway_hcm.h) have, too; the filters with an access log. */
void xds_set_rds(struct arena *arena, struct str routes, pb_hcm *hcm);
void xds_set_envoy_filters(struct arena *arena, pb_hcm *hcm);
void xds_set_websocket(struct arena *arena, pb_hcm *hcm);
/* The least that gRPC clients accept (gRFC A27): RDS and the Router. sessions: and, as an option,
 * the filter that keeps them, which does nothing until a route speaks to it (gRFC A55). */
pb_hcm *xds_grpc_hcm(struct arena *arena, struct str routes, bool sessions);
/* With an inline RouteConfiguration of one virtual host. */
pb_hcm *xds_grpc_hcm_inline(struct arena *arena, struct str domain, const char *cluster);
/* Of a server: every call is its own (gRFC A36). */
pb_hcm *xds_grpc_server_hcm(struct arena *arena);

#endif
