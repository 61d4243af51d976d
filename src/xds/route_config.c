/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_config: RouteConfigurations, spliced from encoded virtual hosts.
 *
 * A repeated field may be continued behind the message that it is of, so that a virtual host gets
 * one more route without being encoded anew.
 */
#include "base/panic.h"
#include "codec/pb.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "xds/build.h"
#include "xds/reason.h"
#include "xds/xds.h"

/* Field numbers of envoy.config.route.v3.RouteConfiguration. */
#define ROUTE_CONFIG_NAME 1
#define ROUTE_CONFIG_VIRTUAL_HOSTS 2
#define VIRTUAL_HOST_ROUTES 3 /* of envoy.config.route.v3.VirtualHost */

#define TELLING_SCOPES 2 /* of clients that print the names of clusters, or what drops a call */

static struct str config_name(struct str key)
{
    return str_sub(key, 0, str_rindex(key, '@'));
}

static struct str config_scope(struct eval *ev, struct str key, struct str base)
{
    size_t at = str_rindex(key, '@');
    struct str client_ns = at < key.len ? str_sub(key, at + 1, key.len) : STR_NULL;
    return scope_of(eval_scratch(ev), base, client_ns);
}

static void add_config(struct resource_row *row, struct str scope, struct str name,
                       struct str vhost)
{
    struct buf message;
    buf_init(&message, BUF_UNLIMITED);
    pb_put_bytes(&message, ROUTE_CONFIG_NAME, name);
    pb_put_bytes(&message, ROUTE_CONFIG_VIRTUAL_HOSTS, vhost);
    resource_row_add_bytes(row, XDS_RDS, scope, name, STR_NULL, buf_str(&message));
    buf_release(&message);
}

/* The RouteConfiguration, and what its reasons need. room: for more resources. */
static struct resource_row *new_configs(struct str key, struct str scope,
                                        const struct fragment_row *fragment, size_t room)
{
    ASSERT(fragment->nreasons <= REASONS_MAX);
    struct resource_row *row = resource_row_new(1 + 2 * fragment->nreasons + room);
    add_config(row, scope, config_name(key), fragment->bytes);
    for (size_t i = 0; i < fragment->nreasons; i++) {
        xds_add_reason(row, scope, fragment->reasons[i], true);
    }
    return row;
}

const struct row *xds_envoy_routes(struct eval *ev, struct str key)
{
    const struct fragment_row *fragment =
        (const struct fragment_row *)eval_get(ev, T_ENVOY_VHOST, key);
    if (fragment == NULL) {
        return NULL;
    }
    return &new_configs(key, config_scope(ev, key, STR(SCOPE_ENVOY)), fragment, 0)->row;
}

/* The same virtual host with one more route, for what no rule takes, to a cluster that is named by
 * the reason: of those that print the name. */
static void add_telling(struct resource_row *row, struct arena *scratch, struct str key,
                        struct str scope, const struct fragment_row *fragment)
{
    struct str reason = arena_printf(
        scratch, "heddle: %.*s: no rule of its routes takes the request", STR_FMT(key));
    pb_route *route = NEW(scratch, pb_route);
    route->match = NEW(scratch, pb_route_match);
    route->match->path_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PREFIX;
    route->match->prefix = (char *)"/";
    route->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_ROUTE;
    route->route = NEW(scratch, pb_route_action);
    route->route->cluster_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER;
    route->route->cluster = xds_text(scratch, reason);
    struct buf vhost;
    buf_init(&vhost, BUF_UNLIMITED);
    buf_add_str(&vhost, fragment->bytes);
    pb_put_bytes(&vhost, VIRTUAL_HOST_ROUTES, pb_pack(scratch, &route->base));
    add_config(row, scope, config_name(key), buf_str(&vhost));
    buf_release(&vhost);
    xds_add_reason(row, scope, reason, true);
}

const struct row *xds_grpc_routes(struct eval *ev, struct str key)
{
    const struct fragment_row *fragment =
        (const struct fragment_row *)eval_get(ev, T_GRPC_VHOST, key);
    if (fragment == NULL) {
        return NULL;
    }
    static const char *const telling[] = {SCOPE_GRPC_CORE, SCOPE_GRPC_NODE};
    struct str scope = config_scope(ev, key, STR(SCOPE_GRPC));
    struct resource_row *row = new_configs(key, scope, fragment, 3 * TELLING_SCOPES);
    for (size_t i = 0; i < TELLING_SCOPES && !fragment->takes_all; i++) {
        scope = config_scope(ev, key, str_from(telling[i]));
        if (eval_get(ev, T_VIEW, scope) != NULL) {
            add_telling(row, eval_scratch(ev), key, scope, fragment);
        }
    }
    return &row->row;
}
