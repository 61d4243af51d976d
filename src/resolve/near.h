/* SPDX-License-Identifier: Apache-2.0 */
/*
 * near: which endpoints are near a place, "zone/ZONE" or "node/NODE".
 *
 * Hints (EndpointSlice hints.forZones, forNodes) decide where every ready endpoint has one, as
 * kube-proxy demands; else the endpoint's own zone and node do, so that slices that no controller
 * wrote need none.
 */
#ifndef HEDDLE_RESOLVE_NEAR_H
#define HEDDLE_RESOLVE_NEAR_H

#include "resolve/slices.h"

/* Drops what is on another node than the place; returns how many are left. */
size_t near_keep_node(struct served *all, size_t len, struct str place);

/* Gives what is ready and near the place priority 0 and the rest the next ones, without gaps: of a
 * node first the node, then its zone, then all others. False when nothing ready is near. */
bool near_rank(struct served *all, size_t len, struct str place);

#endif
