/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway: what the encoders of gateways share. All resources of a Gateway stand in its own scope,
 * "gateway/NS/NAME", so that nobody else is sent its certificates; they are made while it runs.
 */
#ifndef HEDDLE_XDS_GATEWAY_H
#define HEDDLE_XDS_GATEWAY_H

#include "engine/engine.h"
#include "ir/gateway.h"

/* Every request of HTTPS has this header from the filter chain it came by: the key of the listener
 * that its SNI chose. Clients cannot set it, backends do not see it. */
#define LISTENER_HEADER "x-heddle-listener"

/* Of each connection, on both sides: Envoy's "Configuring Envoy as an edge proxy" asks for it. */
#define GATEWAY_BUFFER_BYTES (32 * 1024)

/* The scope of a Gateway ("NS/NAME"), in ev's scratch arena; empty: no such gateway runs. */
struct str xds_gateway_scope(struct eval *ev, struct str gateway);

/* The first served listener of HTTP or HTTPS of a port; NULL: it has none. */
const struct ir_listener *xds_gateway_http(const struct ir_gateway *gateway, int32_t port);

#endif
