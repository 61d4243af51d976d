/* SPDX-License-Identifier: Apache-2.0 */
/* http: see http.h. */
#include "agent/http.h"

#include <stdio.h>

#include "agent/drain.h"
#include "base/metric.h"
#include "net/addr.h"
#include "net/listener.h"
#include "net/loop.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_MAX 65536
#define BODY_MAX 1 /* nobody has anything to say but GET */

static void out_of_patience(uv_timer_t *timer)
{
    struct agent_http *http = timer->data;
    waiters_answer(&http->not_ready, 503, "not ready");
}

static void answer_ready(struct agent_http *http, const struct h1_request *request,
                         struct h1_reply *reply)
{
    if (!http->ready && str_eq(request->query, STR("wait"))) {
        if (http->not_ready.replies.len == 0) {
            uv_timer_start(&http->patience, out_of_patience, READY_WAIT_MS, 0);
        }
        waiters_add(&http->not_ready, reply);
        return;
    }
    h1_reply_text(reply, http->ready ? 200 : 503, http->ready ? "ready" : "not ready");
}

static void answer_live(struct agent_http *http, const struct h1_request *request,
                        struct h1_reply *reply)
{
    (void)http;
    (void)request;
    h1_reply_text(reply, 200, "live");
}

static void answer_drain(struct agent_http *http, const struct h1_request *request,
                         struct h1_reply *reply)
{
    (void)request;
    drain_ask(http->drain, reply);
}

static void answer_metrics(struct agent_http *http, const struct h1_request *request,
                           struct h1_reply *reply)
{
    struct buf out;
    (void)http;
    (void)request;
    buf_init(&out, METRICS_MAX);
    metric_render_agent(&out);
    h1_reply_send(reply, 200, METRICS_TYPE, PIECE_COPY(buf_str(&out)));
    buf_release(&out);
}

static const struct {
    struct str path;
    void (*answer)(struct agent_http *http, const struct h1_request *request,
                   struct h1_reply *reply);
} answers[] = {
    {STR("/ready"), answer_ready},
    {STR("/live"), answer_live},
    {STR("/drain"), answer_drain},
    {STR("/metrics"), answer_metrics},
};

static void handle(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    if (request->method == H1_POST) {
        h1_reply_text(reply, 405, "only GET and HEAD");
        return;
    }
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (str_eq(request->path, answers[i].path)) {
            answers[i].answer(user, request, reply);
            return;
        }
    }
    h1_reply_text(reply, 404, "there are /ready, /live, /drain and /metrics");
}

static void accepted(void *user, int fd, const struct sockaddr_storage *peer)
{
    struct agent_http *http = user;
    h1_server_accept(http->server, fd, peer, NULL);
}

bool agent_http_start(struct agent_http *http, struct loop *loop, unsigned port, bool ipv6,
                      struct drain *drain, struct err *err)
{
    const struct h1_options options = {.body_max = BODY_MAX, .handler = handle};
    char address[ADDR_TEXT_MAX];
    snprintf(address, sizeof(address), "%s:%u", ipv6 ? "[::]" : "0.0.0.0", port);
    http->listener = listener_new(loop, str_from(address), accepted, http, err);
    if (http->listener == NULL) {
        return err_prefix(err, "the agent's port");
    }
    http->drain = drain;
    http->server = h1_server_new(loop, &options, http);
    uv_timer_init(&loop->uv, &http->patience);
    http->patience.data = http;
    return true;
}

void agent_http_set_ready(struct agent_http *http, bool ready)
{
    http->ready = ready;
    metric_set(M_agent_ready, ready);
    if (ready) {
        waiters_answer(&http->not_ready, 200, "ready");
    }
}

void agent_http_stop(struct agent_http *http)
{
    if (http->listener == NULL) {
        return;
    }
    waiters_answer(&http->not_ready, 503, "not ready");
    listener_free(http->listener);
    h1_server_free(http->server);
    uv_close((uv_handle_t *)&http->patience, NULL);
}
