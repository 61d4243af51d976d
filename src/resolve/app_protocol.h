/* SPDX-License-Identifier: Apache-2.0 */
/* app_protocol: what a Service port carries, by its appProtocol (KEP-3726, GEP-1911). */
#ifndef HEDDLE_RESOLVE_APP_PROTOCOL_H
#define HEDDLE_RESOLVE_APP_PROTOCOL_H

#include "ir/ir.h"
#include "model/object.h"

enum ir_protocol app_protocol_read(struct str name);

/* Whether routes of this kind can govern the port and send to it. HTTPRoutes and GRPCRoutes cannot
 * where it is said to be TLS: a proxy could not look inside. Where nothing is said, or something
 * unknown, the route's word counts. */
bool app_protocol_carries(struct str name, enum kind_id route);

/* Whether the port is said to be TLS. */
bool app_protocol_is_encrypted(struct str name);

#endif
