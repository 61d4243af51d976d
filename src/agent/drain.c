/* SPDX-License-Identifier: Apache-2.0 */
/* drain: see drain.h. */
#include "agent/drain.h"

#include "agent/inquiry.h"
#include "agent/pod.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/metric.h"
#include "cli/fetch.h"
#include "net/loop.h"

#define URL_MAX 8192
#define SERVER_WAIT_MAX_S 60 /* heddle waits no longer for one question (docs/drain.md) */

/* A little less than we do: then heddle still tells who lags. */
static unsigned server_wait_s(uint64_t wait_ms)
{
    uint64_t seconds = wait_ms / 1000;
    seconds = seconds > 1 ? seconds - 1 : 1;
    return (unsigned)(seconds < SERVER_WAIT_MAX_S ? seconds : SERVER_WAIT_MAX_S);
}

static void on_done(void *user, bool answered, struct str text)
{
    struct drain *drain = user;
    uint64_t took = loop_now_ms(drain->loop) - drain->asked_at;
    drain->inquiry = NULL;
    if (answered) {
        metric_add(M_agent_drains_acknowledged, 1);
        log_at(LOG_INFO, "agent", "drained", KV_INT("ms", took));
    } else {
        metric_add(M_agent_drains_given_up, 1);
        log_at(LOG_WARN, "agent", "the pod ends without knowing whether it is drained",
               KV_INT("ms", took), KV("reason", text));
    }
    waiters_answer(&drain->waiters, 200, answered ? "drained" : "not known to be drained");
}

static void start(struct drain *drain)
{
    const struct bootstrap *self = &drain->pod->bootstrap;
    struct arena arena;
    struct buf url;
    arena_init(&arena);
    buf_init(&url, URL_MAX);
    buf_printf(&url, "http://%.*s/drained?namespace=%.*s&pod=%.*s&ip=%.*s&wait=%u",
               STR_FMT(drain->pod->control), STR_FMT(fetch_escape(&arena, self->ns)),
               STR_FMT(fetch_escape(&arena, self->name)),
               STR_FMT(fetch_escape(&arena, drain->pod->ip)), server_wait_s(drain->wait_ms));
    drain->asked_at = loop_now_ms(drain->loop);
    drain->inquiry = inquiry_start(&(struct inquiry_spec){
        .loop = drain->loop,
        .httpc = drain->httpc,
        .url = buf_str(&url),
        .wait_ms = drain->wait_ms,
        .unreachable_ms = DRAIN_UNREACHABLE_MS,
        .user = drain,
        .done = on_done,
    });
    buf_release(&url);
    arena_release(&arena);
}

void drain_ask(struct drain *drain, struct h1_reply *reply)
{
    waiters_add(&drain->waiters, reply);
    if (drain->inquiry == NULL) {
        log_at(LOG_INFO, "agent", "draining");
        start(drain);
    }
}

void drain_stop(struct drain *drain)
{
    inquiry_cancel(drain->inquiry);
    drain->inquiry = NULL;
    waiters_answer(&drain->waiters, 200, "the agent ends");
}
