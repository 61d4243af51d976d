/* SPDX-License-Identifier: Apache-2.0 */
/*
 * room: how many routes a Service port can hold.
 *
 * A RouteConfiguration cannot be split, and gRPC clients take messages of less than 4 MiB. So what
 * a route adds to one is measured when it is attached, from above, and the routes of a port take
 * their room from the oldest on. Who finds none is left out whole, and told so in its status; its
 * elders keep what they have, and a younger one may fit still.
 */
#ifndef HEDDLE_RESOLVE_ROOM_H
#define HEDDLE_RESOLVE_ROOM_H

#include "base/arena.h"
#include "engine/engine.h"
#include "ir/attachment.h"
#include "model/route.h"

/* The rest of 4 MiB is for what is around the routes. */
#define ROUTING_BYTES_MAX (4096 * 1024 - 64 * 1024)
#define SERVICE_MATCHES_MAX 16384 /* each port has an equal part of it */

struct room {
    int64_t matches_max;
    int64_t matches, bytes; /* taken */
};

/* Fills `matches` and `bytes` of the route's attachment, all else of which is known. */
void room_measure(struct eval *ev, const struct route *route, struct attachment *attachment);
/* service_ports: how many ports the Service has. */
void room_init(struct room *room, int32_t service_ports);
/* In the order of age. False: there is none left for it, and none was taken. */
bool room_take(struct room *room, const struct attachment *attachment);
/* Why not, and what to do. */
struct str room_message(struct arena *arena, const struct room *room,
                        const struct attachment *attachment, struct str port_key);

#endif
