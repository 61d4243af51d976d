/* SPDX-License-Identifier: Apache-2.0 */
/* sidecar: `heddle agent sidecar`: a pod's Envoy, behind its rules of interception. */
#include <string.h>

#include "agent/agent.h"
#include "agent/interception.h"
#include "agent/proxy.h"

static bool check(struct agent *agent, struct err *err)
{
    struct str mode = option_text(agent->options, O_agent_interception);
    struct bootstrap *bootstrap = &agent->pod.bootstrap;
    if (!str_eq(mode, STR("redirect")) && !str_eq(mode, STR("cni")) && !str_eq(mode, STR("none"))) {
        return err_set(err, "--interception is redirect, cni or none, not '%.*s'", STR_FMT(mode));
    }
    bootstrap->interception = str_eq(mode, STR("none")) ? mode : STR("redirect");
    bootstrap->ipv6 = !str_eq(mode, STR("none")) && pod_has_ipv6();
    return proxy_check(agent, err);
}

static bool listening(struct agent *agent, struct err *err)
{
    return interception_check(option_text(agent->options, O_agent_interception),
                              agent->pod.bootstrap.ipv6, err);
}

static int run(const struct options *options)
{
    static const struct agent_kind kind = {
        .envoy = true,
        .xds = O_agent_xds,
        .check = check,
        .listening = listening,
        .placed = proxy_placed,
        .signalled = proxy_signalled,
        .child = proxy_child,
        .stop = proxy_stop,
    };
    struct proxy sidecar;
    memset(&sidecar, 0, sizeof(sidecar));
    /* Nothing new comes in. Outbound stays open: requests that are under way may still need it. */
    sidecar.closing = "/drain_listeners?inboundonly";
    return agent_run(&sidecar.agent, &kind, options);
}

const struct command command_sidecar = {
    .name = "agent sidecar",
    .bit = CMD_SIDECAR,
    .arguments = "[options] [-- ENVOY-OPTIONS]",
    .summary = "run a pod's Envoy: bootstrap, readiness, drain, end",
    .details =
        "Native sidecar container; docs/agent.md tells what it answers on its port. Whose pod\n"
        "it is, stands in POD_NAME, POD_NAMESPACE, POD_IP, NODE_NAME and SERVICE_ACCOUNT.\n",
    .run = run,
};
