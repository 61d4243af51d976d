/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon: `heddle serve`, where source, mesh, serve and admin are wired together.
 *
 *   source ─► mesh_put ─► turn ─► mesh_turn ─► serve_publish
 *   serve's events ─► mesh_open, _interest, _rejected ─► turn ─► serve_publish ─► serve_view
 *
 * Thread 0. A turn takes in what can be read in one turn of the loop; there is no timer.
 */
#ifndef HEDDLE_APP_DAEMON_H
#define HEDDLE_APP_DAEMON_H

#include "app/fleet.h"
#include "app/xds_port.h"
#include "base/vec.h"
#include "cli/option.h"
#include "net/loop.h"
#include "pipeline/mesh.h"
#include "serve/serve.h"
#include "source/source_file.h"

struct admin;
struct kube;
struct kubernetes;

struct daemon {
    const struct options *options;
    struct loop loop;
    struct loop_task turn;
    struct mesh *mesh;
    struct source_file *source; /* one of the two, the other is NULL */
    struct kubernetes *kubernetes;
    struct kube *kube; /* of kubernetes */
    struct serve *serve;
    struct admin *admin;
    struct fleet fleet;
    struct xds_port xds;
    uv_signal_t signals[3]; /* SIGINT, SIGTERM, SIGHUP */
    bool planning;          /* a plan is being made (app/plan.c) */
    bool synced;            /* the source is complete: clients may be served */
    VEC(stream_id) waiting; /* opened, to be given their view after the next turn */
};

/* The source has told all there is for now: a turn, with the loop's next one. From the first call
 * on clients are served. */
void daemon_synced(struct daemon *daemon);
/* Something was said to the mesh: a turn, with the loop's next one, when the source is synced. */
void daemon_turn_soon(struct daemon *daemon);

extern const struct command command_serve;

#endif
