/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway: `heddle agent gateway`: the Envoy of a Gateway. Nothing is intercepted, and who connects
 * is not of the mesh: load balancers and their clients hear of its end by themselves, some seconds
 * after it. So it serves new connections for --leave-wait-s yet, with "connection: close" and
 * GOAWAY, and ends when there are none.
 */
#include <string.h>

#include "agent/agent.h"
#include "agent/proxy.h"

static bool check(struct agent *agent, struct err *err)
{
    struct bootstrap *bootstrap = &agent->pod.bootstrap;
    const uint64_t *number = agent->options->number;
    if (option_text(agent->options, O_envoy_metrics).len == 0) {
        bootstrap->metrics = pod_has_ipv6() ? STR("[::]:15090") : STR("0.0.0.0:15090");
    }
    bootstrap->ipv6 = pod_has_ipv6();
    if (bootstrap->gateway.len == 0) {
        return err_set(err,
                       "say whose Envoy it is: --gateway NAME, of a Gateway in the namespace "
                       "'%.*s' (--namespace)",
                       STR_FMT(bootstrap->ns));
    }
    if (number[O_leave_wait_s] >= number[O_terminate_wait_s]) {
        return err_set(err, "--leave-wait-s must be less than --terminate-wait-s, which is all the "
                            "time that there is");
    }
    return proxy_check(agent, err);
}

static int run(const struct options *options)
{
    static const struct agent_kind kind = {
        .envoy = true,
        .xds = O_gateway_xds,
        .check = check,
        .placed = proxy_placed,
        .signalled = proxy_signalled,
        .child = proxy_child,
        .stop = proxy_stop,
    };
    struct proxy gateway;
    memset(&gateway, 0, sizeof(gateway));
    gateway.leave_ms = options->number[O_leave_wait_s] * 1000;
    return agent_run(&gateway.agent, &kind, options);
}

const struct command command_gateway = {
    .name = "agent gateway",
    .bit = CMD_GATEWAY,
    .arguments = "--gateway NAME [options] [-- ENVOY-OPTIONS]",
    .summary = "run a Gateway's Envoy: bootstrap, readiness, drain, end",
    .details =
        "heddle makes Deployments that run it; docs/agent.md tells what it answers on its port.\n"
        "--tls-cert and --tls-key are the certificate by which heddle knows the Gateway; files\n"
        "that are exchanged are read again. Whose pod it is, stands in POD_NAME, POD_NAMESPACE,\n"
        "POD_IP and NODE_NAME.\n",
    .run = run,
};
