/* SPDX-License-Identifier: Apache-2.0 */
/* envoy_stats: see envoy_stats.h. */
#include "agent/envoy_stats.h"

/* The next "NAME: VALUE" line whose value is a whole number. */
static bool next_stat(struct str *rest, struct str *ret_name, uint64_t *ret_value)
{
    while (rest->len > 0) {
        struct str line = str_cut(rest, '\n');
        size_t colon = str_rindex(line, ':');
        if (str_to_u64(str_trim(str_sub(line, colon + 1, line.len)), ret_value)) {
            *ret_name = str_sub(line, 0, colon);
            return true;
        }
    }
    return false;
}

const char *envoy_lacks(struct str stats)
{
    uint64_t connected = 0;
    uint64_t clusters = 0;
    uint64_t listeners = 0;
    uint64_t warming = 0;
    uint64_t open = 0;
    uint64_t value;
    struct str name;
    while (next_stat(&stats, &name, &value)) {
        if (str_starts_with(name, STR("control_plane."))) {
            connected += value;
        } else if (str_starts_with(name, STR("cluster_manager.cds."))) {
            clusters += value;
        } else if (str_starts_with(name, STR("listener_manager.lds."))) {
            listeners += value;
        } else if (str_eq(name, STR("listener_manager.workers_started"))) {
            open += value;
        } else {
            warming += value;
        }
    }
    if (clusters > 0 && listeners > 0) {
        return warming > 0 ? "what its clusters and listeners name"
               : open == 0 ? "listeners that are open"
                           : NULL;
    }
    return connected == 0  ? "a connection to heddle"
           : clusters == 0 ? "clusters from heddle"
                           : "listeners from heddle";
}

/* Each listener is counted as a whole and by worker; connections of HTTP once more as such. */
uint64_t envoy_busy(struct str stats)
{
    uint64_t connections = 0;
    uint64_t of_http = 0;
    uint64_t requests = 0;
    uint64_t value;
    struct str name;
    while (next_stat(&stats, &name, &value)) {
        struct str of = name;
        struct str kind = str_cut(&of, '.');
        if (str_starts_with(of, STR("admin.")) || str_starts_with(of, STR("metrics.")) ||
            str_contains(of, STR("worker_"))) {
            continue;
        }
        if (str_ends_with(name, STR("rq_active"))) {
            requests += value;
        } else if (str_eq(kind, STR("http"))) {
            of_http += value;
        } else {
            connections += value;
        }
    }
    return requests + (connections > of_http ? connections - of_http : 0);
}
