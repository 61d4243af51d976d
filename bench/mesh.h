/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mesh: the configuration that is measured, a function of a few numbers.
 *
 *   Service svc-0007 :8080 ◄─ EndpointSlice with E addresses
 *      ▲ parentRef                                           for each of S Services
 *   HTTPRoute route-0007 ─► svc-0008 weight 90, svc-0009 weight 10     for the first R of them
 *
 * One object per file. A change writes the new file beside the directory and renames it into
 * place, as whoever edits configuration with care does. Where an applier is given (bench/cluster),
 * it is told the file's path, and says when it begins to give its object to the API server:
 *
 *   mesh ── "PATH\n" ──► applier ──► PUT
 *        ◄── "NANOSECONDS\n" ──      (CLOCK_MONOTONIC, just before)
 */
#ifndef HEDDLE_BENCH_MESH_H
#define HEDDLE_BENCH_MESH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define MESH_PORT 8080
#define MESH_SERVICES_MAX 50000
#define MESH_ENDPOINTS_MAX 1000 /* and 1,000,000 in all, else addresses repeat */

struct mesh {
    const char *dir;    /* must exist */
    unsigned services;  /* S, at least 3 */
    unsigned endpoints; /* E, per Service, at least 1 */
    unsigned routes;    /* R <= S */
    int applier;        /* a socket to who applies what has changed; -1: nobody, it is renamed */
};

/* Writes every object. */
bool mesh_write(const struct mesh *mesh, struct err *err);
/* Gives route `index` a weight (90 as generated), or Service `index` another last address
 * (variant 0 as generated). ret_at_ns: just before the rename(2), or what the applier says. */
bool mesh_change_route(const struct mesh *mesh, unsigned index, unsigned weight,
                       uint64_t *ret_at_ns, struct err *err);
bool mesh_change_endpoint(const struct mesh *mesh, unsigned index, unsigned variant,
                          uint64_t *ret_at_ns, struct err *err);
/* What a proxyless client dials: "svc-0007.default.svc.cluster.local:8080"; malloc'ed. */
char *mesh_target(unsigned index);
/* Whether a client of target `target` is steered by route `index`, or uses the endpoints of
 * Service `index`. */
bool mesh_target_has_route(const struct mesh *mesh, unsigned target, unsigned index);
bool mesh_target_has_endpoints(const struct mesh *mesh, unsigned target, unsigned index);

#endif
