/* SPDX-License-Identifier: Apache-2.0 */
/* envoy: see envoy.h. */
#include "agent/envoy.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/panic.h"
#include "base/vec.h"
#include "net/httpc.h"
#include "net/loop.h"

#define URL_MAX 512
#define ADMIN_TIMEOUT_MS 2000
#define ADMIN_BODY_MAX (8u << 20) /* a line for each listener and worker */

/* --- the process --------------------------------------------------------------------------- */

struct command_line {
    VEC(char *) words; /* borrowed */
};

static void add(struct command_line *line, const char *word)
{
    vec_push(&line->words, (char *)(uintptr_t)word);
}

static bool is_given(const struct options *options, const char *name)
{
    for (unsigned i = 0; i < options->arguments.len; i++) {
        if (strcmp(options->arguments.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Envoy takes no option twice: what the user hands on comes in place of ours. */
static void add_pair(struct command_line *line, const struct options *options, const char *name,
                     const char *value)
{
    if (!is_given(options, name)) {
        add(line, name);
        add(line, value);
    }
}

static void make_command_line(const struct options *options, struct command_line *line)
{
    add(line, options->text[O_envoy]);
    add_pair(line, options, "-c", options->text[O_sidecar_file]);
    add_pair(line, options, "--concurrency", options->text[O_concurrency]);
    add_pair(line, options, "--drain-time-s", options->text[O_drain_time_s]);
    add_pair(line, options, "--log-level", "warning");
    if (!is_given(options, "--disable-hot-restart")) {
        add(line, "--disable-hot-restart"); /* a container is started anew, not handed over */
    }
    for (unsigned i = 0; i < options->arguments.len; i++) {
        add(line, options->arguments.items[i]);
    }
    add(line, NULL);
}

static void has_ended(uv_process_t *process, int64_t status, int number)
{
    struct envoy *envoy = process->data;
    envoy->running = false;
    envoy_forget(envoy);
    envoy->ended(envoy->user, number != 0 ? 128 + number : (int)status);
}

bool envoy_start(struct envoy *envoy, struct loop *loop, const struct options *options,
                 struct err *err)
{
    struct command_line line = {.words = {.len = 0}};
    make_command_line(options, &line);
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data = {.fd = STDOUT_FILENO}},
        {.flags = UV_INHERIT_FD, .data = {.fd = STDERR_FILENO}},
    };
    const uv_process_options_t process = {
        .exit_cb = has_ended,
        .file = options->text[O_envoy],
        .args = line.words.items,
        .stdio_count = 3,
        .stdio = stdio,
    };
    int failed = uv_spawn(&loop->uv, &envoy->process, &process);
    vec_release(&line.words);
    envoy->open = true; /* also when it failed */
    envoy->process.data = envoy;
    envoy->running = failed == 0;
    return failed == 0 || err_set(err, "run '%s': %s; --envoy names another",
                                  options->text[O_envoy], uv_strerror(failed));
}

void envoy_signal(struct envoy *envoy, int number)
{
    if (envoy->running) {
        (void)uv_process_kill(&envoy->process, number);
    }
}

void envoy_close(struct envoy *envoy)
{
    envoy_signal(envoy, SIGKILL);
    envoy_forget(envoy);
    if (envoy->open) {
        uv_close((uv_handle_t *)&envoy->process, NULL);
    }
}

/* --- its admin endpoint -------------------------------------------------------------------- */

static void on_done(void *user, const struct httpc_result *result)
{
    struct envoy *envoy = user;
    envoy->call = NULL;
    envoy->answered(envoy->user, result->status, result->body);
}

void envoy_forget(struct envoy *envoy)
{
    if (envoy->call != NULL) {
        httpc_cancel(envoy->call);
        envoy->call = NULL;
    }
}

void envoy_ask(struct envoy *envoy, const char *method, const char *path,
               void (*answered)(void *user, unsigned status, struct str body))
{
    char url[URL_MAX];
    int len = snprintf(url, sizeof(url), "http://%.*s%s", STR_FMT(envoy->admin), path);
    ASSERT(len > 0 && (size_t)len < sizeof(url));
    envoy_forget(envoy);
    envoy->answered = answered;
    envoy->call = httpc_send(envoy->httpc, &(struct httpc_spec){
                                               .method = method,
                                               .url = str_from(url),
                                               .content_type = STR("text/plain"),
                                               .timeout_ms = ADMIN_TIMEOUT_MS,
                                               .body_max = ADMIN_BODY_MAX,
                                               .user = envoy,
                                               .done = on_done,
                                           });
}
