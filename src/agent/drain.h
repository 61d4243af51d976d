/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drain: /drain, by which the kubelet waits before it ends an application (preStop): until heddle
 * says that no client sends to this pod any more. Whoever asks while that is asked, waits along.
 * Nothing is remembered: preStop is also called where one container of a pod is started anew.
 */
#ifndef HEDDLE_AGENT_DRAIN_H
#define HEDDLE_AGENT_DRAIN_H

#include "agent/waiters.h"

struct httpc;
struct inquiry;
struct loop;
struct pod;

#define DRAIN_UNREACHABLE_MS 3000

struct drain {
    struct loop *loop;
    struct httpc *httpc;
    const struct pod *pod;
    uint64_t wait_ms;
    struct inquiry *inquiry; /* NULL: nobody waits */
    struct waiters waiters;
    uint64_t asked_at;
};

/* *drain is zero but for the first four. */
void drain_ask(struct drain *drain, struct h1_reply *reply);
void drain_stop(struct drain *drain); /* answers who waits */

#endif
