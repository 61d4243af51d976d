/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sidecar: `heddle agent sidecar`: Envoy from its bootstrap to its end.
 *
 *   PLACING ──► CONFIGURING ──► SERVING ──SIGTERM──► LEAVING ──no connections──► ENDING
 *                  (not ready)    (ready)          (healthcheck/fail, inbound     (Envoy has
 *                                                   closed: nothing new comes)     SIGTERM)
 */
#include <signal.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/envoy.h"
#include "agent/envoy_stats.h"
#include "agent/interception.h"
#include "agent/run.h"
#include "base/log.h"
#include "base/panic.h"
#include "net/addr.h"

#define BOOTSTRAP_MODE 0600
#define POLL_MS 50
#define KILL_MS 5000  /* an Envoy that does not end is killed */
#define TELL_MS 10000 /* between two words on why it is not ready */

enum phase { PLACING, CONFIGURING, SERVING, LEAVING, ENDING };

struct sidecar {
    struct agent agent; /* first */
    struct envoy envoy;
    uv_timer_t tick;
    enum phase phase;
    bool served;      /* it was ready once */
    uint64_t tell_at; /* why it is not */
    uint64_t leave_until;
};

static struct sidecar *sidecar_of(struct agent *agent)
{
    return (struct sidecar *)agent;
}

static bool check(struct agent *agent, struct err *err)
{
    struct str mode = option_text(agent->options, O_agent_interception);
    struct bootstrap *bootstrap = &agent->pod.bootstrap;
    struct sockaddr_storage admin;
    if (!str_eq(mode, STR("redirect")) && !str_eq(mode, STR("cni")) && !str_eq(mode, STR("none"))) {
        return err_set(err, "--interception is redirect, cni or none, not '%.*s'", STR_FMT(mode));
    }
    ASSERT(addr_parse(bootstrap->envoy_admin, &admin, err)); /* bootstrap_check() */
    if (addr_port(&admin) == 0) {
        return err_set(err, "--envoy-admin needs a port, by which the agent asks Envoy");
    }
    bootstrap->interception = str_eq(mode, STR("none")) ? mode : STR("redirect");
    bootstrap->ipv6 = !str_eq(mode, STR("none")) && pod_has_ipv6();
    return true;
}

static bool listening(struct agent *agent, struct err *err)
{
    return interception_check(option_text(agent->options, O_agent_interception),
                              agent->pod.bootstrap.ipv6, err);
}

/* --- until it is ready --------------------------------------------------------------------- */

static void ask_configured(uv_timer_t *timer);

/* The pod's containers wait for this one, and its log is where one looks why. */
static void ask_again(struct sidecar *sidecar, const char *lacks)
{
    const struct bootstrap *bootstrap = &sidecar->agent.pod.bootstrap;
    uint64_t now = loop_now_ms(&sidecar->agent.loop);
    if (now >= sidecar->tell_at) {
        sidecar->tell_at = now + TELL_MS;
        log_at(LOG_WARN, "agent", "not ready, and the pod waits for it", KV_TEXT("lacks", lacks),
               KV_TEXT("xds", bootstrap->xds->items[bootstrap->xds->len - 1]));
    }
    uv_timer_start(&sidecar->tick, ask_configured, POLL_MS, 0);
}

static void live_answered(void *user, unsigned status, struct str body)
{
    struct sidecar *sidecar = user;
    (void)body;
    if (status == 200) {
        sidecar->phase = SERVING;
        sidecar->served = true;
        log_at(LOG_INFO, "agent", "ready");
        agent_http_set_ready(&sidecar->agent.http, true);
    } else {
        ask_again(sidecar, "Envoy's readiness");
    }
}

static void configured_answered(void *user, unsigned status, struct str body)
{
    struct sidecar *sidecar = user;
    const char *lacks = status == 200 ? envoy_lacks(body) : "an answer of Envoy";
    if (lacks == NULL) {
        envoy_ask(&sidecar->envoy, "GET", "/ready", live_answered);
    } else {
        ask_again(sidecar, lacks);
    }
}

static void ask_configured(uv_timer_t *timer)
{
    struct sidecar *sidecar = timer->data;
    envoy_ask(&sidecar->envoy, "GET", "/stats?filter=" ENVOY_STATS_CONFIGURED, configured_answered);
}

static void envoy_ended(void *user, int code)
{
    struct sidecar *sidecar = user;
    if (sidecar->phase < LEAVING) {
        log_at(LOG_ERROR, "agent", "Envoy has ended by itself", KV_INT("code", code));
        code = code == 0 ? EXIT_ENVIRONMENT : code;
    }
    agent_end(&sidecar->agent, sidecar->phase == ENDING ? 0 : code);
}

