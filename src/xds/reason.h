/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reason: telling an application through valid configuration why it gets no answer.
 *
 * A proxyless client names the cluster, or its ClusterLoadAssignment, in the error of an RPC that
 * finds no endpoint. So a request that must fail goes to a cluster whose name is the reason and
 * which has no endpoints (C-core and Java; Go and Node.js do not print the name).
 *
 * A ClusterLoadAssignment can also have all calls dropped, for a category that C-core and Node.js
 * print. There such calls fail even where the application asked them to wait until there is an
 * endpoint (wait_for_ready), and are not tried again.
 */
#ifndef HEDDLE_XDS_REASON_H
#define HEDDLE_XDS_REASON_H

#include "xds/row.h"

#define REASONS_MAX 79 /* of one RouteConfiguration: two resources each */

/* Adds the Cluster and the empty ClusterLoadAssignment (two resources) to row. */
void xds_add_reason(struct resource_row *row, struct str scope, struct str reason, bool drop);

#endif
