/* SPDX-License-Identifier: Apache-2.0 */
/* session: ir_session -> the words of a route to the stateful session filter. */
#ifndef HEDDLE_XDS_SESSION_H
#define HEDDLE_XDS_SESSION_H

#include "ir/ir.h"
#include "xds/alias.h"

void xds_session(struct arena *arena, const struct ir_session *session, pb_route *route);
/* For gRPC clients, of which C-core alone keeps sessions, and those in cookies only. */
void xds_grpc_session(struct arena *arena, const struct ir_session *session, pb_route *route);
/* For one of several backends. */
void xds_session_of_backend(struct arena *arena, const struct ir_session *session,
                            pb_cluster_weight *backend);

#endif
