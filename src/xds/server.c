/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: the Listener of a proxyless server (gRFC A36).
 *
 *   Listener, its address that of the server ─► one chain for every connection
 *     ─► HttpConnectionManager: inline routes, the Router
 *          ─► every call of every host: the server's own (non_forwarding_action)
 *
 * The routes are inline since nothing in them ever changes: a server that is sent another Listener
 * drains its connections (gRFC A36), which it does not for another RouteConfiguration. Some
 * language or other rejects a server's Listener that has listener filters, use_original_dst,
 * another direction than inbound, or a chain of anything but one HttpConnectionManager.
 */
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "xds/build.h"
#include "xds/hcm.h"
#include "xds/xds.h"

const struct row *xds_grpc_server(struct eval *ev, struct str key)
{
    const struct ir_server *server = (const struct ir_server *)eval_get(ev, T_SERVER, key);
    if (server == NULL || eval_get(ev, T_VIEW, server->scope) == NULL) {
        return NULL;
    }
    struct arena *scratch = eval_scratch(ev);
    pb_listener *listener = NEW(scratch, pb_listener);
    listener->name = xds_text(scratch, server->name);
    listener->address = xds_address(scratch, server->address, server->port);
    listener->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__INBOUND;
    listener->default_filter_chain =
        xds_chain(scratch, "envoy.filters.network.http_connection_manager",
                  &xds_grpc_server_hcm(scratch)->base);
    struct resource_row *row = resource_row_new(1);
    resource_row_add(row, XDS_LDS, server->scope, server->name, STR_NULL, &listener->base);
    return &row->row;
}
