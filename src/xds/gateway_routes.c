/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_routes: virtual hosts of domains, RouteConfigurations of entries. */
#include "xds/xds.h"

const struct row *xds_gateway_vhost(struct eval *ev, struct str key)
{
    (void)ev;
    (void)key;
    return NULL;
}

const struct row *xds_gateway_routes(struct eval *ev, struct str key)
{
    (void)ev;
    (void)key;
    return NULL;
}

void xds_entry_vhosts(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}
