/* SPDX-License-Identifier: Apache-2.0 */
/*
 * since: since which change a routing is as it is: the turn that changed it last, when that was,
 * and which objects were put or removed in that turn. For people (`heddle why`): nothing is
 * computed from it, so that it may hold a clock. Thread 0.
 */
#ifndef HEDDLE_PIPELINE_SINCE_H
#define HEDDLE_PIPELINE_SINCE_H

#include "base/map.h"
#include "codec/json.h"
#include "engine/engine.h"

#define SINCE_OBJECTS_MAX 8 /* of one change; the others are counted */

struct since_change { /* shared by all routings that a turn has changed */
    uint32_t refs;
    uint64_t turn;
    uint64_t at_ms; /* wall clock */
    size_t nobjects;
    struct str objects[SINCE_OBJECTS_MAX]; /* "HTTPRoute/ns/name"; malloc'ed */
};

struct since {
    struct map by_routing;        /* key of T_ROUTING, T_GATEWAY_ROUTING, T_GATEWAY_L4 ->
                                     struct since_entry */
    struct since_change *current; /* of the turn that is being prepared, or NULL */
    uint64_t turn;
};

void since_release(struct since *since);
/* An object was put or removed; it counts for the next since_turn(). key: that of its table. */
void since_note(struct since *since, struct str kind, struct str key);
/* A turn has changed these routings, of one table or of several. */
void since_turn(struct since *since, const struct row_changes *routings, size_t len,
                uint64_t now_ms);
/* Writes the member "since": at, turn, objects, more_objects. Nothing where there is no such
 * routing. */
void since_tell(const struct since *since, struct str routing, struct json *json);

#endif
