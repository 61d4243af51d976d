/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet: what the daemon makes of its clients' acknowledgements, with the other replicas.
 *
 *   turn ─► spread (heddle.dev/Propagated) ─┐
 *        ─► drained (/drained)             ─┴─► serve_acks_watch
 *                                            └─► replicas ─► /replica/propagated, /replica/drained
 *           hearsay (Programmed, Enforced …)  ───► replicas ─► /replica/clients
 *           inheritance (last good objects)   ───► replicas ─► /replica/standing
 *
 * Nothing is said of clients before --clients-return-ms have passed since the source was synced:
 * after a start they are still coming back. Thread 0.
 */
#ifndef HEDDLE_APP_FLEET_H
#define HEDDLE_APP_FLEET_H

#include <stdbool.h>

#include "app/drained.h"
#include "app/hearsay.h"
#include "app/inheritance.h"
#include "base/err.h"
#include "net/loop.h"
#include "pipeline/spread_text.h"
#include "webhook/server.h"

struct daemon;
struct port;
struct replicas;
struct replicas_round;
struct spread;

struct fleet {
    struct daemon *daemon;
    struct spread *spread;
    struct drained drained;
    struct replicas *replicas;
    struct port *agents;    /* NULL: none is wanted */
    struct port *listening; /* for other replicas, without Kubernetes; NULL: none is wanted */
    char *token;            /* what they say to each other, without Kubernetes */
    uv_timer_t back;        /* runs from the first turn until clients had the time to come back */
    uv_timer_t poll;        /* asks the others how far they are, while something is pending */
    struct spread_round asked; /* while round is not NULL */
    struct replicas_round *round;
    struct hearsay hearsay;
    struct inheritance inheritance;
    bool begun; /* clients had the time to come back */
    bool started;
};

bool fleet_start(struct fleet *fleet, struct daemon *daemon, struct err *err);
void fleet_turn(struct fleet *fleet); /* after the changes of a turn were published */
/* Nobody is on the way here: neither after our start, nor from a replica that went. */
bool fleet_knows_clients(const struct fleet *fleet);
void fleet_stop(struct fleet *fleet); /* before serve stops and the loop is released */

/* What other replicas ask (replica_api.c); their user is struct daemon. */
extern const struct webhook_route replica_routes[];
extern const size_t replica_routes_len;
/* What agents ask (agents.c); likewise. */
extern const struct webhook_route agent_routes[];
extern const size_t agent_routes_len;

#endif
