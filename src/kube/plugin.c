/* SPDX-License-Identifier: Apache-2.0 */
/* plugin: starts the program, gathers what it prints, and reads that. */
#include "kube/plugin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"
#include "base/vec.h"
#include "codec/base64.h"
#include "codec/doc_json.h"
#include "codec/json.h"
#include "codec/rfc3339.h"
#include "kube/config.h"
#include "net/loop.h"

#define COMPLAINT_MAX 4096 /* of its standard error */
#define COMPLAINT_SHOWN 200
#define KILL_MS 1000 /* to die in */

struct plugin;

/* One of its outputs. */
struct outlet {
    uv_pipe_t pipe;
    struct plugin *plugin;
    struct buf text;
    bool ended;
};

struct plugin {
    struct loop *loop;
    const struct kube_config *config;
    uv_process_t process;
    uv_timer_t timer;
    struct loop_task failed; /* it did not even start */
    struct outlet output, complaint;
    char chunk[4096];
    bool started, exited;
    bool late; /* it was killed */
    int64_t exit_code;
    int signal;
    unsigned open; /* handles */
    plugin_done_fn *done;
    void *user;
    struct err why;
};

/* --- what it is told --- */

static void add_cluster(struct json *json, const struct kube_config *config)
{
    struct buf encoded;
    buf_init(&encoded, BUF_UNLIMITED);
    json_key(json, "cluster");
    json_open(json, '{');
    json_member_str(json, "server", config->server);
    if (config->server_name.len != 0) {
        json_member_str(json, "tls-server-name", config->server_name);
    }
    if (config->insecure) {
        json_member_bool(json, "insecure-skip-tls-verify", true);
    }
    if (config->ca.text.len != 0) {
        base64_encode(config->ca.text, &encoded);
        json_member_str(json, "certificate-authority-data", buf_str(&encoded));
    }
    if (config->exec->settings != NULL) {
        buf_clear(&encoded);
        doc_to_json(config->exec->settings, &encoded);
        json_key(json, "config");
        json_raw(json, buf_str(&encoded));
    }
    json_close(json, '}');
    buf_release(&encoded);
}

static void write_exec_info(const struct kube_config *config, struct buf *out)
{
    struct json json;
    json_init(&json, out, 0);
    json_open(&json, '{');
    json_member_text(&json, "kind", "ExecCredential");
    json_member_str(&json, "apiVersion", config->exec->api_version);
    json_key(&json, "spec");
    json_open(&json, '{');
    if (config->exec->cluster_info) {
        add_cluster(&json, config);
    }
    json_member_bool(&json, "interactive", false);
    json_close(&json, '}');
    json_close(&json, '}');
}

/* --- its environment --- */

static bool is_set(const struct config_exec *exec, struct str name)
{
    for (size_t i = 0; i < exec->env_len; i++) {
        if (str_eq(exec->env[i].name, name)) {
            return true;
        }
    }
    return str_eq(name, STR("KUBERNETES_EXEC_INFO"));
}

/* This process' environment, with what the config says in place of what is there. */
static char **make_env(struct arena *arena, const struct kube_config *config)
{
    extern char **environ;
    const struct config_exec *exec = config->exec;
    size_t len = 0, all = exec->env_len + 2;
    struct buf info;
    for (char **it = environ; *it != NULL; it++) {
        all++;
    }
    char **env = ARENA_ARRAY(arena, all, char *);
    for (char **it = environ; *it != NULL; it++) {
        struct str rest = str_from(*it);
        if (!is_set(exec, str_cut(&rest, '='))) {
            env[len++] = *it;
        }
    }
    for (size_t i = 0; i < exec->env_len; i++) {
        env[len++] = (char *)arena_printf(arena, "%.*s=%.*s", STR_FMT(exec->env[i].name),
                                          STR_FMT(exec->env[i].value))
                         .ptr;
    }
    buf_init(&info, BUF_UNLIMITED);
    write_exec_info(config, &info);
    env[len++] =
        (char *)arena_printf(arena, "KUBERNETES_EXEC_INFO=%.*s", STR_FMT(buf_str(&info))).ptr;
    buf_release(&info);
    return env;
}

static char **make_args(struct arena *arena, const struct config_exec *exec)
{
    char **args = ARENA_ARRAY(arena, exec->args_len + 2, char *);
    args[0] = (char *)exec->command.ptr;
    for (size_t i = 0; i < exec->args_len; i++) {
        args[i + 1] = (char *)exec->args[i].ptr;
    }
    return args;
}

/* --- its end --- */

