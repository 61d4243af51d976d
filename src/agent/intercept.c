/* SPDX-License-Identifier: Apache-2.0 */
/* intercept: `heddle agent intercept`: makes or removes the rules of interception, and ends. */
#include <stdio.h>

#include "agent/agent.h"
#include "agent/nft.h"
#include "agent/ruleset.h"

static bool write_rules(const struct options *options, struct buf *out, struct err *err)
{
    const struct ruleset ruleset = {
        .http_port = (uint32_t)options->number[O_http_port],
        .proxy_uid = (uint32_t)options->number[O_proxy_uid],
        .outbound_ports = option_text(options, O_exclude_outbound_ports),
        .outbound_cidrs = option_text(options, O_exclude_outbound_cidrs),
        .inbound_ports = option_text(options, O_exclude_inbound_ports),
        .uids = option_text(options, O_exclude_uids),
    };
    if (options->arguments.len > 0) {
        return err_set(err, "'%s' is no option; there are no other arguments",
                       options->arguments.items[0]);
    }
    if (ruleset.http_port > UINT16_MAX) {
        return err_set(err, "--http-port %u is no port", ruleset.http_port);
    }
    if (option_flag(options, O_remove)) {
        ruleset_write_removal(out);
        return true;
    }
    return ruleset_write(&ruleset, out, err);
}

static int run(const struct options *options)
{
    struct err err;
    struct buf rules;
    int code = 0;
    buf_init(&rules, RULESET_MAX);
    if (!write_rules(options, &rules, &err)) {
        code = command_fail(EXIT_USAGE, &err);
    } else if (option_flag(options, O_dry_run)) {
        printf("%.*s", STR_FMT(buf_str(&rules)));
    } else if (!nft_apply(options->text[O_nft], buf_str(&rules), &err)) {
        code = command_fail(EXIT_ENVIRONMENT, &err);
    }
    buf_release(&rules);
    return code;
}

const struct command command_intercept = {
    .name = "agent intercept",
    .bit = CMD_INTERCEPT,
    .arguments = "[options]",
    .summary = "make the rules by which a pod's connections go through its sidecar",
    .details =
        "Needs the capability NET_ADMIN in the pod's network namespace, and the program nft.\n"
        "Replaces rules that are there; --remove takes them away.\n",
    .run = run,
};
