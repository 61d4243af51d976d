/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap_envoy: the bootstrap of an Envoy, a sidecar's or a gateway's. */
#include <string.h>

#include "base/panic.h"
#include "cli/bootstrap.h"
#include "cli/bootstrap_node.h"
#include "cli/bootstrap_overload.h"
#include "cli/bootstrap_tls.h"
#include "codec/json.h"

#define ENVOY_REGEX_SIZE "32768"

static void write_socket_address(const struct host_port *address, struct json *json)
{
    json_key(json, "address");
    json_open(json, '{');
    json_key(json, "socket_address");
    json_open(json, '{');
    json_member_text(json, "address", address->host);
    json_member_uint(json, "port_value", address->port);
    if (strcmp(address->host, "::") == 0) {
        json_member_bool(json, "ipv4_compat", true);
    }
    json_close(json, '}');
    json_close(json, '}');
}

/* Who looks after a gateway gets in when its clients do not. */
static void write_unlimited(struct json *json)
{
    json_member_bool(json, "ignore_global_conn_limit", true);
}

/* Delta is the default; the short back-off matters to sidecars that learn addresses on demand. */
static void write_ads(bool sotw, struct json *json)
{
    json_key(json, "ads_config");
    json_open(json, '{');
    json_member_str(json, "api_type", sotw ? STR("GRPC") : STR("DELTA_GRPC"));
    json_member_str(json, "transport_api_version", STR("V3"));
    json_member_bool(json, "set_node_on_first_message_only", true);
    json_key(json, "grpc_services");
    json_raw(json, STR("[{\"envoy_grpc\":{\"cluster_name\":\"heddle\",\"retry_policy\":"
                       "{\"retry_back_off\":{\"base_interval\":\"0.1s\","
                       "\"max_interval\":\"1s\"}}}}]"));
    json_close(json, '}');
    json_key(json, "cds_config");
    json_raw(json, STR("{\"ads\":{},\"resource_api_version\":\"V3\"}"));
    json_key(json, "lds_config");
    json_raw(json, STR("{\"ads\":{},\"resource_api_version\":\"V3\"}"));
}

/* {"cluster_name": "heddle", "endpoints": [{"lb_endpoints": [{"endpoint": {address}}]}]} */
static void write_load_assignment(const char *cluster, const struct host_port *address,
                                  struct json *json)
{
    json_key(json, "load_assignment");
    json_open(json, '{');
    json_member_str(json, "cluster_name", str_from(cluster));
    json_key(json, "endpoints");
    json_open(json, '[');
    json_open(json, '{');
    json_key(json, "lb_endpoints");
    json_open(json, '[');
    json_open(json, '{');
    json_key(json, "endpoint");
    json_open(json, '{');
    write_socket_address(address, json);
    json_close(json, '}');
    json_close(json, '}');
    json_close(json, ']');
    json_close(json, '}');
    json_close(json, ']');
    json_close(json, '}');
}

/* An address is taken as it is. A name is looked up again and again: heddle's Service may be made
 * after the pod. Of a Service with both families IPv4 is taken, which every pod can reach. */
static void write_discovery(const struct host_port *xds, struct json *json)
{
    if (!xds->is_name) {
        json_member_str(json, "type", STR("STATIC"));
        return;
    }
    json_key(json, "cluster_type");
    json_raw(json, STR("{\"name\":\"envoy.clusters.dns\",\"typed_config\":{\"@type\":"
                       "\"type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster\","
                       "\"dns_lookup_family\":\"V4_PREFERRED\",\"dns_refresh_rate\":\"5s\","
                       "\"dns_failure_refresh_rate\":"
                       "{\"base_interval\":\"0.2s\",\"max_interval\":\"1s\"}}}"));
}

/* The cluster by which Envoy reaches heddle. */
static void write_heddle_cluster(const struct bootstrap *bootstrap, const struct host_port *xds,
                                 struct json *json)
{
    json_open(json, '{');
    json_member_str(json, "name", STR("heddle"));
    write_discovery(xds, json);
    json_member_str(json, "connect_timeout", STR("5s"));
    json_key(json, "typed_extension_protocol_options");
    json_raw(json, STR("{\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\":{\"@type\":"
                       "\"type.googleapis.com/envoy.extensions.upstreams.http.v3."
                       "HttpProtocolOptions\",\"explicit_http_config\":"
                       "{\"http2_protocol_options\":{\"connection_keepalive\":"
                       "{\"interval\":\"4s\",\"timeout\":\"3s\"}}}}}"));
    bootstrap_tls(bootstrap, xds, json);
    write_load_assignment("heddle", xds, json);
    json_close(json, '}');
}

/* Envoy takes regular expressions of 100 instructions only, unless told otherwise, and rejects all
 * routes beside a longer one; model/regex.h bounds what it is sent. */
