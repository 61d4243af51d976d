/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_cluster: the clusters of a gateway.
 *
 * Clients come with HTTP/2 as soon as ALPN offers it, whatever the backends speak: so the version
 * towards a backend is the one that its port says, HTTP/1.1 where it says nothing.
 *
 * Where the routes of a backend's Service are to apply, the cluster leads back into the same Envoy:
 * to an internal listener whose routes are those that a sidecar would have.
 *
 *   route ─► Cluster "mesh|ns/svc:port" ─► Listener of that name ─► RDS "ns/svc:port" ─► clusters
 */
#include "ir/graph.h"
#include "xds/build.h"
#include "xds/cluster.h"
#include "xds/gateway.h"
#include "xds/gateway_tls.h"
#include "xds/hcm.h"
#include "xds/secret.h"
#include "xds/xds.h"

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

static struct resource_row *backend_cluster(struct eval *ev, const struct ir_upstream *ir,
                                            struct str scope)
{
    struct arena *scratch = eval_scratch(ev);
    pb_cluster *cluster = xds_eds_cluster(scratch, ir->name);
    if (!str_eq(ir->name, ir->port)) {
        cluster->eds_cluster_config->service_name = xds_text(scratch, ir->port);
    }
    cluster->per_connection_buffer_limit_bytes = xds_u32(scratch, GATEWAY_BUFFER_BYTES);
    http_options(scratch, ir->protocol, cluster);
    xds_keep_sessions(scratch, cluster);
    xds_limit_retries(scratch, ir->retry_budget, cluster);
    if (ir->tls) {
        cluster->transport_socket = xds_upstream_tls(scratch, ir);
    }
    struct resource_row *row = resource_row_new(2);
    resource_row_add(row, XDS_CDS, scope, ir->name, ir->port, &cluster->base);
    if (ir->tls && ir->system) {
        xds_add_system_trust(ev, row, scope, ir->name);
    } else {
        xds_add_trust(ev, row, scope, ir->name, ir->authorities.items, ir->authorities.len);
    }
    return row;
}

/* --- routes of the mesh --------------------------------------------------------------------- */

static pb_load_assignment *inside(struct arena *arena, char *listener)
{
    pb_address *address = NEW(arena, pb_address);
    address->address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_ENVOY_INTERNAL_ADDRESS;
    address->envoy_internal_address = NEW(arena, pb_internal_address);
    address->envoy_internal_address->address_name_specifier_case =
        ENVOY__CONFIG__CORE__V3__ENVOY_INTERNAL_ADDRESS__ADDRESS_NAME_SPECIFIER_SERVER_LISTENER_NAME;
    address->envoy_internal_address->server_listener_name = listener;
    pb_lb_endpoint *endpoint = NEW(arena, pb_lb_endpoint);
    endpoint->host_identifier_case =
        ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
    endpoint->endpoint = NEW(arena, pb_endpoint);
    endpoint->endpoint->address = address;
    pb_locality_endpoints *group = NEW(arena, pb_locality_endpoints);
    group->lb_endpoints = ARENA_ARRAY(arena, 1, pb_lb_endpoint *);
    group->lb_endpoints[group->n_lb_endpoints++] = endpoint;
    pb_load_assignment *assignment = NEW(arena, pb_load_assignment);
    assignment->cluster_name = listener;
    assignment->endpoints = ARENA_ARRAY(arena, 1, pb_locality_endpoints *);
    assignment->endpoints[assignment->n_endpoints++] = group;
    return assignment;
}

static pb_listener *internal_listener(struct arena *arena, const struct ir_upstream *ir)
{
    pb_listener *listener = NEW(arena, pb_listener);
    listener->name = xds_text(arena, ir->name);
    listener->listener_specifier_case =
        ENVOY__CONFIG__LISTENER__V3__LISTENER__LISTENER_SPECIFIER_INTERNAL_LISTENER;
    listener->internal_listener = NEW(arena, pb_internal_listener);
    listener->filter_chains = ARENA_ARRAY(arena, 1, pb_filter_chain *);
    listener->filter_chains[listener->n_filter_chains++] =
        xds_chain(arena, HCM_FILTER, &xds_envoy_hcm(arena, ir->port)->base);
    return listener;
}

static struct resource_row *mesh_cluster(struct eval *ev, const struct ir_upstream *ir,
                                         struct str scope)
{
    struct arena *scratch = eval_scratch(ev);
    pb_listener *listener = internal_listener(scratch, ir);
    pb_cluster *cluster = NEW(scratch, pb_cluster);
    cluster->name = listener->name;
    cluster->cluster_discovery_type_case =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
    cluster->type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC;
    cluster->load_assignment = inside(scratch, listener->name);
    cluster->circuit_breakers = xds_no_limits(scratch);
    http_options(scratch, ir->protocol, cluster);
    struct resource_row *row = resource_row_new(2);
    resource_row_add(row, XDS_CDS, scope, ir->name, STR_NULL, &cluster->base);
    resource_row_add(row, XDS_LDS, scope, ir->name, STR_NULL, &listener->base);
    return row;
}

const struct row *xds_gateway_cluster(struct eval *ev, struct str key)
{
    const struct ir_upstream *ir = (const struct ir_upstream *)eval_get(ev, T_GATEWAY_CLUSTER, key);
    struct str scope = ir != NULL ? xds_gateway_scope(ev, ir->gateway) : STR_NULL;
    if (scope.len == 0) {
        return NULL;
    }
    return &(ir->mesh ? mesh_cluster(ev, ir, scope) : backend_cluster(ev, ir, scope))->row;
}
