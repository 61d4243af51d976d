/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_parts: a rule whose backends want paths of their own, as several routes.
 *
 * Envoy's weighted clusters change headers and the Host, but no paths: these belong to the route.
 * So each backend with a path of its own gets a route of the same match, and takes its share of
 * requests by a runtime_fraction. One random number of the request decides all of them, so shares
 * are slices of a million that follow each other: a route takes what is below the end of its slice,
 * and what is below its beginning is gone to those before it. The error share (route_action.c) is
 * the first slice; the backends that have no path of their own share the last.
 */
#ifndef HEDDLE_XDS_ROUTE_PARTS_H
#define HEDDLE_XDS_ROUTE_PARTS_H

#include "base/arena.h"
#include "ir/ir.h"

#define FRACTION_MILLION 1000000

struct route_slice { /* of a million requests that match: those from `from` to before `to` */
    uint32_t from;
    uint32_t to;
};

struct route_part {
    struct ir_route route; /* with its backends only; all of them resolve */
    struct route_slice slice;
};

/* At least one part, for a route of which some backend resolves; slices follow each other up to a
 * million, from the end of the error share. Texts are shared with ir. */
size_t xds_route_parts(struct arena *arena, const struct ir_route *ir,
                       struct route_part **ret_parts);

#endif
