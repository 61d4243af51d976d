/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap: `heddle bootstrap envoy|grpc`, the file with which a client finds heddle. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/authority.h"
#include "cli/commands.h"
#include "codec/json.h"
#include "net/addr.h"

#define HOST_NAME_MAX_LEN 254
#define BOOTSTRAP_MAX (1u << 20)
#define TEMPLATE_MAX 512
#define ENVOY_REGEX_SIZE "32768"

struct address {
    char host[ADDR_TEXT_MAX];
    uint16_t port;
};

static bool parse_address(enum option_id id, struct str text, struct address *ret_address,
                          struct err *err)
{
    struct sockaddr_storage addr;
    if (!addr_parse(text, &addr, err)) {
        return err_prefix(err, "--%s", option_info(id)->name);
    }
    addr_host_text(&addr, ret_address->host);
    ret_address->port = addr_port(&addr);
    return true;
}

static void text(struct json *json, const char *key, struct str value)
{
    json_key(json, key);
    json_str(json, value);
}

static void text_if(struct json *json, const char *key, struct str value)
{
    if (value.len > 0) {
        text(json, key, value);
    }
}

/* node: the contract is in docs/xds.md. */
static void write_node(const struct options *options, const char *role, struct str name,
                       struct json *json)
{
    char id[1024];
    struct str ns = option_text(options, O_namespace);
    snprintf(id, sizeof(id), "%s/%.*s/%.*s", role, STR_FMT(ns), STR_FMT(name));
    json_key(json, "node");
    json_open(json, '{');
    text(json, "id", str_from(id));
    text(json, "cluster", option_text(options, O_service_account));
    struct str region = option_text(options, O_region);
    struct str zone = option_text(options, O_zone);
    json_key(json, "locality"); /* gRPC in Node.js takes no node without one */
    json_open(json, '{');
    text_if(json, "region", region);
    text_if(json, "zone", zone);
    json_close(json, '}');
    json_key(json, "metadata");
    json_open(json, '{');
    text(json, "namespace", ns);
    text(json, "service_account", option_text(options, O_service_account));
    text_if(json, "node_name", option_text(options, O_node_name));
    if (strcmp(role, "sidecar") == 0) {
        text(json, "interception", option_text(options, O_interception));
        text_if(json, "inbound", option_text(options, O_inbound));
    }
    json_close(json, '}');
    json_close(json, '}');
}

static void write_socket_address(const struct address *address, struct json *json)
{
    json_key(json, "address");
    json_open(json, '{');
    json_key(json, "socket_address");
    json_open(json, '{');
    json_key(json, "address");
    json_text(json, address->host);
    json_key(json, "port_value");
    json_uint(json, address->port);
    json_close(json, '}');
    json_close(json, '}');
}

static void write_file(struct json *json, const char *key, struct str file)
{
    json_key(json, key);
    json_open(json, '{');
    text(json, "filename", file);
    json_close(json, '}');
}

/* TLS towards heddle, when asked for. */
static void write_transport_socket(const struct options *options, struct json *json)
{
    struct str ca = option_text(options, O_tls_ca);
    struct str cert = option_text(options, O_tls_cert);
    if (ca.len == 0) {
        return;
    }
    json_key(json, "transport_socket");
    json_open(json, '{');
    text(json, "name", STR("envoy.transport_sockets.tls"));
    json_key(json, "typed_config");
    json_open(json, '{');
    text(json, "@type",
         STR("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"));
    json_key(json, "common_tls_context");
    json_open(json, '{');
    json_key(json, "validation_context");
    json_open(json, '{');
    write_file(json, "trusted_ca", ca);
    json_close(json, '}');
    if (cert.len > 0) {
        json_key(json, "tls_certificates");
        json_open(json, '[');
        json_open(json, '{');
        write_file(json, "certificate_chain", cert);
        write_file(json, "private_key", option_text(options, O_tls_key));
        json_close(json, '}');
        json_close(json, ']');
    }
    json_close(json, '}');
    json_close(json, '}');
    json_close(json, '}');
}

