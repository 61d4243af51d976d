/* SPDX-License-Identifier: Apache-2.0 */
/* run: see run.h. */
#include "agent/run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agent/file.h"
#include "agent/inquiry.h"
#include "agent/place.h"
#include "agent/reaper.h"
#include "base/log.h"
#include "base/metric.h"
#include "net/httpc.h"

#define URL_MAX 4096

static const int signal_numbers[AGENT_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};

void agent_end(struct agent *agent, int code)
{
    agent->code = code;
    loop_stop(&agent->loop);
}

void agent_fail(struct agent *agent, const struct err *err)
{
    command_fail(EXIT_ENVIRONMENT, err);
    agent_end(agent, EXIT_ENVIRONMENT);
}

/* The files that Envoy's TLS reads again when they change. */
static bool write_secrets(struct agent *agent, const char *bootstrap, mode_t mode, struct err *err)
{
    struct bootstrap *of = &agent->pod.bootstrap;
    struct str path = str_from(bootstrap);
    size_t slash = str_rindex(path, '/');
    bool ok = true;
    of->secrets = slash < path.len ? str_sub(path, 0, slash) : STR(".");
    for (unsigned i = BOOTSTRAP_IDENTITY; i <= BOOTSTRAP_AUTHORITIES && ok; i++) {
        struct buf name, text;
        buf_init(&name, BOOTSTRAP_MAX);
        buf_init(&text, BOOTSTRAP_MAX);
        bootstrap_secret_path(of, (enum bootstrap_secret)i, &name);
        buf_add_byte(&name, '\0');
        bootstrap_secret(of, (enum bootstrap_secret)i, &text);
        ok = (i == BOOTSTRAP_IDENTITY && of->tls_cert.len == 0) ||
             file_replace((const char *)name.data, mode, buf_str(&text), err);
        buf_release(&name);
        buf_release(&text);
    }
    return ok;
}

bool agent_write_bootstrap(struct agent *agent, const char *path, mode_t mode, struct err *err)
{
    struct buf out;
    if (agent->kind->envoy && agent->pod.bootstrap.tls_ca.len > 0 &&
        !write_secrets(agent, path, mode, err)) {
        return false;
    }
    buf_init(&out, BOOTSTRAP_MAX);
    if (agent->kind->envoy) {
        bootstrap_envoy(&agent->pod.bootstrap, &out);
    } else {
        bootstrap_grpc(&agent->pod.bootstrap, &out);
    }
    buf_add_byte(&out, '\n');
    bool ok = buf_ok(&out) ? file_replace(path, mode, buf_str(&out), err)
                           : err_set(err, "the bootstrap is too large");
    buf_release(&out);
    return ok;
}

/* --- where the node is --------------------------------------------------------------------- */

static void placed(struct agent *agent)
{
    const struct bootstrap *self = &agent->pod.bootstrap;
    struct err err;
    metric_set(M_agent_placed, self->region.len + self->zone.len > 0);
    log_at(LOG_INFO, "agent", "starting", KV("namespace", self->ns), KV("name", self->name),
           KV("region", self->region), KV("zone", self->zone));
    if (!agent->kind->placed(agent, &err)) {
        agent_fail(agent, &err);
    }
}

static void place_answered(void *user, bool answered, struct str text)
{
    struct agent *agent = user;
    struct bootstrap *self = &agent->pod.bootstrap;
    struct str region = STR_NULL;
    struct str zone = STR_NULL;
    agent->place = NULL;
    if (answered) {
        place_read(text, &agent->arena, &region, &zone);
    } else {
        log_at(LOG_WARN, "agent", "going on without region and zone", KV("node", self->node_name),
               KV("reason", text));
    }
    self->region = self->region.len > 0 ? self->region : region;
    self->zone = self->zone.len > 0 ? self->zone : zone;
    placed(agent);
}

static void find_place(struct agent *agent)
{
    const struct bootstrap *self = &agent->pod.bootstrap;
    struct buf url;
    if (self->node_name.len == 0 || self->zone.len > 0) {
        placed(agent);
        return;
    }
    buf_init(&url, URL_MAX);
    place_url(agent->pod.control, self->node_name, &url);
    agent->place = inquiry_start(&(struct inquiry_spec){
        .loop = &agent->loop,
        .httpc = agent->httpc,
        .url = buf_str(&url),
        .wait_ms = agent->options->number[O_place_wait_ms],
        .unreachable_ms = agent->options->number[O_place_wait_ms],
        .user = agent,
        .done = place_answered,
    });
    buf_release(&url);
}

/* --- start and stop ------------------------------------------------------------------------ */

static void on_signal(uv_signal_t *handle, int number)
{
    struct agent *agent = handle->data;
    if (number == SIGCHLD) {
        reap_others(agent->kind->child != NULL ? agent->kind->child(agent) : 0);
    } else {
        agent->kind->signalled(agent, number);
    }
}

static bool start(struct agent *agent, struct err *err)
{
    for (size_t i = 0; i < AGENT_SIGNALS; i++) {
        uv_signal_init(&agent->loop.uv, &agent->signals[i]);
        agent->signals[i].data = agent;
        uv_signal_start(&agent->signals[i], on_signal, signal_numbers[i]);
    }
    setenv("no_proxy", "*", 1); /* heddle and Envoy are near, whatever the pod's environment says */
    agent->httpc = httpc_new(&agent->loop);
    agent->drain = (struct drain){
        .loop = &agent->loop,
        .httpc = agent->httpc,
        .pod = &agent->pod,
        .wait_ms = agent->options->number[O_drain_wait_s] * 1000,
    };
    return agent_http_start(&agent->http, &agent->loop,
                            (unsigned)agent->options->number[O_http_port], pod_has_ipv6(),
                            &agent->drain, err) &&
           (agent->kind->listening == NULL || agent->kind->listening(agent, err));
}

static void stop(struct agent *agent)
{
    inquiry_cancel(agent->place);
    drain_stop(&agent->drain);
    agent_http_stop(&agent->http);
    if (agent->kind->stop != NULL) {
        agent->kind->stop(agent);
    }
    httpc_free(agent->httpc);
    for (size_t i = 0; i < AGENT_SIGNALS; i++) {
        uv_close((uv_handle_t *)&agent->signals[i], NULL);
    }
    loop_release(&agent->loop);
    arena_release(&agent->arena);
}

static bool check(struct agent *agent, struct err *err)
{
    enum log_level level;
    if (!pod_read(agent->options, agent->kind->xds, &agent->pod, err) ||
        !bootstrap_check(&agent->pod.bootstrap, agent->kind->envoy, err)) {
        return false;
    }
    if (!log_level_parse(option_text(agent->options, O_log_level), &level)) {
        return err_set(err, "--log-level is debug, info, warn or error");
    }
    log_set_level(level);
    return agent->kind->check == NULL || agent->kind->check(agent, err);
}

int agent_run(struct agent *agent, const struct agent_kind *kind, const struct options *options)
{
    struct err err;
    agent->kind = kind;
    agent->options = options;
    arena_init(&agent->arena);
    if (!check(agent, &err)) {
        return command_fail(EXIT_USAGE, &err);
    }
    if (!loop_init(&agent->loop, "agent", &err)) {
        return command_fail(EXIT_ENVIRONMENT, &err);
    }
    log_start();
    if (start(agent, &err)) {
        find_place(agent);
        loop_run(&agent->loop);
    } else {
        agent->code = command_fail(EXIT_ENVIRONMENT, &err);
    }
    stop(agent);
    log_stop();
    return agent->code;
}
