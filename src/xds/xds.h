/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xds: the IR as xDS resources, one file for each kind of resource. The compute functions of the
 * tables of rank 6 and 7 (ir/graph.h). No rule of the Gateway API stands here: what is to happen
 * is decided in resolve/.
 *
 * Dialects: Envoy and proxyless gRPC read the same IR and get different words for it. Resources
 * are made only while some client has the scope they stand in (T_VIEW).
 */
#ifndef HEDDLE_XDS_XDS_H
#define HEDDLE_XDS_XDS_H

#include "engine/engine.h"
#include "xds/row.h"

const struct row *xds_envoy_cluster(struct eval *ev, struct str key); /* cluster.c */
const struct row *xds_grpc_cluster(struct eval *ev, struct str key);
const struct row *xds_endpoints(struct eval *ev, struct str key);   /* endpoints.c */
const struct row *xds_envoy_vhost(struct eval *ev, struct str key); /* vhost.c */
const struct row *xds_grpc_vhost(struct eval *ev, struct str key);
const struct row *xds_envoy_routes(struct eval *ev, struct str key); /* route_config.c */
const struct row *xds_grpc_routes(struct eval *ev, struct str key);
const struct row *xds_redirect_listener(struct eval *ev, struct str key); /* listener.c */
const struct row *xds_bind_listener(struct eval *ev, struct str key);
const struct row *xds_envoy_l4(struct eval *ev, struct str key);     /* tcp_proxy.c */
const struct row *xds_sidecar_base(struct eval *ev, struct str key); /* sidecar.c */
const struct row *xds_grpc_target(struct eval *ev, struct str key);  /* target.c */
const struct row *xds_grpc_server(struct eval *ev, struct str key);  /* server.c */

/* Of gateways. */
const struct row *xds_gateway_listener(struct eval *ev, struct str key); /* gateway_listener.c */
const struct row *xds_gateway_vhost(struct eval *ev, struct str key);    /* gateway_routes.c */
const struct row *xds_gateway_routes(struct eval *ev, struct str key);
void xds_entry_vhosts(const struct row *row, struct str key, struct group_emit *emit);
const struct row *xds_gateway_l4(struct eval *ev, struct str key); /* gateway_l4.c */
const struct row *xds_gateway_udp(struct eval *ev, struct str key);
const struct row *xds_gateway_cluster(struct eval *ev, struct str key); /* gateway_cluster.c */
const struct row *xds_gateway_secret(struct eval *ev, struct str key);  /* secret.c */

#endif
