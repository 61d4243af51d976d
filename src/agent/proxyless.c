/* SPDX-License-Identifier: Apache-2.0 */
/* proxyless: `heddle agent proxyless`: the bootstrap of a gRPC application, and its drain. */
#include <signal.h>

#include "agent/agent.h"
#include "agent/run.h"
#include "cli/authority.h"

#define BOOTSTRAP_MODE 0644 /* the application may be another user */

static bool check(struct agent *agent, struct err *err)
{
    if (agent->options->arguments.len > 0) {
        return err_set(err, "'%s' is no option; there are no other arguments",
                       agent->options->arguments.items[0]);
    }
    return authorities_check(agent->options, err);
}

static bool placed(struct agent *agent, struct err *err)
{
    if (!agent_write_bootstrap(agent, agent->options->text[O_proxyless_file], BOOTSTRAP_MODE,
                               err)) {
        return false;
    }
    agent_http_set_ready(&agent->http, true);
    return true;
}

/* The kubelet sends it once the application has ended: there is nothing to wait for. */
static void signalled(struct agent *agent, int number)
{
    if (number == SIGTERM || number == SIGINT) {
        agent_end(agent, 0);
    }
}

static int run(const struct options *options)
{
    static const struct agent_kind kind = {
        .xds = O_agent_xds,
        .check = check,
        .placed = placed,
        .signalled = signalled,
    };
    struct agent agent = {.code = 0};
    return agent_run(&agent, &kind, options);
}

const struct command command_proxyless = {
    .name = "agent proxyless",
    .bit = CMD_PROXYLESS,
    .arguments = "[options]",
    .summary = "beside a gRPC application without proxy: its bootstrap, and its drain",
    .details =
        "Native sidecar container; docs/agent.md tells what it answers on its port. Whose pod\n"
        "it is, stands in POD_NAME, POD_NAMESPACE, POD_IP, NODE_NAME and SERVICE_ACCOUNT.\n",
    .run = run,
};
