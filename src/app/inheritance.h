/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inheritance: a replica that starts, and finds objects that it cannot read, asks the others what
 * is in force of them (pipeline/standing.h), before it serves anybody.
 *
 *   synced ─► something missing? ─no────────────────────────────────► done: views are given, ready
 *                  │yes                                                ▲
 *                  └─► fleet's poll ─► /replica/standing ─► taken ─────┤
 *                      ▲  └─ one that serves, or all, do not answer    │
 *                      └─────────────┘                └─ INHERITANCE_MS ┘
 *
 * Thread 0.
 */
#ifndef HEDDLE_APP_INHERITANCE_H
#define HEDDLE_APP_INHERITANCE_H

#include <stdbool.h>
#include <stdint.h>

#define INHERITANCE_MS 5000
#define INHERITANCE_NOT_YET 503 /* answers who has not read the cluster yet */

struct daemon;
struct replicas_round;

struct inheritance {
    struct daemon *daemon;
    struct replicas_round *round; /* NULL: nobody is asked */
    uint64_t since_ms;            /* it could have asked; 0: it was not looked at yet */
    bool answered;                /* in this round, by one at least ... */
    bool missed;                  /* ... and not by one that serves */
    bool done;
};

void inheritance_init(struct inheritance *inheritance, struct daemon *daemon);
/* After each turn, and by fleet's poll, when the replicas are known. */
void inheritance_look(struct inheritance *inheritance);
void inheritance_poll(struct inheritance *inheritance);
void inheritance_stop(struct inheritance *inheritance);

#endif