static bool placed(struct agent *agent, struct err *err)
{
    struct sidecar *sidecar = sidecar_of(agent);
    sidecar->envoy = (struct envoy){
        .httpc = agent->httpc,
        .admin = agent->pod.bootstrap.envoy_admin,
        .user = sidecar,
        .ended = envoy_ended,
    };
    if (!agent_write_bootstrap(agent, agent->options->text[O_sidecar_file], BOOTSTRAP_MODE, err) ||
        !envoy_start(&sidecar->envoy, &agent->loop, agent->options, err)) {
        return false;
    }
    sidecar->phase = CONFIGURING;
    sidecar->tell_at = loop_now_ms(&agent->loop) + TELL_MS;
    uv_timer_init(&agent->loop.uv, &sidecar->tick);
    sidecar->tick.data = sidecar;
    uv_timer_start(&sidecar->tick, ask_configured, POLL_MS, 0);
    return true;
}

/* --- the end ------------------------------------------------------------------------------- */

static void kill_envoy(uv_timer_t *timer)
{
    struct sidecar *sidecar = timer->data;
    log_at(LOG_WARN, "agent", "Envoy does not end; it is killed");
    envoy_signal(&sidecar->envoy, SIGKILL);
}

static void end(struct sidecar *sidecar, uint64_t connections)
{
    log_at(LOG_INFO, "agent", "ending Envoy", KV_INT("connections", connections));
    sidecar->phase = ENDING;
    envoy_forget(&sidecar->envoy);
    envoy_signal(&sidecar->envoy, SIGTERM);
    uv_timer_start(&sidecar->tick, kill_envoy, KILL_MS, 0);
}

static void ask_connections(uv_timer_t *timer);

/* No answer is not none: an Envoy that is busy is the one with connections. But one that never was
 * ready has nobody to lose. */
static void connections_answered(void *user, unsigned status, struct str body)
{
    struct sidecar *sidecar = user;
    uint64_t connections = status == 200 ? envoy_connections(body) : sidecar->served;
    if (connections == 0 || loop_now_ms(&sidecar->agent.loop) >= sidecar->leave_until) {
        end(sidecar, connections);
    } else {
        uv_timer_start(&sidecar->tick, ask_connections, POLL_MS, 0);
    }
}

static void ask_connections(uv_timer_t *timer)
{
    struct sidecar *sidecar = timer->data;
    envoy_ask(&sidecar->envoy, "GET", "/stats?filter=" ENVOY_STATS_CONNECTIONS,
              connections_answered);
}

static void inbound_closed(void *user, unsigned status, struct str body)
{
    struct sidecar *sidecar = user;
    (void)status;
    (void)body;
    ask_connections(&sidecar->tick);
}

/* Outbound stays open: requests that are under way may still need it. */
static void failing(void *user, unsigned status, struct str body)
{
    struct sidecar *sidecar = user;
    (void)status;
    (void)body;
    envoy_ask(&sidecar->envoy, "POST", "/drain_listeners?inboundonly", inbound_closed);
}

/* healthcheck/fail rather than a graceful drain: every answer ends its connection from now on, not
 * a share of them that grows for --drain-time-s. */
static void leave(struct sidecar *sidecar)
{
    sidecar->phase = LEAVING;
    sidecar->leave_until = loop_now_ms(&sidecar->agent.loop) +
                           sidecar->agent.options->number[O_terminate_wait_s] * 1000;
    agent_http_set_ready(&sidecar->agent.http, false);
    uv_timer_stop(&sidecar->tick);
    envoy_ask(&sidecar->envoy, "POST", "/healthcheck/fail", failing);
}

static void signalled(struct agent *agent, int number)
{
    struct sidecar *sidecar = sidecar_of(agent);
    if (number != SIGTERM && number != SIGINT) {
        envoy_signal(&sidecar->envoy, number);
    } else if (sidecar->phase == PLACING) {
        agent_end(agent, 0);
    } else if (sidecar->phase < LEAVING) {
        leave(sidecar);
    } else if (sidecar->phase == LEAVING) {
        end(sidecar, 0);
    }
}

static pid_t child(const struct agent *agent)
{
    const struct sidecar *sidecar = (const struct sidecar *)agent;
    return sidecar->envoy.open ? sidecar->envoy.process.pid : 0;
}

static void stop(struct agent *agent)
{
    struct sidecar *sidecar = sidecar_of(agent);
    envoy_close(&sidecar->envoy);
    if (sidecar->phase != PLACING) {
        uv_close((uv_handle_t *)&sidecar->tick, NULL);
    }
}

static int run(const struct options *options)
{
    static const struct agent_kind kind = {
        .envoy = true,
        .check = check,
        .listening = listening,
        .placed = placed,
        .signalled = signalled,
        .child = child,
        .stop = stop,
    };
    struct sidecar sidecar;
    memset(&sidecar, 0, sizeof(sidecar));
    return agent_run(&sidecar.agent, &kind, options);
}

const struct command command_sidecar = {
    .name = "agent sidecar",
    .bit = CMD_SIDECAR,
    .arguments = "[options] [-- ENVOY-OPTIONS]",
    .summary = "run a pod's Envoy: bootstrap, readiness, drain, end",
    .details =
        "Native sidecar container; docs/agent.md tells what it answers on its port. Whose pod\n"
        "it is, stands in POD_NAME, POD_NAMESPACE, POD_IP, NODE_NAME and SERVICE_ACCOUNT.\n",
    .run = run,
};
