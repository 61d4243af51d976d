/* SPDX-License-Identifier: Apache-2.0 */
/* cors: ir_cors -> the words of a route to Envoy's CORS filter. */
#ifndef HEDDLE_XDS_CORS_H
#define HEDDLE_XDS_CORS_H

#include "ir/ir.h"
#include "xds/alias.h"

/* Whether a preflight that asks for no headers needs a route of its own (cors.c). */
bool xds_cors_splits(const struct ir_cors *cors);
/* bare: for preflights that ask for no headers. */
void xds_cors(struct arena *arena, const struct ir_cors *cors, bool bare, pb_route *route);

#endif
