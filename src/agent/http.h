/* SPDX-License-Identifier: Apache-2.0 */
/* http: what an agent answers on its port: /ready, /live, /drain, /metrics (docs/agent.md). */
#ifndef HEDDLE_AGENT_HTTP_H
#define HEDDLE_AGENT_HTTP_H

#include <uv.h>

#include "agent/waiters.h"
#include "base/err.h"

struct drain;
struct listener;
struct loop;

#define READY_WAIT_MS 10000 /* of /ready?wait */

struct agent_http {
    struct drain *drain;
    struct h1_server *server;
    struct listener *listener;
    struct waiters not_ready; /* /ready?wait */
    uv_timer_t patience;      /* of these */
    bool ready;
};

/* Listens on the port of all addresses. What is pointed to must last until agent_http_stop(). */
bool agent_http_start(struct agent_http *http, struct loop *loop, unsigned port, bool ipv6,
                      struct drain *drain, struct err *err);
void agent_http_set_ready(struct agent_http *http, bool ready);
void agent_http_stop(struct agent_http *http);

#endif
