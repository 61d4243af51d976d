/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy: Envoy from its bootstrap to its end: what the agents of sidecars and gateways have in
 * common.
 *
 *   PLACING ──► CONFIGURING ──► SERVING ──SIGTERM──► LEAVING ──no connections──► ENDING
 *                  (not ready)    (ready)          (healthcheck/fail: each answer   (Envoy has
 *                                                   ends its connection)             SIGTERM)
 */
#ifndef HEDDLE_AGENT_PROXY_H
#define HEDDLE_AGENT_PROXY_H

#include "agent/envoy.h"
#include "agent/run.h"

enum proxy_phase { PROXY_PLACING, PROXY_CONFIGURING, PROXY_SERVING, PROXY_LEAVING, PROXY_ENDING };

struct proxy {
    struct agent agent; /* first */
    struct envoy envoy;
    /* What Envoy is told when it leaves, once its answers end connections: a path that it is posted
     * to, or NULL. */
    const char *closing;
    uint64_t leave_ms; /* it does not end before that */
    uv_timer_t tick;
    enum proxy_phase phase;
    bool served;         /* it was ready once */
    uint64_t tell_at;    /* why it is not */
    uint64_t stay_until; /* loop time */
    uint64_t leave_until;
};

/* Of struct agent_kind; *agent is the first member of a struct proxy. */
bool proxy_placed(struct agent *agent, struct err *err);
void proxy_signalled(struct agent *agent, int number);
pid_t proxy_child(const struct agent *agent);
void proxy_stop(struct agent *agent);
/* Whether --envoy-admin can be asked: it has a port. For agent_kind.check. */
bool proxy_check(const struct agent *agent, struct err *err);

#endif
