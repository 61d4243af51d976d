/* SPDX-License-Identifier: Apache-2.0 */
/* ruleset: the rules of interception as a text for nft (docs/agent.md, "Interception"). */
#ifndef HEDDLE_AGENT_RULESET_H
#define HEDDLE_AGENT_RULESET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define RULESET_MAX (1u << 20) /* far more than full lists need */

/* Lists as in ir/exclusion.h. */
struct ruleset {
    uint32_t http_port; /* of the agent */
    uint32_t proxy_uid;
    struct str outbound_ports, outbound_cidrs, uids;
    struct str inbound_ports;
};

/* Replaces what is there. False: a list is wrong; err names its option. */
bool ruleset_write(const struct ruleset *ruleset, struct buf *out, struct err *err);
void ruleset_write_removal(struct buf *out); /* also fine where nothing is */

#endif
