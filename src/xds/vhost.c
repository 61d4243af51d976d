/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost: one VirtualHost for each routing, as an encoded fragment.
 *
 * Its domain is "*": in the mesh a request belongs to the Service whose address it was sent to,
 * whatever its Host says (GEP-1294, MeshClusterIPMatching).
 */
#include "xds/vhost.h"

#include <string.h>

#include "codec/pb.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "xds/build.h"
#include "xds/xds.h"

static bool takes_all(const struct ir_routing *ir)
{
    for (size_t i = 0; i < ir->routes.len; i++) {
        const struct ir_match *match = &ir->routes.items[i].match;
        if (match->path_type == IR_PATH_ANY && match->method.len == 0 && match->headers.len == 0 &&
            match->query.len == 0) {
            return true;
        }
    }
    return false;
}

pb_virtual_host *xds_new_vhost(struct arena *arena, struct str name, struct str domain)
{
    pb_virtual_host *vhost = NEW(arena, pb_virtual_host);
    vhost->name = xds_text(arena, name);
    vhost->domains = ARENA_ARRAY(arena, 1, char *);
    vhost->domains[vhost->n_domains++] = xds_text(arena, domain);
    return vhost;
}

const struct row *xds_vhost_fragment(const struct ir_routing *ir, pb_virtual_host *vhost,
                                     struct route_list *list)
{
    vhost->routes = list->routes.items;
    vhost->n_routes = list->routes.len;

    size_t size = protobuf_c_message_get_packed_size(&vhost->base);
    struct fragment_row *row = row_new(sizeof(*row), size);
    uint8_t *bytes = arena_alloc(&row->row.arena, size);
    protobuf_c_message_pack(&vhost->base, bytes);
    row->bytes = str_span((const char *)bytes, size);
    row->takes_all = takes_all(ir);
    row->nreasons = list->reasons.len;
    row->reasons = ARENA_ARRAY(&row->row.arena, list->reasons.len, struct str);
    for (size_t i = 0; i < list->reasons.len; i++) {
        row->reasons[i] = arena_str(&row->row.arena, list->reasons.items[i]);
    }
    vec_release(&list->routes);
    vec_release(&list->reasons);
    return &row->row;
}

const struct row *xds_envoy_vhost(struct eval *ev, struct str key)
{
    const struct ir_routing *ir = (const struct ir_routing *)eval_get(ev, T_ROUTING, key);
    struct arena *scratch = eval_scratch(ev);
    if (ir == NULL || !ir->http ||
        eval_get(ev, T_VIEW, scope_of(scratch, STR(SCOPE_ENVOY), ir->client_ns)) == NULL) {
        return NULL;
    }
    struct route_list list;
    memset(&list, 0, sizeof(list));
    for (size_t i = 0; i < ir->routes.len; i++) {
        xds_envoy_route(scratch, &ir->routes.items[i], &list);
    }
    return xds_vhost_fragment(ir, xds_new_vhost(scratch, ir->name, STR("*")), &list);
}

const struct row *xds_grpc_vhost(struct eval *ev, struct str key)
{
    const struct ir_routing *ir = (const struct ir_routing *)eval_get(ev, T_ROUTING, key);
    struct arena *scratch = eval_scratch(ev);
    if (ir == NULL ||
        eval_get(ev, T_VIEW, scope_of(scratch, STR(SCOPE_GRPC), ir->client_ns)) == NULL) {
        return NULL;
    }
    struct route_list list;
    memset(&list, 0, sizeof(list));
    for (size_t i = 0; i < ir->routes.len; i++) {
        xds_grpc_route(scratch, &ir->routes.items[i], ir->name, &list);
    }
    return xds_vhost_fragment(ir, xds_new_vhost(scratch, ir->name, STR("*")), &list);
}