static void write_runtime(struct json *json)
{
    json_key(json, "layered_runtime");
    json_raw(json, STR("{\"layers\":[{\"name\":\"heddle\",\"static_layer\":"
                       "{\"re2.max_program_size.error_level\":" ENVOY_REGEX_SIZE "}},"
                       "{\"name\":\"admin\",\"admin_layer\":{}}]}"));
}

/* --- metrics ------------------------------------------------------------------------------- */

/* One path of the admin endpoint for Prometheus; the rest of it can stop Envoy. */
static void write_metrics_listener(const struct host_port *address, bool gateway, struct json *json)
{
    json_key(json, "listeners");
    json_open(json, '[');
    json_open(json, '{');
    json_member_str(json, "name", STR("metrics"));
    json_member_str(json, "stat_prefix", STR("metrics"));
    write_socket_address(address, json);
    if (gateway) {
        write_unlimited(json);
        json_member_bool(json, "bypass_overload_manager", true);
    }
    json_key(json, "filter_chains");
    json_raw(json,
             STR("[{\"filters\":[{\"name\":\"envoy.filters.network.http_connection_manager\","
                 "\"typed_config\":{\"@type\":\"type.googleapis.com/envoy.extensions.filters."
                 "network.http_connection_manager.v3.HttpConnectionManager\","
                 "\"stat_prefix\":\"metrics\",\"http_filters\":[{\"name\":"
                 "\"envoy.filters.http.router\",\"typed_config\":{\"@type\":\"type.googleapis.com/"
                 "envoy.extensions.filters.http.router.v3.Router\"}}],\"route_config\":"
                 "{\"virtual_hosts\":[{\"name\":\"metrics\",\"domains\":[\"*\"],\"routes\":"
                 "[{\"match\":{\"path\":\"/stats/prometheus\",\"headers\":[{\"name\":\":method\","
                 "\"string_match\":{\"exact\":\"GET\"}}]},\"route\":{\"cluster\":\"admin\"}}]}]}"
                 "}}]}]"));
    json_close(json, '}');
    json_close(json, ']');
}

static void write_admin_cluster(const struct host_port *admin, struct json *json)
{
    json_open(json, '{');
    json_member_str(json, "name", STR("admin"));
    json_member_str(json, "type", STR("STATIC"));
    json_member_str(json, "connect_timeout", STR("1s"));
    write_load_assignment("admin", admin, json);
    json_close(json, '}');
}

static void write_static_resources(const struct bootstrap *bootstrap, const struct host_port *xds,
                                   const struct host_port *admin, struct json *json)
{
    struct host_port metrics;
    bool has_metrics = bootstrap->metrics.len > 0;
    json_key(json, "static_resources");
    json_open(json, '{');
    if (has_metrics) {
        ASSERT(host_port_parse(bootstrap->metrics, &metrics, NULL));
        write_metrics_listener(&metrics, bootstrap->gateway.len > 0, json);
    }
    json_key(json, "clusters");
    json_open(json, '[');
    write_heddle_cluster(bootstrap, xds, json);
    if (has_metrics) {
        write_admin_cluster(admin, json);
    }
    json_close(json, ']');
    json_close(json, '}');
}

/* By which a gateway sends requests back into itself, where the mesh's routes apply to them. */
static void write_extensions(struct json *json)
{
    json_key(json, "bootstrap_extensions");
    json_raw(json,
             STR("[{\"name\":\"envoy.bootstrap.internal_listener\",\"typed_config\":{\"@type\":"
                 "\"type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3."
                 "InternalListener\"}}]"));
}

void bootstrap_envoy(const struct bootstrap *bootstrap, struct buf *out)
{
    struct host_port xds;
    struct host_port admin;
    struct json json;
    ASSERT(bootstrap->xds->len > 0);
    ASSERT(host_port_parse(str_from(bootstrap->xds->items[bootstrap->xds->len - 1]), &xds, NULL));
    ASSERT(host_port_parse(bootstrap->envoy_admin, &admin, NULL));
    json_init(&json, out, 2);
    json_open(&json, '{');
    bootstrap_node(bootstrap, bootstrap->gateway.len > 0 ? "gateway" : "sidecar", &json);
    json_key(&json, "admin");
    json_open(&json, '{');
    write_socket_address(&admin, &json);
    if (bootstrap->gateway.len > 0) {
        write_unlimited(&json);
    }
    json_close(&json, '}');
    write_runtime(&json);
    json_key(&json, "deferred_stat_options");
    json_raw(&json, STR("{\"enable_deferred_creation_stats\":true}"));
    json_key(&json, "dynamic_resources");
    json_open(&json, '{');
    write_ads(bootstrap->sotw, &json);
    json_close(&json, '}');
    write_static_resources(bootstrap, &xds, &admin, &json);
    if (bootstrap->gateway.len > 0) {
        bootstrap_overload(bootstrap, &json);
    }
    if (bootstrap->mesh_routes && bootstrap->gateway.len > 0) {
        write_extensions(&json);
    }
    json_close(&json, '}');
}