static void handle_gone(uv_handle_t *handle)
{
    struct plugin *plugin = handle->data;
    if (--plugin->open == 0) {
        free(plugin);
    }
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, handle_gone);
    }
}

/* A group of its own: what it started goes too. */
static void plugin_kill(const struct plugin *plugin)
{
    if (plugin->started && !plugin->exited) {
        kill(-plugin->process.pid, SIGKILL);
    }
}

/* Nothing is told any more; the memory goes with the last handle. A program that runs is killed,
 * and nobody waits for it: that is when this process ends, or when killing did not help. */
static void plugin_end(struct plugin *plugin)
{
    loop_task_cancel(&plugin->failed);
    plugin_kill(plugin);
    struct buf *output = &plugin->output.text;
    if (output->data != NULL) {
        explicit_bzero(output->data, output->len);
    }
    buf_release(output);
    buf_release(&plugin->complaint.text);
    explicit_bzero(plugin->chunk, sizeof(plugin->chunk));
    close_handle(&plugin->output.pipe);
    close_handle(&plugin->complaint.pipe);
    close_handle(&plugin->timer);
    close_handle(&plugin->process);
}

/* The last line of its complaints, without what would break a line of the log. */
static void add_complaint(const struct plugin *plugin, struct err *err)
{
    struct str text = str_trim(buf_str(&plugin->complaint.text));
    size_t feed = str_rindex(text, '\n');
    struct str line = feed < text.len ? str_sub(text, feed + 1, text.len) : text;
    const struct config_exec *exec = plugin->config->exec;
    struct err why = *err;
    if (line.len != 0) {
        err_set(err, "%s: %.*s", why.text, STR_FMT(str_sub(line, 0, COMPLAINT_SHOWN)));
    } else if (!plugin->started && exec->install_hint.len != 0) {
        err_set(err, "%s; %.*s", why.text,
                STR_FMT(str_sub(exec->install_hint, 0, COMPLAINT_SHOWN)));
    }
}

static bool judge(const struct plugin *plugin, struct arena *arena,
                  struct plugin_result *ret_result, struct err *err)
{
    if (plugin->why.text[0] != '\0') {
        return err_set(err, "%s", plugin->why.text);
    }
    if (plugin->late) {
        return err_set(err, "it did not end in time");
    }
    if (plugin->signal != 0) {
        return err_set(err, "it was killed by signal %d", plugin->signal);
    }
    if (plugin->exit_code != 0) {
        return err_set(err, "it exited with %d", (int)plugin->exit_code);
    }
    if (!buf_ok(&plugin->output.text)) {
        return err_set(err, "it printed more than %u bytes", PLUGIN_OUTPUT_MAX);
    }
    return plugin_read(buf_str(&plugin->output.text), arena, ret_result, err);
}

static void plugin_tell(struct plugin *plugin)
{
    struct arena arena;
    struct err err;
    struct plugin_result result = {.expires_s = 0};
    plugin_done_fn *done = plugin->done;
    void *user = plugin->user;
    arena_init(&arena);
    if (!judge(plugin, &arena, &result, &err)) {
        add_complaint(plugin, &err);
        err_prefix(&err, "the credential program '%.*s'", STR_FMT(plugin->config->exec->command));
        result = (struct plugin_result){.why = str_from(err.text)};
    }
    plugin_end(plugin);
    done(user, &result);
    arena_release(&arena);
}

/* It has exited, and all that it printed was read; when it had to be killed, that does not count.
 */
static void look_for_end(struct plugin *plugin)
{
    if (plugin->exited && (plugin->late || plugin->output.ended)) {
        plugin_tell(plugin);
    }
}

static void on_exit_of(uv_process_t *process, int64_t code, int signal)
{
    struct plugin *plugin = process->data;
    plugin->exited = true;
    plugin->exit_code = code;
    plugin->signal = signal;
    look_for_end(plugin);
}

static void on_time(uv_timer_t *timer)
{
    struct plugin *plugin = timer->data;
    if (plugin->late || plugin->exited) {
        plugin_tell(plugin); /* it cannot be killed, or a child of its own keeps the pipe open */
        return;
    }
    plugin->late = true;
    plugin_kill(plugin);
    uv_timer_start(&plugin->timer, on_time, KILL_MS, 0);
}

static void on_failed(struct loop_task *task)
{
    plugin_tell(list_entry(task, struct plugin, failed));
}

/* --- what it prints --- */

static void give_room(uv_handle_t *handle, size_t size, uv_buf_t *ret_room)
{
    struct plugin *plugin = handle->data;
    (void)size;
    *ret_room = uv_buf_init(plugin->chunk, sizeof(plugin->chunk));
}

