/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: an agent from start to end: what sidecar, gateway and proxyless have in common.
 *
 *   agent_run ─► listen ─► listening() ─► where is the node? ─► placed() ─► signals … ─► agent_end
 */
#ifndef HEDDLE_AGENT_RUN_H
#define HEDDLE_AGENT_RUN_H

#include "agent/drain.h"
#include "agent/http.h"
#include "agent/pod.h"
#include "base/arena.h"
#include "net/loop.h"

#define AGENT_SIGNALS 5

struct httpc;
struct inquiry;

struct agent;

/* What one of them does. False ends the agent with EXIT_ENVIRONMENT. */
struct agent_kind {
    bool envoy;                                              /* the bootstrap is Envoy's */
    enum option_id xds;                                      /* whom it asks */
    bool (*check)(struct agent *agent, struct err *err);     /* the command line; may be NULL */
    bool (*listening)(struct agent *agent, struct err *err); /* may be NULL */
    bool (*placed)(struct agent *agent, struct err *err);
    void (*signalled)(struct agent *agent, int number); /* but SIGCHLD */
    pid_t (*child)(const struct agent *agent);          /* who is waited for by libuv; or NULL */
    void (*stop)(struct agent *agent);                  /* closes its handles; may be NULL */
};

struct agent {
    const struct agent_kind *kind;
    const struct options *options;
    struct loop loop;
    struct httpc *httpc;
    struct pod pod;
    struct drain drain;
    struct agent_http http;
    struct inquiry *place; /* is being asked */
    struct arena arena;    /* region and zone */
    uv_signal_t signals[AGENT_SIGNALS];
    int code;
};

/* *agent is zero; it is the first member of what the kind works with. Returns the exit code. */
int agent_run(struct agent *agent, const struct agent_kind *kind, const struct options *options);
void agent_end(struct agent *agent, int code);
/* Says why, and ends with EXIT_ENVIRONMENT. */
void agent_fail(struct agent *agent, const struct err *err);
/* Writes the bootstrap to the file. */
bool agent_write_bootstrap(struct agent *agent, const char *path, mode_t mode, struct err *err);

#endif