/* Delta is the default; the short back-off matters to sidecars that learn addresses on demand. */
static void write_ads(bool sotw, struct json *json)
{
    json_key(json, "ads_config");
    json_open(json, '{');
    text(json, "api_type", sotw ? STR("GRPC") : STR("DELTA_GRPC"));
    text(json, "transport_api_version", STR("V3"));
    json_key(json, "set_node_on_first_message_only");
    json_bool(json, true);
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
static void write_load_assignment(const struct address *xds, struct json *json)
{
    json_key(json, "load_assignment");
    json_open(json, '{');
    text(json, "cluster_name", STR("heddle"));
    json_key(json, "endpoints");
    json_open(json, '[');
    json_open(json, '{');
    json_key(json, "lb_endpoints");
    json_open(json, '[');
    json_open(json, '{');
    json_key(json, "endpoint");
    json_open(json, '{');
    write_socket_address(xds, json);
    json_close(json, '}');
    json_close(json, '}');
    json_close(json, ']');
    json_close(json, '}');
    json_close(json, ']');
    json_close(json, '}');
}

/* The cluster by which Envoy reaches heddle. */
static void write_heddle_cluster(const struct options *options, const struct address *xds,
                                 struct json *json)
{
    json_open(json, '{');
    text(json, "name", STR("heddle"));
    text(json, "type", STR("STATIC"));
    text(json, "connect_timeout", STR("5s"));
    json_key(json, "typed_extension_protocol_options");
    json_raw(json, STR("{\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\":{\"@type\":"
                       "\"type.googleapis.com/envoy.extensions.upstreams.http.v3."
                       "HttpProtocolOptions\",\"explicit_http_config\":"
                       "{\"http2_protocol_options\":{\"connection_keepalive\":"
                       "{\"interval\":\"30s\",\"timeout\":\"10s\"}}}}}"));
    write_transport_socket(options, json);
    write_load_assignment(xds, json);
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

static void write_envoy(const struct options *options, struct str name, const struct address *xds,
                        const struct address *admin, struct json *json)
{
    json_open(json, '{');
    write_node(options, "sidecar", name, json);
    json_key(json, "admin");
    json_open(json, '{');
    write_socket_address(admin, json);
    json_close(json, '}');
    write_runtime(json);
    json_key(json, "deferred_stat_options");
    json_raw(json, STR("{\"enable_deferred_creation_stats\":true}"));
    json_key(json, "dynamic_resources");
    json_open(json, '{');
    write_ads(option_flag(options, O_sotw), json);
    json_close(json, '}');
    json_key(json, "static_resources");
    json_open(json, '{');
    json_key(json, "clusters");
    json_open(json, '[');
    write_heddle_cluster(options, xds, json);
    json_close(json, ']');
    json_close(json, '}');
    json_close(json, '}');
}

static void write_channel_creds(const struct options *options, struct json *json)
{
    struct str ca = option_text(options, O_tls_ca);
    struct str cert = option_text(options, O_tls_cert);
    json_key(json, "channel_creds");
    json_open(json, '[');
    json_open(json, '{');
    text(json, "type", ca.len > 0 ? STR("tls") : STR("insecure"));
    if (ca.len > 0) {
        json_key(json, "config");
        json_open(json, '{');
        text(json, "ca_certificate_file", ca);
        if (cert.len > 0) {
            text(json, "certificate_file", cert);
            text(json, "private_key_file", option_text(options, O_tls_key));
        }
        json_close(json, '}');
    }
    json_close(json, '}');
    json_close(json, ']');
}

/* In the order in which they are tried (gRFC A71). */
static void write_servers(const struct options *options, struct json *json)
{
    const struct option_values *servers = &options->lists[O_xds];
    json_key(json, "xds_servers");
    json_open(json, '[');
    for (unsigned i = 0; i < servers->len; i++) {
        json_open(json, '{');
        text(json, "server_uri", str_from(servers->items[i]));
        write_channel_creds(options, json);
        json_key(json, "server_features");
        json_raw(json, STR("[\"xds_v3\"]"));
        json_close(json, '}');
    }
    json_close(json, ']');
}

/* gRFC A47. Their servers are those of the whole file: what a Listener of an authority names has
 * plain names, which are asked of those (docs/xds.md, "Federation"). */
static void write_authorities(const struct options *options, struct json *json)
{
    const struct option_values *authorities = &options->lists[O_authority];
    if (authorities->len == 0) {
        return;
    }
    json_key(json, "authorities");
    json_open(json, '{');
    for (unsigned i = 0; i < authorities->len; i++) {
        char template[TEMPLATE_MAX];
        snprintf(template, sizeof(template), "xdstp://%s/envoy.config.listener.v3.Listener/%%s",
                 authorities->items[i]);
        json_key(json, authorities->items[i]);
        json_open(json, '{');
        text(json, "client_listener_resource_name_template", str_from(template));
        json_close(json, '}');
    }
    json_close(json, '}');
}

static void write_grpc(const struct options *options, struct str name, struct json *json)
{
    json_open(json, '{');
    write_servers(options, json);
    write_node(options, "proxyless", name, json);
    text(json, "server_listener_resource_name_template",
         STR("grpc/server?xds.resource.listening_address=%s"));
    write_authorities(options, json);
    json_close(json, '}');
}

static struct str workload_name(const struct options *options, char host[HOST_NAME_MAX_LEN + 1])
{
    struct str name = option_text(options, O_name);
    if (name.len == 0 && gethostname(host, HOST_NAME_MAX_LEN) == 0) {
        name = str_from(host);
    }
    return name;
}

static void print(const struct options *options, bool envoy, const struct address *xds,
                  const struct address *admin)
{
    char host[HOST_NAME_MAX_LEN + 1] = "";
    struct str name = workload_name(options, host);
    struct buf out;
    struct json json;
    buf_init(&out, BOOTSTRAP_MAX);
    json_init(&json, &out, 2);
    if (envoy) {
        write_envoy(options, name, xds, admin, &json);
    } else {
        write_grpc(options, name, &json);
    }
    printf("%.*s\n", STR_FMT(buf_str(&out)));
    buf_release(&out);
}

static bool check_usage(const struct options *options, bool envoy, struct err *err)
{
    struct str mode = option_text(options, O_interception);
    if (!str_eq(mode, STR("redirect")) && !str_eq(mode, STR("none"))) {
        return err_set(err, "--interception is redirect or none, not '%.*s'", STR_FMT(mode));
    }
    if (envoy && options->lists[O_xds].len > 1) {
        return err_set(err, "several --xds are for gRPC: Envoy would use all of them at a time");
    }
    if (envoy && options->lists[O_authority].len > 0) {
        return err_set(err, "--authority is for gRPC: Envoy dials addresses");
    }
    return authorities_check(options, err);
}

/* xds: the last of them. */
static bool parse_addresses(const struct options *options, struct address *ret_xds,
                            struct address *ret_admin, struct err *err)
{
    const struct option_values *servers = &options->lists[O_xds];
    for (unsigned i = 0; i < servers->len; i++) {
        if (!parse_address(O_xds, str_from(servers->items[i]), ret_xds, err)) {
            return false;
        }
    }
    return parse_address(O_envoy_admin, option_text(options, O_envoy_admin), ret_admin, err);
}

static int run(const struct options *options)
{
    struct err err;
    struct address xds;
    struct address admin;
    struct str what = options->arguments.len == 1 ? str_from(options->arguments.items[0]) : STR("");
    bool envoy = str_eq(what, STR("envoy"));
    if (!envoy && !str_eq(what, STR("grpc"))) {
        err_set(&err, "say for what: heddle bootstrap envoy, or heddle bootstrap grpc");
        return command_fail(EXIT_USAGE, &err);
    }
    if (!check_usage(options, envoy, &err) || !parse_addresses(options, &xds, &admin, &err)) {
        return command_fail(EXIT_USAGE, &err);
    }
    print(options, envoy, &xds, &admin);
    return 0;
}

const struct command command_bootstrap = {
    .name = "bootstrap",
    .bit = CMD_BOOTSTRAP,
    .arguments = "envoy|grpc [options]",
    .summary = "print the file with which an Envoy sidecar or a gRPC application finds heddle",
    .details =
        "Envoy:  heddle bootstrap envoy --name app --interception none >envoy.json\n"
        "        envoy -c envoy.json\n"
        "gRPC:   heddle bootstrap grpc --name app >grpc.json\n"
        "        GRPC_XDS_BOOTSTRAP=grpc.json app   (which dials xds:///svc.ns.svc.DOMAIN:PORT,\n"
        "        or serves, with its language's xDS-enabled server)\n"
        "\n"
        "What heddle reads of a client's node:\n"
        "    id        ROLE/NAMESPACE/NAME, role sidecar or proxyless\n"
        "    cluster   the service account\n"
        "    locality  region and zone\n"
        "    metadata  namespace, service_account, labels, node_name,\n"
        "              interception (redirect or none), inbound (LISTEN>APP, with interception\n"
        "              none)\n"
        "Any other id is taken for a client of the namespace in its metadata, else of 'default'.\n",
    .run = run,
};
