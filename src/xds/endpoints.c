/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoints: one ClusterLoadAssignment for each Service port, the same bytes for every dialect;
 * more of them, each for the clients of a zone or node, where those are to prefer what is near.
 *
 * What the strictest reader (gRPC) demands holds for all: `locality` is always set, its weight is
 * more than 0 (the number of endpoints that take new traffic, so that each gets the same share),
 * priorities have no gaps, neither an address nor a locality stands twice.
 *
 * Draining: Envoy and C-core (gRFC A55) keep such an endpoint for sessions that are pinned to it;
 * other gRPC clients read it as one that is not there.
 */
#include "xds/endpoints.h"

#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "xds/build.h"
#include "xds/xds.h"

pb_lb_endpoint *xds_lb_endpoint(struct arena *arena, const struct ir_endpoint *ir)
{
    pb_lb_endpoint *lb = NEW(arena, pb_lb_endpoint);
    lb->host_identifier_case = ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
    lb->endpoint = NEW(arena, pb_endpoint);
    lb->endpoint->address = xds_address(arena, ir->address, ir->port);
    if (ir->other.len > 0) { /* gRFC A61; who does not know it has the first address */
        pb_endpoint_address *other = NEW(arena, pb_endpoint_address);
        other->address = xds_address(arena, ir->other, ir->other_port);
        lb->endpoint->additional_addresses = ARENA_ARRAY(arena, 1, pb_endpoint_address *);
        lb->endpoint->additional_addresses[lb->endpoint->n_additional_addresses++] = other;
    }
    if (ir->draining) {
        lb->health_status = ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__DRAINING;
    }
    return lb;
}

/* More than 0 even where all drain: a gRPC client forgets a locality without weight. */
static uint32_t weight(const struct ir_locality *ir)
{
    uint32_t taking = 0;
    for (size_t i = 0; i < ir->endpoints.len; i++) {
        taking += !ir->endpoints.items[i].draining;
    }
    return taking > 0 ? taking : 1;
}

static pb_locality_endpoints *locality(struct arena *arena, const struct ir_locality *ir)
{
    pb_locality_endpoints *group = NEW(arena, pb_locality_endpoints);
    group->locality = NEW(arena, pb_locality);
    group->locality->zone = xds_text(arena, ir->zone);
    group->locality->sub_zone = xds_text(arena, ir->part);
    group->priority = (uint32_t)ir->priority;
    group->load_balancing_weight = xds_u32(arena, weight(ir));
    group->lb_endpoints = ARENA_ARRAY(arena, ir->endpoints.len, pb_lb_endpoint *);
    for (size_t i = 0; i < ir->endpoints.len; i++) {
        group->lb_endpoints[group->n_lb_endpoints++] =
            xds_lb_endpoint(arena, &ir->endpoints.items[i]);
    }
    return group;
}

const struct row *xds_endpoints(struct eval *ev, struct str key)
{
    const struct ir_endpoints *ir = (const struct ir_endpoints *)eval_get(ev, T_ENDPOINTS, key);
    struct arena *scratch = eval_scratch(ev);
    struct str place = str_sub(key, str_rindex(key, '@'), key.len); /* "@zone/a", or nothing */
    struct str scope = arena_printf(scratch, SCOPE_ALL "%.*s", STR_FMT(place));
    if (ir == NULL || ir->udp || eval_get(ev, T_VIEW, scope) == NULL) {
        return NULL;
    }
    pb_load_assignment *assignment = NEW(scratch, pb_load_assignment);
    assignment->cluster_name = xds_text(scratch, ir->name);
    assignment->endpoints = ARENA_ARRAY(scratch, ir->localities.len, pb_locality_endpoints *);
    for (size_t i = 0; i < ir->localities.len; i++) {
        assignment->endpoints[assignment->n_endpoints++] =
            locality(scratch, &ir->localities.items[i]);
    }
    struct resource_row *row = resource_row_new(1);
    resource_row_add(row, XDS_EDS, scope, ir->name, STR_NULL, &assignment->base);
    return &row->row;
}
