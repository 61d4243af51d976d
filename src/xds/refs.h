/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refs: what a resource names, and a client that has it will ask for next.
 *
 *   Listener ─► RouteConfiguration ─► Cluster ─► ClusterLoadAssignment
 *       ├──────── inline routes, TCP ────┤
 *       ├──────── TCP by ECDS ───────────┘
 *       └─► Secret ◄─ Cluster
 */
#ifndef HEDDLE_XDS_REFS_H
#define HEDDLE_XDS_REFS_H

#include "snapshot/resource.h"

typedef void xds_ref_fn(void *user, enum xds_type type, struct str name);

/* In the order in which they stand; the same name may come several times. The names are borrowed
 * for the call. */
void xds_each_ref(const struct resource *resource, xds_ref_fn *visit, void *user);

#endif
