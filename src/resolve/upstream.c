/* SPDX-License-Identifier: Apache-2.0 */
/* upstream: a cluster of a gateway. */
#include "resolve/resolve.h"

const struct row *resolve_upstream(struct eval *ev, struct str key)
{
    (void)ev;
    (void)key;
    return NULL;
}

void resolve_upstreams(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}

void resolve_upstream_secrets(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}
