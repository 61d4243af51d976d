/* SPDX-License-Identifier: Apache-2.0 */
/* bench: one run: a mesh, a heddle that serves it, its clients, and the steps taken with them. */
#ifndef HEDDLE_BENCH_BENCH_H
#define HEDDLE_BENCH_BENCH_H

#include <stdbool.h>
#include <stdio.h>

#include "floor.h"
#include "mesh.h"
#include "swarm.h"
#include "target.h"

#define BENCH_STREAMS_MAX 15000 /* the floor needs two more sockets for each */
#define BENCH_CHANGES_MAX 100000

struct bench {
    struct mesh mesh;
    struct target target;
    struct swarm swarm;
    struct floor *floor;
    unsigned nclass[CLASS_COUNT];
    unsigned changes;  /* the number of Services that proxyless clients spread over */
    unsigned limit_ms; /* for any one thing to happen */
    unsigned quiet_ms; /* without a byte before the next change */
    unsigned *targets; /* per stream: the Service that a proxyless client dials */
    char **target_names;
    unsigned *weights; /* per route, as it is now */
    unsigned variant;  /* of the last endpoint change */
    FILE *out;         /* JSON: one object per step */
    bool first_step;
};

/* Which Service the n-th change is about; any two of the first S differ. */
unsigned bench_nth_service(const struct bench *bench, unsigned n);

/* The steps. Each writes one JSON object. */
bool step_settle(struct bench *bench, struct err *err); /* wait until heddle is at rest */
bool step_cold(struct bench *bench, struct err *err);   /* connect all, wait until all is there */
bool step_route(struct bench *bench, unsigned changes, struct err *err);    /* one weight each */
bool step_endpoint(struct bench *bench, unsigned changes, struct err *err); /* one address each */
bool step_rewrite(struct bench *bench, unsigned changes, struct err *err);  /* equal content */
/* All connections break and return at once, `times` times. */
bool step_reconnect(struct bench *bench, unsigned times, struct err *err);
/* A client that asks for everything `changes` times over and never reads, while weights change. */
bool step_slow(struct bench *bench, unsigned changes, struct err *err);

#endif
