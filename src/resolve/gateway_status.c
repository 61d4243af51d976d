/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_status: the conditions of Gateways and ListenerSets. */
#include "resolve/resolve.h"

const struct row *resolve_gateway_status(struct eval *ev, struct str key)
{
    (void)ev;
    (void)key;
    return NULL;
}

const struct row *resolve_listener_set_status(struct eval *ev, struct str key)
{
    (void)ev;
    (void)key;
    return NULL;
}

void resolve_gateway_faults(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}

void resolve_listener_set_faults(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}
