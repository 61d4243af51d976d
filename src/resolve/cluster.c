/* SPDX-License-Identifier: Apache-2.0 */
/* cluster: how the endpoints of a Service port are spoken to. */
#include "ir/graph.h"
#include "ir/ir.h"
#include "resolve/key.h"
#include "resolve/policy.h"
#include "resolve/resolve.h"

const struct row *resolve_cluster(struct eval *ev, struct str key)
{
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, key);
    if (port == NULL || !port->backend || port->protocol == IR_UDP) {
        return NULL; /* datagrams are Gateways' business, which have clusters of their own */
    }
    struct ir_cluster *cluster = row_new(sizeof(*cluster), 96);
    struct arena *arena = &cluster->row.arena;
    cluster->name = arena_str(arena, key);
    cluster->ns = arena_str(arena, port->ns);
    cluster->service = arena_str(arena, port->service);
    cluster->protocol = port->protocol;
    const struct backend_policy *policy = policy_of(ev, port_key_parse(key).object);
    if (policy != NULL && policy->retry != NULL) {
        cluster->retry_budget = policy_budget(arena, policy->retry);
    }
    return &cluster->row;
}
