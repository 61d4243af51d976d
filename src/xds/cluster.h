/* SPDX-License-Identifier: Apache-2.0 */
/* cluster: the parts of a Cluster that are the same for sidecars and gateways. */
#ifndef HEDDLE_XDS_CLUSTER_H
#define HEDDLE_XDS_CLUSTER_H

#include "ir/ir.h"
#include "xds/alias.h"

/* Endpoints by EDS under the cluster's name; without limits. */
pb_cluster *xds_eds_cluster(struct arena *arena, struct str name);
void xds_set_http_options(struct arena *arena, const pb_protocol_options *options,
                          pb_cluster *cluster);
/* Sessions (session.h) stay with an endpoint that drains; Envoy alone would leave it at once. */
void xds_keep_sessions(struct arena *arena, pb_cluster *cluster);
/* budget: in place of a limit of retries, of which there is none else; NULL: none. */
void xds_limit_retries(struct arena *arena, const struct ir_retry_budget *budget,
                       pb_cluster *cluster);

#endif
