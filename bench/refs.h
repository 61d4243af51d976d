/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refs: which other resources does a resource name?
 *
 *   Cluster ─► ClusterLoadAssignment        Listener ─► RouteConfiguration ─► Cluster
 */
#ifndef HEDDLE_BENCH_REFS_H
#define HEDDLE_BENCH_REFS_H

#include "catalog.h"

#define REFS_MAX 4096 /* names in one resource; more are not followed */

/* Fills content->refs, nrefs and refs_hash. Names are in the order of their first mention. */
void refs_read(struct catalog *catalog, enum kind kind, struct str message,
               struct content *content);

#endif
