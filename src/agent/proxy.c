/* SPDX-License-Identifier: Apache-2.0 */
/* proxy: see proxy.h. */
#include "agent/proxy.h"

#include <signal.h>

#include "agent/envoy_stats.h"
#include "base/log.h"
#include "base/panic.h"
#include "net/addr.h"

#define BOOTSTRAP_MODE 0600
#define POLL_MS 50
#define KILL_MS 5000  /* an Envoy that does not end is killed */
#define TELL_MS 10000 /* between two words on why it is not ready */

static struct proxy *proxy_of(struct agent *agent)
{
    return (struct proxy *)agent;
}

bool proxy_check(const struct agent *agent, struct err *err)
{
    struct sockaddr_storage admin;
    ASSERT(addr_parse(agent->pod.bootstrap.envoy_admin, &admin, err)); /* bootstrap_check() */
    return addr_port(&admin) != 0 ||
           err_set(err, "--envoy-admin needs a port, by which the agent asks Envoy");
}

/* --- until it is ready --------------------------------------------------------------------- */

static void ask_configured(uv_timer_t *timer);

/* The pod's containers wait for this one, and its log is where one looks why. */
static void ask_again(struct proxy *proxy, const char *lacks)
{
    const struct bootstrap *bootstrap = &proxy->agent.pod.bootstrap;
    uint64_t now = loop_now_ms(&proxy->agent.loop);
    if (now >= proxy->tell_at) {
        proxy->tell_at = now + TELL_MS;
        log_at(LOG_WARN, "agent", "not ready, and the pod waits for it", KV_TEXT("lacks", lacks),
               KV_TEXT("xds", bootstrap->xds->items[bootstrap->xds->len - 1]));
    }
    uv_timer_start(&proxy->tick, ask_configured, POLL_MS, 0);
}

static void live_answered(void *user, unsigned status, struct str body)
{
    struct proxy *proxy = user;
    (void)body;
    if (status == 200) {
        proxy->phase = PROXY_SERVING;
        proxy->served = true;
        log_at(LOG_INFO, "agent", "ready");
        agent_http_set_ready(&proxy->agent.http, true);
    } else {
        ask_again(proxy, "Envoy's readiness");
    }
}

static void configured_answered(void *user, unsigned status, struct str body)
{
    struct proxy *proxy = user;
    const char *lacks = status == 200 ? envoy_lacks(body) : "an answer of Envoy";
    if (lacks == NULL) {
        envoy_ask(&proxy->envoy, "GET", "/ready", live_answered);
    } else {
        ask_again(proxy, lacks);
    }
}

static void ask_configured(uv_timer_t *timer)
{
    struct proxy *proxy = timer->data;
    envoy_ask(&proxy->envoy, "GET", "/stats?filter=" ENVOY_STATS_CONFIGURED, configured_answered);
}

static void envoy_ended(void *user, int code)
{
    struct proxy *proxy = user;
    if (proxy->phase < PROXY_LEAVING) {
        log_at(LOG_ERROR, "agent", "Envoy has ended by itself", KV_INT("code", code));
        code = code == 0 ? EXIT_ENVIRONMENT : code;
    }
    agent_end(&proxy->agent, proxy->phase == PROXY_ENDING ? 0 : code);
}

bool proxy_placed(struct agent *agent, struct err *err)
{
    struct proxy *proxy = proxy_of(agent);
    proxy->envoy = (struct envoy){
        .httpc = agent->httpc,
        .admin = agent->pod.bootstrap.envoy_admin,
        .user = proxy,
        .ended = envoy_ended,
    };
    if (!agent_write_bootstrap(agent, agent->options->text[O_sidecar_file], BOOTSTRAP_MODE, err) ||
        !envoy_start(&proxy->envoy, &agent->loop, agent->options, err)) {
        return false;
    }
    proxy->phase = PROXY_CONFIGURING;
    proxy->tell_at = loop_now_ms(&agent->loop) + TELL_MS;
    uv_timer_init(&agent->loop.uv, &proxy->tick);
    proxy->tick.data = proxy;
    uv_timer_start(&proxy->tick, ask_configured, POLL_MS, 0);
    return true;
}

