/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_chains: what a gateway does with a connection, one filter chain for each kind. */
#ifndef HEDDLE_XDS_GATEWAY_CHAINS_H
#define HEDDLE_XDS_GATEWAY_CHAINS_H

#include "ir/gateway.h"
#include "xds/alias.h"

struct gateway_entry { /* what Envoy listens on */
    struct arena *arena;
    const struct ir_gateway *gateway;
    const struct ir_routing *connections; /* NULL: no listener of it routes any */
    struct str name;
    int32_t port;
};

/* Whether the listener is served there. */
bool xds_entry_has(const struct gateway_entry *entry, const struct ir_listener *listener);
/* Appends to listener the chains of its connections. */
void xds_gateway_chains(const struct gateway_entry *entry, pb_listener *listener);
/* Those of QUIC; none: nobody may come by it. */
void xds_quic_chains(const struct gateway_entry *entry, pb_listener *listener);

#endif
