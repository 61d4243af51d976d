/* SPDX-License-Identifier: Apache-2.0 */
/* attach_gateway: which listeners a route attaches to. */
#include "resolve/resolve.h"

void resolve_listener_routes(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}

void resolve_listener_hosts(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}

void resolve_route_domains(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}
