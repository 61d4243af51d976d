/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap_grpc: the bootstrap of a proxyless gRPC application (gRFC A27). */
#include <stdio.h>

#include "cli/bootstrap.h"
#include "cli/bootstrap_node.h"
#include "codec/json.h"

#define TEMPLATE_MAX 512

static void write_channel_creds(const struct bootstrap *bootstrap, struct json *json)
{
    struct str ca = bootstrap->tls_ca;
    struct str cert = bootstrap->tls_cert;
    json_key(json, "channel_creds");
    json_open(json, '[');
    json_open(json, '{');
    json_member_str(json, "type", ca.len > 0 ? STR("tls") : STR("insecure"));
    if (ca.len > 0) {
        json_key(json, "config");
        json_open(json, '{');
        json_member_str(json, "ca_certificate_file", ca);
        if (cert.len > 0) {
            json_member_str(json, "certificate_file", cert);
            json_member_str(json, "private_key_file", bootstrap->tls_key);
        }
        json_close(json, '}');
    }
    json_close(json, '}');
    json_close(json, ']');
}

/* In the order in which they are tried (gRFC A71). */
static void write_servers(const struct bootstrap *bootstrap, struct json *json)
{
    const struct option_values *servers = bootstrap->xds;
    json_key(json, "xds_servers");
    json_open(json, '[');
    for (unsigned i = 0; i < servers->len; i++) {
        json_open(json, '{');
        json_member_str(json, "server_uri", str_from(servers->items[i]));
        write_channel_creds(bootstrap, json);
        json_key(json, "server_features");
        json_raw(json, STR("[\"xds_v3\"]"));
        json_close(json, '}');
    }
    json_close(json, ']');
}

/* gRFC A47. Their servers are those of the whole file: what a Listener of an authority names has
 * plain names, which are asked of those (docs/xds.md, "Federation"). */
static void write_authorities(const struct bootstrap *bootstrap, struct json *json)
{
    const struct option_values *authorities = bootstrap->authorities;
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
        json_member_str(json, "client_listener_resource_name_template", str_from(template));
        json_close(json, '}');
    }
    json_close(json, '}');
}

void bootstrap_grpc(const struct bootstrap *bootstrap, struct buf *out)
{
    struct json json;
    json_init(&json, out, 2);
    json_open(&json, '{');
    write_servers(bootstrap, &json);
    bootstrap_node(bootstrap, "proxyless", &json);
    json_member_str(&json, "server_listener_resource_name_template",
                    STR("grpc/server?xds.resource.listening_address=%s"));
    write_authorities(bootstrap, &json);
    json_close(&json, '}');
}