static void take_output(struct outlet *outlet, ssize_t len, const uv_buf_t *room)
{
    if (len < 0) {
        outlet->ended = true;
        uv_read_stop((uv_stream_t *)&outlet->pipe);
        look_for_end(outlet->plugin);
        return;
    }
    buf_add(&outlet->text, room->base, (size_t)len);
}

static void on_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *room)
{
    struct plugin *plugin = stream->data;
    take_output(&plugin->output, len, room);
}

static void on_complaint(uv_stream_t *stream, ssize_t len, const uv_buf_t *room)
{
    struct plugin *plugin = stream->data;
    take_output(&plugin->complaint, len, room);
}

/* --- its start --- */

static void outlet_init(struct plugin *plugin, struct outlet *outlet, size_t max)
{
    outlet->plugin = plugin;
    uv_pipe_init(&plugin->loop->uv, &outlet->pipe, 0);
    outlet->pipe.data = plugin;
    buf_init(&outlet->text, max);
}

static void spawn(struct plugin *plugin)
{
    struct arena arena;
    arena_init(&arena);
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {UV_CREATE_PIPE | UV_WRITABLE_PIPE, {.stream = (uv_stream_t *)&plugin->output.pipe}},
        {UV_CREATE_PIPE | UV_WRITABLE_PIPE, {.stream = (uv_stream_t *)&plugin->complaint.pipe}},
    };
    const uv_process_options_t options = {
        .exit_cb = on_exit_of,
        .file = plugin->config->exec->command.ptr,
        .args = make_args(&arena, plugin->config->exec),
        .env = make_env(&arena, plugin->config),
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = 3,
    };
    int rc = uv_spawn(&plugin->loop->uv, &plugin->process, &options);
    plugin->process.data = plugin;
    arena_release(&arena);
    if (rc != 0) {
        err_set(&plugin->why, "it does not start: %s", uv_strerror(rc));
        loop_task_soon(plugin->loop, &plugin->failed);
        return;
    }
    plugin->started = true;
    uv_read_start((uv_stream_t *)&plugin->output.pipe, give_room, on_output);
    uv_read_start((uv_stream_t *)&plugin->complaint.pipe, give_room, on_complaint);
}

struct plugin *plugin_run(struct loop *loop, const struct kube_config *config, unsigned timeout_ms,
                          plugin_done_fn *done, void *user)
{
    struct plugin *plugin = xcalloc(1, sizeof(*plugin));
    plugin->loop = loop;
    plugin->config = config;
    plugin->done = done;
    plugin->user = user;
    plugin->open = 4;
    loop_task_init(&plugin->failed, on_failed);
    outlet_init(plugin, &plugin->output, PLUGIN_OUTPUT_MAX);
    outlet_init(plugin, &plugin->complaint, COMPLAINT_MAX);
    uv_timer_init(&loop->uv, &plugin->timer);
    plugin->timer.data = plugin;
    uv_timer_start(&plugin->timer, on_time, timeout_ms, 0);
    spawn(plugin);
    return plugin;
}

void plugin_cancel(struct plugin *plugin)
{
    plugin_end(plugin);
}

/* --- what its output says --- */

bool plugin_read(struct str output, struct arena *arena, struct plugin_result *ret_result,
                 struct err *err)
{
    struct doc_node *root;
    if (!doc_json_parse(arena, output, DOC_NODES_MAX, &root, err)) {
        return err_prefix(err, "it printed no ExecCredential");
    }
    const struct doc_node *status = doc_get(root, STR("status"));
    struct str expires = doc_text(status, STR("expirationTimestamp"));
    struct plugin_result result = {
        .token = doc_text(status, STR("token")),
        .cert = doc_text(status, STR("clientCertificateData")),
        .key = doc_text(status, STR("clientKeyData")),
    };
    if (!str_eq(doc_text(root, STR("kind")), STR("ExecCredential"))) {
        return err_set(err, "it printed no ExecCredential");
    }
    if (expires.len != 0 && !rfc3339_read(expires, &result.expires_s)) {
        return err_set(err, "expirationTimestamp is no time");
    }
    if ((result.cert.len == 0) != (result.key.len == 0)) {
        return err_set(err, "clientCertificateData and clientKeyData go together");
    }
    if (result.token.len == 0 && result.cert.len == 0) {
        return err_set(err, "its ExecCredential has neither a token nor a certificate");
    }
    *ret_result = result;
    return true;
}
