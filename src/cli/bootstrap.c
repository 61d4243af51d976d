/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap: `heddle bootstrap envoy|grpc`, the file with which a client finds heddle. */
#include "cli/bootstrap.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/authority.h"
#include "cli/commands.h"
#include "net/addr.h"

#define HOST_NAME_MAX_LEN 254

void bootstrap_from(const struct options *options, enum option_id xds,
                    struct bootstrap *ret_bootstrap)
{
    struct str metrics = option_text(options, O_envoy_metrics);
    *ret_bootstrap = (struct bootstrap){
        .xds = &options->lists[xds],
        .authorities = &options->lists[O_authority],
        .tls_ca = option_text(options, O_tls_ca),
        .tls_cert = option_text(options, O_tls_cert),
        .tls_key = option_text(options, O_tls_key),
        .ns = option_text(options, O_namespace),
        .name = option_text(options, O_name),
        .service_account = option_text(options, O_service_account),
        .node_name = option_text(options, O_node_name),
        .region = option_text(options, O_region),
        .zone = option_text(options, O_zone),
        .inbound = option_text(options, O_inbound),
        .envoy_admin = option_text(options, O_envoy_admin),
        .gateway = option_text(options, O_gateway),
        .mesh_routes = option_flag(options, O_mesh_routes),
        .max_clients = options->number[O_max_clients],
        .memory_limit_mib = options->number[O_memory_limit_mib],
        .metrics = str_eq(metrics, STR("none")) ? STR_NULL : metrics,
        .sotw = option_flag(options, O_sotw),
    };
}

bool bootstrap_check(const struct bootstrap *bootstrap, bool envoy, struct err *err)
{
    struct host_port host_port;
    struct sockaddr_storage admin;
    if (envoy && bootstrap->xds->len > 1) {
        return err_set(err, "several --xds are for gRPC: Envoy would use all of them at a time");
    }
    if (envoy && bootstrap->authorities->len > 0) {
        return err_set(err, "--authority is for gRPC: Envoy dials addresses");
    }
    for (unsigned i = 0; i < bootstrap->xds->len; i++) {
        if (!host_port_parse(str_from(bootstrap->xds->items[i]), &host_port, err)) {
            return err_prefix(err, "--xds");
        }
    }
    if (!envoy && (bootstrap->gateway.len > 0 || bootstrap->metrics.len > 0)) {
        return err_set(err, "--gateway and --envoy-metrics are for Envoy");
    }
    if (envoy && !addr_parse(bootstrap->envoy_admin, &admin, err)) {
        return err_prefix(err, "--envoy-admin");
    }
    if (bootstrap->metrics.len > 0 && !addr_parse(bootstrap->metrics, &admin, err)) {
        return err_prefix(err, "--envoy-metrics");
    }
    bool tls = bootstrap->tls_cert.len > 0;
    return tls == (bootstrap->tls_key.len > 0) ||
           err_set(err, "--tls-cert and --tls-key belong together");
}

static bool check_usage(const struct options *options, const struct bootstrap *bootstrap,
                        bool envoy, struct err *err)
{
    struct str mode = bootstrap->interception;
    if (!str_eq(mode, STR("redirect")) && !str_eq(mode, STR("none"))) {
        return err_set(err, "--interception is redirect or none, not '%.*s'", STR_FMT(mode));
    }
    return bootstrap_check(bootstrap, envoy, err) && authorities_check(options, err);
}

static void print(const struct bootstrap *bootstrap, bool envoy)
{
    struct buf out;
    buf_init(&out, BOOTSTRAP_MAX);
    if (envoy) {
        bootstrap_envoy(bootstrap, &out);
    } else {
        bootstrap_grpc(bootstrap, &out);
    }
    printf("%.*s\n", STR_FMT(buf_str(&out)));
    buf_release(&out);
}

static int run(const struct options *options)
{
    struct err err;
    struct bootstrap bootstrap;
    char host[HOST_NAME_MAX_LEN + 1] = "";
    struct str what = options->arguments.len == 1 ? str_from(options->arguments.items[0]) : STR("");
    bool envoy = str_eq(what, STR("envoy"));
    if (!envoy && !str_eq(what, STR("grpc"))) {
        err_set(&err, "say for what: heddle bootstrap envoy, or heddle bootstrap grpc");
        return command_fail(EXIT_USAGE, &err);
    }
    bootstrap_from(options, O_xds, &bootstrap);
    bootstrap.interception = option_text(options, O_interception);
    bootstrap.ipv6 = option_flag(options, O_ipv6);
    if (!check_usage(options, &bootstrap, envoy, &err)) {
        return command_fail(EXIT_USAGE, &err);
    }
    if (bootstrap.name.len == 0 && gethostname(host, HOST_NAME_MAX_LEN) == 0) {
        bootstrap.name = str_from(host);
    }
    print(&bootstrap, envoy);
    return 0;
}

const struct command command_bootstrap = {
    .name = "bootstrap",
    .bit = CMD_BOOTSTRAP,
    .arguments = "envoy|grpc [options]",
    .summary = "print the file with which an Envoy or a gRPC application finds heddle",
    .details =
        "Envoy:  heddle bootstrap envoy --name app --interception none >envoy.json\n"
        "        envoy -c envoy.json\n"
        "        heddle bootstrap envoy --gateway front --namespace infra >gateway.json\n"
        "gRPC:   heddle bootstrap grpc --name app >grpc.json\n"
        "        GRPC_XDS_BOOTSTRAP=grpc.json app   (which dials xds:///svc.ns.svc.DOMAIN:PORT,\n"
        "        or serves, with its language's xDS-enabled server)\n"
        "\n"
        "What heddle reads of a client's node:\n"
        "    id        ROLE/NAMESPACE/NAME, role sidecar, gateway or proxyless\n"
        "    cluster   the service account; of a gateway the Gateway's name\n"
        "    locality  region and zone\n"
        "    metadata  namespace, service_account, labels, node_name, gateway (of a gateway: its\n"
        "              Gateway's name, else it is NAME), mesh_routes (of a gateway: true, the\n"
        "              routes of Services apply to what it sends there),\n"
        "              interception (redirect or none), inbound (LISTEN>APP, with interception\n"
        "              none), ipv6 (true, of a gateway or with interception redirect: it can\n"
        "              listen on IPv6, too)\n"
        "Any other id is taken for a client of the namespace in its metadata, else of 'default'.\n",
    .run = run,
};
