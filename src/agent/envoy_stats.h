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
#define ENVOY_STATS_BUSY "%5E(listener%7Chttp)%5C..*downstream_(cx%7Crq)_active$"

/* What Envoy still waits for, in words; NULL: clusters and listeners have come, what they name as
 * well, and the listeners are open. An answer that was rejected counts: the rest of it is in force,
 * and a pod must not wait for what others have to mend. */
const char *envoy_lacks(struct str stats);
/* Whom its end would cut off: requests that are under way, and connections that are not HTTP. Who
 * only keeps a connection of HTTP for later loses nothing by its end (RFC 9112 §9.3.1, §9.5). Left
 * out are those to the admin endpoint and to the metrics. */
uint64_t envoy_busy(struct str stats);

#endif
