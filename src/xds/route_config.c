/* SPDX-License-Identifier: Apache-2.0 */
/* route_config: RouteConfigurations, spliced from encoded virtual hosts. */
#include "base/panic.h"
#include "codec/pb.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "xds/reason.h"
#include "xds/xds.h"

/* Field numbers of envoy.config.route.v3.RouteConfiguration. */
#define ROUTE_CONFIG_NAME 1
#define ROUTE_CONFIG_VIRTUAL_HOSTS 2

static const struct row *splice(struct eval *ev, struct str key, unsigned fragments,
                                struct str base)
{
    const struct fragment_row *fragment = (const struct fragment_row *)eval_get(ev, fragments, key);
    if (fragment == NULL) {
        return NULL;
    }
    size_t at = str_rindex(key, '@');
    struct str name = str_sub(key, 0, at);
    struct str client_ns = at < key.len ? str_sub(key, at + 1, key.len) : STR_NULL;
    struct str scope = scope_of(eval_scratch(ev), base, client_ns);
    struct buf message;
    buf_init(&message, BUF_UNLIMITED);
    pb_put_bytes(&message, ROUTE_CONFIG_NAME, name);
    pb_put_bytes(&message, ROUTE_CONFIG_VIRTUAL_HOSTS, fragment->bytes);
    ASSERT(fragment->nreasons <= REASONS_MAX);
    struct resource_row *row = resource_row_new(1 + 2 * fragment->nreasons);
    resource_row_add_bytes(row, XDS_RDS, scope, name, STR_NULL, buf_str(&message));
    buf_release(&message);
    for (size_t i = 0; i < fragment->nreasons; i++) {
        xds_add_reason(row, scope, fragment->reasons[i], true);
    }
    return &row->row;
}

const struct row *xds_envoy_routes(struct eval *ev, struct str key)
{
    return splice(ev, key, T_ENVOY_VHOST, STR(SCOPE_ENVOY));
}

const struct row *xds_grpc_routes(struct eval *ev, struct str key)
{
    return splice(ev, key, T_GRPC_VHOST, STR(SCOPE_GRPC));
}