/* --- the end ------------------------------------------------------------------------------- */

static void kill_envoy(uv_timer_t *timer)
{
    struct proxy *proxy = timer->data;
    log_at(LOG_WARN, "agent", "Envoy does not end; it is killed");
    envoy_signal(&proxy->envoy, SIGKILL);
}

static void end(struct proxy *proxy, uint64_t connections)
{
    log_at(LOG_INFO, "agent", "ending Envoy", KV_INT("connections", connections));
    proxy->phase = PROXY_ENDING;
    envoy_forget(&proxy->envoy);
    envoy_signal(&proxy->envoy, SIGTERM);
    uv_timer_start(&proxy->tick, kill_envoy, KILL_MS, 0);
}

static void ask_busy(uv_timer_t *timer);

/* No answer is not none: an Envoy that does not answer is the one that is busy. But one that never
 * was ready has nobody to lose. */
static void busy_answered(void *user, unsigned status, struct str body)
{
    struct proxy *proxy = user;
    uint64_t busy = status == 200 ? envoy_busy(body) : proxy->served;
    uint64_t now = loop_now_ms(&proxy->agent.loop);
    if ((busy == 0 && now >= proxy->stay_until) || now >= proxy->leave_until) {
        end(proxy, busy);
    } else {
        uv_timer_start(&proxy->tick, ask_busy, POLL_MS, 0);
    }
}

static void ask_busy(uv_timer_t *timer)
{
    struct proxy *proxy = timer->data;
    envoy_ask(&proxy->envoy, "GET", "/stats?filter=" ENVOY_STATS_BUSY, busy_answered);
}

static void closing(void *user, unsigned status, struct str body)
{
    struct proxy *proxy = user;
    (void)status;
    (void)body;
    ask_busy(&proxy->tick);
}

static void failing(void *user, unsigned status, struct str body)
{
    struct proxy *proxy = user;
    if (proxy->closing != NULL) {
        envoy_ask(&proxy->envoy, "POST", proxy->closing, closing);
    } else {
        closing(proxy, status, body);
    }
}

/* healthcheck/fail rather than a graceful drain: every answer ends its connection from now on, not
 * a share of them that grows for --drain-time-s. */
static void leave(struct proxy *proxy)
{
    proxy->phase = PROXY_LEAVING;
    uint64_t now = loop_now_ms(&proxy->agent.loop);
    proxy->leave_until = now + proxy->agent.options->number[O_terminate_wait_s] * 1000;
    proxy->stay_until = now + (proxy->served ? proxy->leave_ms : 0);
    agent_http_set_ready(&proxy->agent.http, false);
    uv_timer_stop(&proxy->tick);
    envoy_ask(&proxy->envoy, "POST", "/healthcheck/fail", failing);
}

void proxy_signalled(struct agent *agent, int number)
{
    struct proxy *proxy = proxy_of(agent);
    if (number != SIGTERM && number != SIGINT) {
        envoy_signal(&proxy->envoy, number);
    } else if (proxy->phase == PROXY_PLACING) {
        agent_end(agent, 0);
    } else if (proxy->phase < PROXY_LEAVING) {
        leave(proxy);
    } else if (proxy->phase == PROXY_LEAVING) {
        end(proxy, 0);
    }
}

pid_t proxy_child(const struct agent *agent)
{
    const struct proxy *proxy = (const struct proxy *)agent;
    return proxy->envoy.open ? proxy->envoy.process.pid : 0;
}

void proxy_stop(struct agent *agent)
{
    struct proxy *proxy = proxy_of(agent);
    envoy_close(&proxy->envoy);
    if (proxy->phase != PROXY_PLACING) {
        uv_close((uv_handle_t *)&proxy->tick, NULL);
    }
}
