/* SPDX-License-Identifier: Apache-2.0 */
/* envoy_stats: what an Envoy's statistics ("NAME: VALUE" lines of its admin endpoint) say. */
#ifndef HEDDLE_AGENT_ENVOY_STATS_H
#define HEDDLE_AGENT_ENVOY_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* What to ask for: regular expressions of names, escaped for a URL. */
#define ENVOY_STATS_CONFIGURED                                                                     \
    "%5E(control_plane%5C.connected_state%7C"                                                      \
    "cluster_manager%5C.(cds%5C.update_(success%7Crejected)%7Cwarming_clusters)%7C"                \
    "listener_manager%5C.(lds%5C.update_(success%7Crejected)%7Ctotal_listeners_warming%7C"         \
    "workers_started))$"
#define ENVOY_STATS_CONNECTIONS "%5Elistener%5C..*downstream_cx_active$"

/* What Envoy still waits for, in words; NULL: clusters and listeners have come, what they name as
 * well, and the listeners are open. An answer that was rejected counts: the rest of it is in force,
 * and a pod must not wait for what others have to mend. */
const char *envoy_lacks(struct str stats);
/* Connections to Envoy that are open, but for those to its admin endpoint and its metrics. */
uint64_t envoy_connections(struct str stats);

#endif
