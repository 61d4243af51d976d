/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_l4: backends of connections, and of datagrams.
 *
 * Connections go by weight as those of sidecars do (tcp_proxy.c): a TcpProxy by ECDS.
 *
 * Envoy sends all datagrams of a UDP listener to one cluster. So there is one for each entry,
 * composed of the endpoints of all backends, each a locality with its backend's weight. A locality
 * without endpoints would lose its share to the others; an address where nobody listens keeps it,
 * for backends that do not resolve ("MUST be dropped") and for those without endpoints.
 */
#include "ir/client.h"
#include "ir/graph.h"
#include "xds/alias_gateway.h"
#include "xds/build.h"
#include "xds/cluster.h"
#include "xds/endpoints.h"
#include "xds/gateway.h"
#include "xds/tcp_proxy.h"
#include "xds/xds.h"

#define NOWHERE "127.0.0.1" /* in the gateway's own pod */
#define NOWHERE_PORT 9      /* discard (RFC 863) */

const struct row *xds_gateway_l4(struct eval *ev, struct str key)
{
    struct entry_key parts = entry_key_parse(key);
    const struct ir_routing *ir = (const struct ir_routing *)eval_get(ev, T_GATEWAY_L4, key);
    struct str scope = xds_gateway_scope(ev, parts.gateway);
    if (ir == NULL || parts.udp || scope.len == 0) {
        return NULL;
    }
    return xds_l4_backends(eval_scratch(ev), ir, scope);
}

/* --- UDP ------------------------------------------------------------------------------------ */

static pb_lb_endpoint *nowhere(struct arena *arena)
{
    const struct ir_endpoint endpoint = {.address = STR(NOWHERE), .port = NOWHERE_PORT};
    return xds_lb_endpoint(arena, &endpoint);
}

static void add_endpoints(struct arena *arena, const struct ir_endpoints *ir,
                          pb_locality_endpoints *group)
{
    size_t len = 1;
    for (size_t i = 0; ir != NULL && i < ir->localities.len; i++) {
        len += ir->localities.items[i].endpoints.len;
    }
    group->lb_endpoints = ARENA_ARRAY(arena, len, pb_lb_endpoint *);
    for (size_t i = 0; ir != NULL && i < ir->localities.len; i++) {
        const struct ir_locality *locality = &ir->localities.items[i];
        for (size_t j = 0; j < locality->endpoints.len; j++) {
            group->lb_endpoints[group->n_lb_endpoints++] =
                xds_lb_endpoint(arena, &locality->endpoints.items[j]);
        }
    }
    if (group->n_lb_endpoints == 0) {
        group->lb_endpoints[group->n_lb_endpoints++] = nowhere(arena);
    }
}

/* The locality of a backend, which is called after it; a backend that stands twice has one. */
static pb_locality_endpoints *locality_of(struct arena *arena, struct str name,
                                          pb_load_assignment *assignment)
{
    for (size_t i = 0; i < assignment->n_endpoints; i++) {
        if (str_eq(str_from(assignment->endpoints[i]->locality->sub_zone), name)) {
            return assignment->endpoints[i];
        }
    }
    pb_locality_endpoints *group = NEW(arena, pb_locality_endpoints);
    group->locality = NEW(arena, pb_locality);
    group->locality->sub_zone = xds_text(arena, name);
    group->load_balancing_weight = xds_u32(arena, 0);
    assignment->endpoints[assignment->n_endpoints++] = group;
    return group;
}

static pb_load_assignment *compose(struct eval *ev, struct str name, const struct ir_l4_route *ir)
{
    struct arena *arena = eval_scratch(ev);
    size_t len = ir != NULL ? ir->backends.len : 0;
    pb_load_assignment *assignment = NEW(arena, pb_load_assignment);
    assignment->cluster_name = xds_text(arena, name);
    assignment->endpoints = ARENA_ARRAY(arena, len, pb_locality_endpoints *);
    for (size_t i = 0; i < len; i++) {
        const struct ir_backend *backend = &ir->backends.items[i];
        bool works = backend->cluster.len > 0;
        pb_locality_endpoints *group =
            locality_of(arena, works ? backend->cluster : STR("nowhere"), assignment);
        group->load_balancing_weight->value += (uint32_t)backend->weight;
        if (group->n_lb_endpoints > 0) {
            continue;
        }
        struct str port = works ? upstream_name_parse(backend->cluster).port : STR_NULL;
        add_endpoints(arena,
                      works ? (const struct ir_endpoints *)eval_get(ev, T_ENDPOINTS, port) : NULL,
                      group);
    }
    return assignment;
}

const struct row *xds_gateway_udp(struct eval *ev, struct str key)
{
    struct entry_key parts = entry_key_parse(key);
    const struct ir_routing *ir = (const struct ir_routing *)eval_get(ev, T_GATEWAY_L4, key);
    struct str scope = xds_gateway_scope(ev, parts.gateway);
    if (ir == NULL || !parts.udp || scope.len == 0) {
        return NULL;
    }
    struct arena *scratch = eval_scratch(ev);
    pb_cluster *cluster = xds_eds_cluster(scratch, parts.entry);
    cluster->common_lb_config = NEW(scratch, pb_common_lb);
    cluster->common_lb_config->locality_config_specifier_case =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__COMMON_LB_CONFIG__LOCALITY_CONFIG_SPECIFIER_LOCALITY_WEIGHTED_LB_CONFIG;
    cluster->common_lb_config->locality_weighted_lb_config = NEW(scratch, pb_locality_weighted);
    const struct ir_l4_route *route = ir->connections.len > 0 ? &ir->connections.items[0] : NULL;
    struct resource_row *row = resource_row_new(2);
    resource_row_add(row, XDS_CDS, scope, parts.entry, parts.entry, &cluster->base);
    resource_row_add(row, XDS_EDS, scope, parts.entry, STR_NULL,
                     &compose(ev, parts.entry, route)->base);
    return &row->row;
}
