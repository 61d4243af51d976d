/* SPDX-License-Identifier: Apache-2.0 */
/* endpoints: an endpoint as ClusterLoadAssignments tell it. */
#ifndef HEDDLE_XDS_ENDPOINTS_H
#define HEDDLE_XDS_ENDPOINTS_H

#include "ir/backend.h"
#include "xds/alias.h"

pb_lb_endpoint *xds_lb_endpoint(struct arena *arena, const struct ir_endpoint *ir);

#endif
