/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_tls: TLS of a gateway, towards clients and towards backends. Certificates and authorities
 * come by SDS, so that new ones change neither Listener nor Cluster and end no connection.
 */
#ifndef HEDDLE_XDS_GATEWAY_TLS_H
#define HEDDLE_XDS_GATEWAY_TLS_H

#include "ir/gateway.h"
#include "xds/alias_gateway.h"

/* Towards clients. http: ALPN is spoken. */
pb_transport_socket *xds_downstream_tls(struct arena *arena, const struct ir_listener *listener,
                                        bool http);
pb_transport_socket *xds_quic(struct arena *arena, const struct ir_listener *listener);
/* Towards backends. */
pb_transport_socket *xds_upstream_tls(struct arena *arena, const struct ir_upstream *upstream);

#endif
