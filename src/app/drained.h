/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drained: who waits until a pod gets no new requests: /drained of agents, /replica/drained.
 *
 *   the pod is out of what its Services' endpoints say (pipeline/drain.h)
 *     └─► every client that asks for these endpoints has acknowledged them   here …
 *     └─► and the other replicas say the same of theirs                      … and there
 *
 * A pod that is the last of its Services is used as long as it serves. Whoever may take over (a new
 * pod whose EndpointSlice is on its way) is given DRAINED_LAST_MS; then nobody comes.
 *
 * Thread 0.
 */
#ifndef HEDDLE_APP_DRAINED_H
#define HEDDLE_APP_DRAINED_H

#include "base/list.h"
#include "net/h1.h"

#define DRAINED_WAITS_MAX 5000 /* at a time; more are told to come again */
#define DRAINED_WAIT_S 25      /* unless the request says another */
#define DRAINED_WAIT_MAX_S 60
#define DRAINED_LAST_MS 5000

struct fleet;

struct drained {
    struct fleet *fleet;
    struct list waits;
    size_t len;
};

void drained_init(struct drained *drained, struct fleet *fleet);
void drained_turn(struct drained *drained); /* what is made of slices may have changed */
void drained_stop(struct drained *drained); /* answers all */
/* ?namespace=&pod=&ip=&wait=: 200, or 504 with why. all: asks the other replicas, too. &last=1:
 * nobody has taken over from the last pod, as the replica that asks has seen. */
void drained_ask(struct drained *drained, const struct h1_request *request, bool all,
                 struct h1_reply *reply);

#endif
