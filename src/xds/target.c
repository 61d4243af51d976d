/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target: the Listener that a proxyless client asks for by the name it dials.
 *
 *   the Service port exists   Listener ─► RDS "ns/svc:port" ─► CDS ─► EDS
 *   it does not, C-core, Java Listener with an inline route to a cluster that is named by the
 *                             reason and has no endpoints: the RPC's error holds the name
 *   it does not, Node.js      the same, but calls are dropped, for which it gives the reason
 *   it does not, Go           Listener with an inline route table without a virtual host for the
 *                             name: the RPC's error names it
 * All of it is valid configuration; clients have nothing to reject (design §10.8).
 */
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "xds/build.h"
#include "xds/hcm.h"
#include "xds/reason.h"
#include "xds/xds.h"

/* A dialled name of more bytes than this is told nothing but that it leads nowhere: the reason's
 * cluster would have a longer name than clients may ask for (serve's limit name_bytes). Names of
 * Services are shorter. */
#define EXPLAINED_NAME_MAX 512

static void add_listener(struct resource_row *row, struct arena *arena,
                         const struct ir_target *target, const pb_hcm *hcm)
{
    pb_listener *listener = NEW(arena, pb_listener);
    listener->name = xds_text(arena, target->name);
    listener->api_listener = NEW(arena, pb_api_listener);
    listener->api_listener->api_listener = xds_any(arena, &hcm->base);
    resource_row_add(row, XDS_LDS, target->scope, target->name, STR_NULL, &listener->base);
}

const struct row *xds_grpc_target(struct eval *ev, struct str key)
{
    const struct ir_target *target = (const struct ir_target *)eval_get(ev, T_TARGET, key);
    if (target == NULL || eval_get(ev, T_VIEW, target->scope) == NULL) {
        return NULL;
    }
    struct arena *arena = eval_scratch(ev);
    if (target->port.len > 0) {
        struct resource_row *row = resource_row_new(1);
        bool sessions = str_eq(target->scope, STR(SCOPE_GRPC_CORE));
        add_listener(row, arena, target, xds_grpc_hcm(arena, target->port, sessions));
        return &row->row;
    }
    if (str_eq(target->scope, STR(SCOPE_GRPC_GO)) || target->name.len > EXPLAINED_NAME_MAX) {
        struct resource_row *row = resource_row_new(1);
        add_listener(row, arena, target,
                     xds_grpc_hcm_inline(arena, STR("no-such-service.heddle.invalid"), NULL));
        return &row->row;
    }
    /* Begins with the dialled name, so that no two targets give one cluster name. */
    struct str reason =
        arena_printf(arena, "heddle: %.*s: %.*s", STR_FMT(target->name), STR_FMT(target->reason));
    struct resource_row *row = resource_row_new(3);
    /* dropped only where nothing else tells: a call may want to wait for a Service */
    xds_add_reason(row, target->scope, reason, str_eq(target->scope, STR(SCOPE_GRPC_NODE)));
    add_listener(row, arena, target, xds_grpc_hcm_inline(arena, STR("*"), xds_text(arena, reason)));
    return &row->row;
}
