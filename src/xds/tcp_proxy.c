/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_proxy: the filter that passes connections on, for Envoy.
 *
 *   no route              Listener ─► tcp_proxy ──────────────────────► Cluster
 *   TCPRoute, TLSRoute    Listener ─► (ECDS) ─► tcp_proxy ─► weights ─► Clusters
 *
 * When a filter chain changes, Envoy closes the connections of the old one after its drain time
 * (ten minutes). The backends of a route are therefore a resource of their own: a new weight is for
 * new connections and leaves the others alone.
 *
 * An error share goes to a cluster without endpoints, which ends the connection at once ("the
 * underlying implementation MUST actively reject connection attempts", TCPRouteRule.backendRefs).
 */
#include "xds/tcp_proxy.h"

#include "ir/client.h"
#include "ir/graph.h"
#include "xds/build.h"
#include "xds/xds.h"

#define FILTER_NAME "envoy.filters.network.tcp_proxy"

static pb_tcp_proxy *new_proxy(struct arena *arena, struct str stat_prefix)
{
    pb_tcp_proxy *proxy = NEW(arena, pb_tcp_proxy);
    proxy->stat_prefix = xds_text(arena, stat_prefix);
    proxy->idle_timeout = xds_ms(arena, 0); /* as without a mesh; Envoy's default is an hour */
    proxy->access_log = ARENA_ARRAY(arena, 1, pb_access_log *);
    proxy->access_log[proxy->n_access_log++] = xds_access_log(arena);
    return proxy;
}

static void set_cluster(struct arena *arena, struct str cluster, pb_tcp_proxy *proxy)
{
    proxy->cluster_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;
    proxy->cluster = xds_text(arena, cluster);
}

pb_filter_chain *xds_tcp_chain(struct arena *arena, struct str stat_prefix, struct str cluster)
{
    pb_tcp_proxy *proxy = new_proxy(arena, stat_prefix);
    set_cluster(arena, cluster, proxy);
    return xds_chain(arena, FILTER_NAME, &proxy->base);
}

pb_filter_chain *xds_l4_chain(struct arena *arena, const struct ir_l4_route *ir)
{
    if (ir->name.len == 0) {
        struct str cluster = ir->backends.items[0].cluster;
        return xds_tcp_chain(arena, cluster, cluster);
    }
    pb_filter_chain *chain = xds_discovered_chain(arena, ir->name, &pb_tcp_proxy_desc);
    chain->name = xds_text(arena, ir->name);
    if (ir->server_names.len > 0) {
        pb_chain_match *match = NEW(arena, pb_chain_match);
        match->server_names = ARENA_ARRAY(arena, ir->server_names.len, char *);
        for (size_t i = 0; i < ir->server_names.len; i++) {
            match->server_names[match->n_server_names++] =
                xds_text(arena, ir->server_names.items[i]);
        }
        chain->filter_chain_match = match;
    }
    return chain;
}

/* --- by ECDS ------------------------------------------------------------------------------- */

/* A cluster without endpoints. */
static struct str refusing_name(struct arena *arena, const struct ir_routing *ir)
{
    return arena_printf(arena, "refused/%.*s", STR_FMT(ir->name));
}

static void add_refusing(struct resource_row *row, struct arena *arena, struct str scope,
                         struct str name)
{
    pb_cluster *cluster = NEW(arena, pb_cluster);
    cluster->name = xds_text(arena, name);
    cluster->cluster_discovery_type_case =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
    cluster->type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC;
    cluster->load_assignment = NEW(arena, pb_load_assignment);
    cluster->load_assignment->cluster_name = cluster->name;
    resource_row_add(row, XDS_CDS, scope, name, STR_NULL, &cluster->base);
}

static void set_backends(struct arena *arena, const struct ir_l4_route *ir, struct str refusing,
                         pb_tcp_proxy *proxy)
{
    if (ir->backends.len <= 1) {
        struct str only = ir->backends.len == 1 ? ir->backends.items[0].cluster : STR_NULL;
        set_cluster(arena, only.len > 0 ? only : refusing, proxy);
        return;
    }
    pb_tcp_weighted *weighted = NEW(arena, pb_tcp_weighted);
    weighted->clusters = ARENA_ARRAY(arena, ir->backends.len, pb_tcp_weight *);
    for (size_t i = 0; i < ir->backends.len; i++) {
        const struct ir_backend *backend = &ir->backends.items[i];
        pb_tcp_weight *item = NEW(arena, pb_tcp_weight);
        item->name = xds_text(arena, backend->cluster.len > 0 ? backend->cluster : refusing);
        item->weight = (uint32_t)backend->weight;
        weighted->clusters[weighted->n_clusters++] = item;
    }
    proxy->cluster_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS;
    proxy->weighted_clusters = weighted;
}

static bool refuses(const struct ir_l4_route *ir)
{
    for (size_t i = 0; i < ir->backends.len; i++) {
        if (ir->backends.items[i].cluster.len == 0) {
            return true;
        }
    }
    return ir->backends.len == 0;
}

const struct row *xds_l4_backends(struct arena *arena, const struct ir_routing *ir,
                                  struct str scope)
{
    struct str refusing = refusing_name(arena, ir);
    struct resource_row *row = resource_row_new(ir->connections.len + 1);
    bool any = false;
    for (size_t i = 0; i < ir->connections.len; i++) {
        const struct ir_l4_route *connection = &ir->connections.items[i];
        pb_tcp_proxy *proxy = new_proxy(arena, ir->name);
        set_backends(arena, connection, refusing, proxy);
        pb_extension *extension = NEW(arena, pb_extension);
        extension->name = xds_text(arena, connection->name);
        extension->typed_config = xds_any(arena, &proxy->base);
        resource_row_add(row, XDS_ECDS, scope, connection->name, STR_NULL, &extension->base);
        any = any || refuses(connection);
    }
    if (any) {
        add_refusing(row, arena, scope, refusing);
    }
    return &row->row;
}

const struct row *xds_envoy_l4(struct eval *ev, struct str key)
{
    const struct ir_routing *ir = (const struct ir_routing *)eval_get(ev, T_ROUTING, key);
    struct arena *arena = eval_scratch(ev);
    if (ir == NULL || ir->http) {
        return NULL;
    }
    struct str scope = scope_of(arena, STR(SCOPE_ENVOY), ir->client_ns);
    return eval_get(ev, T_VIEW, scope) != NULL ? xds_l4_backends(arena, ir, scope) : NULL;
}
