/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mesh_room: no dialect's RouteConfiguration takes more than was counted for the routes in it
 * (resolve/room.h). A breach panics.
 */
#ifndef HEDDLE_TESTS_MESH_ROOM_H
#define HEDDLE_TESTS_MESH_ROOM_H

#include "ir/attachment.h"
#include "ir/ir.h"
#include "mesh_rig.h"
#include "resolve/room.h"

/* What is around the routes, beside three names: frames, and the one route that tells that no rule
 * takes a request. */
#define ROOM_AROUND 192

/* "a/b:80" of scope "envoy@c" is made of the routes of "a/b:80@c". */
static inline struct str room_key(char text[1024], const struct resource *r)
{
    size_t at = str_index(r->scope, '@');
    (void)snprintf(text, 1024, "%.*s%.*s", STR_FMT(r->name),
                   STR_FMT(str_sub(r->scope, at, r->scope.len)));
    return str_from(text);
}

static inline void check_room_of(const struct mesh *mesh, const struct resource *r)
{
    char text[1024];
    struct str key = room_key(text, r);
    const struct ir_routing *routing =
        (const struct ir_routing *)engine_get(mesh_engine(mesh), T_ROUTING, key);
    struct row_span attached = engine_group(mesh_engine(mesh), X_ATTACHED, key);
    int64_t counted = ROOM_AROUND + 3 * (int64_t)r->name.len;
    for (size_t i = 0; i < attached.len; i++) {
        counted += ((const struct attachment *)attached.rows[i])->bytes;
    }
    size_t len = resource_message(r).len;
    if (attached.len > 0 && routing->http && (int64_t)len > counted) {
        panic("rds '%.*s' of '%.*s' has %zu bytes, of which %lld were counted", STR_FMT(r->name),
              STR_FMT(r->scope), len, (long long)counted);
    }
}

static inline void check_room(const struct mesh *mesh)
{
    struct rig_resources all;
    rig_collect(mesh, &all);
    for (size_t i = 0; i < all.all.len; i++) {
        if (all.all.items[i]->type == XDS_RDS) {
            check_room_of(mesh, all.all.items[i]);
        }
    }
    vec_release(&all.all);
}

#endif
