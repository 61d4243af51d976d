/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap_node: see bootstrap_node.h. */
#include "cli/bootstrap_node.h"

#include <stdio.h>
#include <string.h>

void bootstrap_text_if(struct json *json, const char *key, struct str value)
{
    if (value.len > 0) {
        json_member_str(json, key, value);
    }
}

static void flag_if(struct json *json, const char *key, bool set)
{
    if (set) {
        json_member_bool(json, key, true);
    }
}

/* The contract is in docs/xds.md. */
void bootstrap_node(const struct bootstrap *bootstrap, const char *role, struct json *json)
{
    char id[1024];
    snprintf(id, sizeof(id), "%s/%.*s/%.*s", role, STR_FMT(bootstrap->ns),
             STR_FMT(bootstrap->name));
    json_key(json, "node");
    json_open(json, '{');
    json_member_str(json, "id", str_from(id));
    json_member_str(json, "cluster",
                    bootstrap->gateway.len > 0 ? bootstrap->gateway : bootstrap->service_account);
    json_key(json, "locality"); /* gRPC in Node.js takes no node without one */
    json_open(json, '{');
    bootstrap_text_if(json, "region", bootstrap->region);
    bootstrap_text_if(json, "zone", bootstrap->zone);
    json_close(json, '}');
    json_key(json, "metadata");
    json_open(json, '{');
    json_member_str(json, "namespace", bootstrap->ns);
    if (bootstrap->gateway.len > 0) {
        json_member_str(json, "gateway", bootstrap->gateway);
    } else {
        json_member_str(json, "service_account", bootstrap->service_account);
    }
    bootstrap_text_if(json, "node_name", bootstrap->node_name);
    if (strcmp(role, "sidecar") == 0) {
        json_member_str(json, "interception", bootstrap->interception);
        bootstrap_text_if(json, "inbound", bootstrap->inbound);
    }
    flag_if(json, "ipv6", bootstrap->ipv6 && strcmp(role, "proxyless") != 0);
    flag_if(json, "mesh_routes", bootstrap->mesh_routes && bootstrap->gateway.len > 0);
    json_close(json, '}');
    json_close(json, '}');
}
