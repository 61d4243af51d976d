/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_cluster: the clusters of a gateway.
 *
 * Clients come with HTTP/2 as soon as ALPN offers it, whatever the backends speak: so the version
 * towards a backend is the one that its port says, HTTP/1.1 where it says nothing.
 */
#include "ir/graph.h"
#include "xds/build.h"
#include "xds/cluster.h"
#include "xds/gateway.h"
#include "xds/gateway_tls.h"
#include "xds/secret.h"
#include "xds/xds.h"

#define BUFFER_BYTES                                                                               \
    (32 * 1024) /* of each connection; Envoy's page on edge proxies asks for it                    \
                 */

static void http_options(struct arena *arena, int protocol, pb_cluster *cluster)
{
    pb_explicit_http *version = NEW(arena, pb_explicit_http);
    if (protocol == IR_HTTP2) {
        version->protocol_config_case =
            ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP2_PROTOCOL_OPTIONS;
        version->http2_protocol_options = NEW(arena, pb_http2_options);
    } else {
        version->protocol_config_case =
            ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP_PROTOCOL_OPTIONS;
        version->http_protocol_options = NEW(arena, pb_http1_options);
    }
    pb_protocol_options *options = NEW(arena, pb_protocol_options);
    options->upstream_protocol_options_case =
        ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_EXPLICIT_HTTP_CONFIG;
    options->explicit_http_config = version;
    xds_set_http_options(arena, options, cluster);
}

const struct row *xds_gateway_cluster(struct eval *ev, struct str key)
{
    const struct ir_upstream *ir = (const struct ir_upstream *)eval_get(ev, T_GATEWAY_CLUSTER, key);
    struct str scope = ir != NULL ? xds_gateway_scope(ev, ir->gateway) : STR_NULL;
    if (scope.len == 0) {
        return NULL;
    }
    struct arena *scratch = eval_scratch(ev);
    pb_cluster *cluster = xds_eds_cluster(scratch, ir->name);
    if (!str_eq(ir->name, ir->port)) {
        cluster->eds_cluster_config->service_name = xds_text(scratch, ir->port);
    }
    cluster->per_connection_buffer_limit_bytes = xds_u32(scratch, BUFFER_BYTES);
    http_options(scratch, ir->protocol, cluster);
    xds_keep_sessions(scratch, cluster);
    xds_limit_retries(scratch, ir->retry_budget, cluster);
    if (ir->tls) {
        cluster->transport_socket = xds_upstream_tls(scratch, ir);
    }
    struct resource_row *row = resource_row_new(2);
    resource_row_add(row, XDS_CDS, scope, ir->name, ir->port, &cluster->base);
    xds_add_trust(ev, row, scope, ir->name, ir->authorities.items, ir->authorities.len);
    return &row->row;
}
