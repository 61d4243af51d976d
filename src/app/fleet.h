/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet: what the daemon makes of its clients' acknowledgements, with the other replicas.
 *
 *   turn ─► spread (heddle.dev/Propagated) ─┐
 *        ─► drains (/drained)              ─┴─► serve_acks_watch
 *
 * Nothing is said of clients before --clients-return-ms have passed since the source was synced:
 * after a start they are still coming back. Thread 0.
 */
#ifndef HEDDLE_APP_FLEET_H
#define HEDDLE_APP_FLEET_H

#include <stdbool.h>

#include "base/err.h"
#include "net/loop.h"

struct daemon;
struct spread;

struct fleet {
    struct daemon *daemon;
    struct spread *spread;
    uv_timer_t back; /* runs from the first turn until clients had the time to come back */
    bool begun;      /* they had */
    bool started;
};

bool fleet_start(struct fleet *fleet, struct daemon *daemon, struct err *err);
void fleet_turn(struct fleet *fleet); /* after the changes of a turn were published */
void fleet_stop(struct fleet *fleet); /* before the loop is released */

#endif
