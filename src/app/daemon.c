/* SPDX-License-Identifier: Apache-2.0 */
/* daemon: `heddle serve`. */
#include "app/daemon.h"

#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin.h"
#include "app/api.h"
#include "app/kubernetes.h"
#include "base/log.h"
#include "base/metric.h"
#include "cli/authority.h"
#include "codec/hash.h"
#include "ir/client.h"
#include "net/addr.h"

#define WORKERS_DEFAULT_MAX 8
#define STOP_GRACE_MS 500
#define GRPC_INVALID_ARGUMENT 3

/* --- turns --------------------------------------------------------------------------------- */

static void give_views(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->waiting.len; i++) {
        const struct mesh_client *client = mesh_client(daemon->mesh, daemon->waiting.items[i]);
        if (client != NULL) {
            serve_view(daemon->serve, client->id, &client->view);
        }
    }
    vec_clear(&daemon->waiting);
}

static void run_turn(struct daemon *daemon)
{
    if (!daemon->synced) {
        return; /* clients keep what they have until the whole is known */
    }
    bool changed = mesh_dirty(daemon->mesh);
    struct changeset *changeset = mesh_turn(daemon->mesh);
    if (changeset != NULL) {
        serve_publish(daemon->serve, changeset);
        changeset_unref(changeset);
    }
    if (changed) {
        fleet_turn(&daemon->fleet);
    }
    inheritance_look(&daemon->fleet.inheritance);
    if (daemon->fleet.inheritance.done) {
        give_views(daemon);
    }
    kubernetes_turned(daemon);
    metric_set(M_objects, (int64_t)mesh_objects(daemon->mesh));
    metric_set(M_objects_unreadable, (int64_t)mesh_faults(daemon->mesh));
}

static void turn_task(struct loop_task *task)
{
    run_turn((struct daemon *)(void *)((char *)task - offsetof(struct daemon, turn)));
}

void daemon_turn_soon(struct daemon *daemon)
{
    loop_task_soon(&daemon->loop, &daemon->turn);
}

/* --- what the source says ------------------------------------------------------------------ */

static void object_put(void *user, struct object *object, struct str key)
{
    struct daemon *daemon = user;
    mesh_put(daemon->mesh, object, key);
}

static void object_removed(void *user, enum kind_id kind, struct str key)
{
    struct daemon *daemon = user;
    mesh_remove(daemon->mesh, kind, key);
}

static void source_turn(void *user)
{
    struct daemon *daemon = user;
    bool first = !daemon->synced;
    daemon->synced = true;
    run_turn(daemon);
    if (first) {
        metric_set(M_ready, 1);
        log_at(LOG_INFO, "app", "synced", KV_INT("objects", mesh_objects(daemon->mesh)));
    }
}

void daemon_synced(struct daemon *daemon)
{
    if (daemon->synced) {
        daemon_turn_soon(daemon);
    } else {
        source_turn(daemon);
    }
}

static void source_problems(void *user, struct file_set *set)
{
    (void)user;
    metric_set(M_documents_invalid, (int64_t)file_set_invalid(set));
    metric_set(M_config_directory_failed, file_set_directory_ok(set) ? 0 : 1);
}

/* --- what clients say ---------------------------------------------------------------------- */

static void stream_opened(void *user, stream_id id, struct node *node, struct str peer,
                          enum stream_protocol protocol)
{
    struct daemon *daemon = user;
    struct err err;
    const struct mesh_client *client;
    (void)protocol;
    if (!mesh_open(daemon->mesh, id, node, &client, &err)) {
        log_at(LOG_WARN, "app", "client refused", KV("peer", peer), KV_TEXT("reason", err.text));
        serve_refuse(daemon->serve, id, GRPC_INVALID_ARGUMENT, str_from(err.text));
        return;
    }
    vec_push(&daemon->waiting, id);
    daemon_turn_soon(daemon);
}

static void stream_closed(void *user, stream_id id)
{
    struct daemon *daemon = user;
    mesh_close(daemon->mesh, id);
    daemon_turn_soon(daemon);
}

static void stream_interest(void *user, enum xds_type type, struct str scope, struct str name,
                            bool wanted)
{
    struct daemon *daemon = user;
    if (type == XDS_LDS) {
        mesh_interest(daemon->mesh, scope, name, wanted);
        daemon_turn_soon(daemon);
    }
}

static void stream_rejected(void *user, stream_id id, enum xds_type type,
                            const struct resource *const *of, size_t nof, struct str text)
{
    struct daemon *daemon = user;
    mesh_rejected(daemon->mesh, id, type, of, nof, text);
    daemon_turn_soon(daemon);
}

static void stream_accepted(void *user, stream_id id, enum xds_type type,
                            const struct resource *const *of, size_t nof)
{
    struct daemon *daemon = user;
    mesh_accepted(daemon->mesh, id, type, of, nof);
    daemon_turn_soon(daemon);
}

static void stream_dropped(void *user, stream_id id, enum xds_type type, struct str name)
{
    struct daemon *daemon = user;
    mesh_dropped(daemon->mesh, id, type, name);
    daemon_turn_soon(daemon);
}

/* --- start and stop ------------------------------------------------------------------------ */

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    if (number == SIGHUP) {
        xds_port_reload(&daemon->xds);
    } else {
        loop_stop(&daemon->loop);
    }
}

static void read_limits(const struct options *options, struct serve_limits *ret_limits)
{
    const uint64_t *number = options->number;
    serve_limits_default(ret_limits);
    ret_limits->streams = (unsigned)number[O_max_streams];
    ret_limits->connections = (unsigned)number[O_max_connections];
    ret_limits->connections_per_peer = (unsigned)number[O_max_connections_per_peer];
    ret_limits->streams_per_connection = (unsigned)number[O_max_streams_per_connection];
    ret_limits->request_bytes = (uint32_t)number[O_max_request_bytes];
    ret_limits->names_per_type = (unsigned)number[O_max_names];
    ret_limits->name_bytes = (unsigned)number[O_max_name_bytes];
    ret_limits->requests_per_second = (unsigned)number[O_max_requests_per_second];
    ret_limits->interest_names = (unsigned)number[O_max_interest];
    ret_limits->interest_per_peer = (unsigned)number[O_max_interest_per_peer];
    ret_limits->response_bytes = (uint32_t)number[O_response_bytes];
    ret_limits->whole_state_bytes = (uint32_t)number[O_whole_state_bytes];
    ret_limits->queued_bytes = (uint32_t)number[O_queued_bytes];
    ret_limits->node_wait_ms = (unsigned)number[O_node_wait_ms];
    ret_limits->keepalive_ms = (unsigned)number[O_keepalive_ms];
    ret_limits->keepalive_timeout_ms = (unsigned)number[O_keepalive_timeout_ms];
}

static bool start_serve(struct daemon *daemon, struct err *err)
{
    unsigned workers = (unsigned)daemon->options->number[O_workers];
    if (workers == 0) {
        workers = uv_available_parallelism();
        workers = workers > WORKERS_DEFAULT_MAX ? WORKERS_DEFAULT_MAX : workers;
    }
    struct serve_config config = {
        .workers = workers > SERVE_WORKERS_MAX ? SERVE_WORKERS_MAX : workers,
        .csds = option_flag(daemon->options, O_csds),
        .events =
            {
                .user = daemon,
                .opened = stream_opened,
                .closed = stream_closed,
                .interest = stream_interest,
                .rejected = stream_rejected,
                .accepted = stream_accepted,
                .dropped = stream_dropped,
            },
    };
    read_limits(daemon->options, &config.limits);
    return serve_start(&daemon->loop, &config, &daemon->serve, err);
}

/* Absolute, but with its links: the state belongs to "current", whichever version that points to.
 */
static struct str config_path(const struct options *options, struct arena *arena)
{
    struct str config = option_text(options, O_config);
    char cwd[PATH_MAX];
    if (str_starts_with(config, STR("/")) || getcwd(cwd, sizeof(cwd)) == NULL) {
        return config;
    }
    return arena_printf(arena, "%s/%.*s", cwd, STR_FMT(config));
}

/* $XDG_STATE_HOME/heddle/<hash of the directory's path>; empty: no state. */
static struct str state_dir(const struct options *options, struct arena *arena)
{
    struct str given = option_text(options, O_state);
    if (given.len > 0) {
        return str_eq(given, STR("none")) ? STR_NULL : given;
    }
    const char *base = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char hash[HASH_TEXT_LEN];
    hash_text(hash_bytes(config_path(options, arena)), hash);
    if (base != NULL && base[0] == '/') {
        return arena_printf(arena, "%s/heddle/%s", base, hash);
    }
    return home != NULL && home[0] == '/'
               ? arena_printf(arena, "%s/.local/state/heddle/%s", home, hash)
               : STR_NULL;
}

static bool start_source(struct daemon *daemon, struct err *err)
{
    struct arena scratch;
    arena_init(&scratch);
    const struct source_file_config config = {
        .loop = &daemon->loop.uv,
        .dir = option_text(daemon->options, O_config),
        .state_dir = state_dir(daemon->options, &scratch),
        .partial = option_flag(daemon->options, O_partial),
        .events = {.user = daemon, .put = object_put, .removed = object_removed},
        .user = daemon,
        .turn = source_turn,
        .problems = source_problems,
    };
    bool ok = source_file_start(&config, &daemon->source, err);
    arena_release(&scratch);
    return ok;
}

static bool start(struct daemon *daemon, struct err *err)
{
    struct admin_config admin = {
        .loop = &daemon->loop,
        .address = option_text(daemon->options, O_admin),
        .routes = api_routes,
        .nroutes = api_routes_len,
        .open = option_flag(daemon->options, O_admin_open),
        .conns_max = daemon->options->number[O_max_admin_connections],
        .ready = api_ready,
        .user = daemon,
    };
    bool cluster = option_flag(daemon->options, O_kubernetes);
    if (!start_serve(daemon, err) || !fleet_start(&daemon->fleet, daemon, err) ||
        !(cluster ? kubernetes_start(daemon, err) : start_source(daemon, err)) ||
        !xds_port_start(&daemon->xds, daemon, err) || !admin_start(&admin, &daemon->admin, err)) {
        return false;
    }
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&daemon->loop.uv, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        uv_signal_start(&daemon->signals[i], on_signal, numbers[i]);
    }
    xds_port_print(&daemon->xds);
    printf("admin %s\n", admin_address(daemon->admin));
    fflush(stdout);
    return true;
}

static void source_gone(void *user)
{
    struct daemon *daemon = user;
    daemon->source = NULL;
}

static void close_signals(struct daemon *daemon)
{
    for (size_t i = 0; i < 3; i++) {
        if (daemon->signals[i].data != NULL) {
            uv_close((uv_handle_t *)&daemon->signals[i], NULL);
        }
    }
}

static void stop(struct daemon *daemon)
{
    xds_port_close(&daemon->xds);
    admin_stop(daemon->admin);
    daemon->synced = false; /* no more turns */
    fleet_stop(&daemon->fleet);
    close_signals(daemon);
    if (daemon->serve != NULL) {
        serve_stop(daemon->serve, STOP_GRACE_MS);
    }
    if (daemon->source != NULL) {
        source_file_stop(daemon->source, source_gone, daemon);
    }
    kubernetes_stop(daemon);
    loop_task_cancel(&daemon->turn);
    /* a plan takes as long as one translation of everything */
    while (daemon->planning || kubernetes_stopping(daemon)) {
        uv_run(&daemon->loop.uv, UV_RUN_ONCE);
    }
    kubernetes_free(daemon);
    loop_release(&daemon->loop);
    serve_free(daemon->serve);
    xds_port_release(&daemon->xds);
    vec_release(&daemon->waiting);
    mesh_free(daemon->mesh);
}

/* What is wrong with the command line whatever the machine is like. */
static bool check_addresses(const struct options *options, struct err *err)
{
    static const enum option_id addresses[] = {O_xds, O_xds_tls, O_admin, O_webhook};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct str text = option_text(options, addresses[i]);
        struct sockaddr_storage addr;
        bool off = text.len == 0 || (addresses[i] == O_xds && str_eq(text, STR("none")));
        if (!off && !addr_parse(text, &addr, err)) {
            return err_prefix(err, "--%s", option_info(addresses[i])->name);
        }
    }
    return true;
}

static bool check_webhook(const struct options *options, struct err *err)
{
    struct str admission = option_text(options, O_admission);
    if (option_text(options, O_webhook).len > 0 && !option_flag(options, O_kubernetes)) {
        return err_set(err, "--webhook is for --kubernetes");
    }
    return str_eq(admission, STR("warn")) || str_eq(admission, STR("deny")) ||
           err_set(err, "--admission is warn or deny, not '%.*s'", STR_FMT(admission));
}

static bool check_usage(const struct options *options, struct err *err)
{
    bool config = option_text(options, O_config).len > 0;
    bool cluster = option_flag(options, O_kubernetes);
    if (config == cluster || options->arguments.len > 0) {
        return err_set(err, "say what to serve: heddle serve --config DIR, or --kubernetes");
    }
    if (!cluster &&
        (option_text(options, O_kubeconfig).len > 0 || option_text(options, O_context).len > 0)) {
        return err_set(err, "--kubeconfig and --context are for --kubernetes");
    }
    return xds_port_check(options, err) && check_addresses(options, err) &&
           check_webhook(options, err) && authorities_check(options, err);
}

static int run(const struct options *options)
{
    struct err err;
    enum log_level level;
    struct daemon daemon;
    memset(&daemon, 0, sizeof(daemon));
    daemon.options = options;
    if (!check_usage(options, &err)) {
        return command_fail(EXIT_USAGE, &err);
    }
    if (!log_level_parse(option_text(options, O_log_level), &level)) {
        err_set(&err, "--log-level is debug, info, warn or error");
        return command_fail(EXIT_USAGE, &err);
    }
    log_set_level(level);
    log_start();
    /* One heap for all threads: memory that a cold start leaves free in one worker's heap is of use
     * to everybody (bench, 500 streams: 55 MB steady against 56 to 65), and the path of a change
     * hardly allocates, so nobody waits for its lock (p99 unchanged). */
    (void)mallopt(M_ARENA_MAX, 1);
    if (!loop_init(&daemon.loop, "config", &err)) {
        return command_fail(EXIT_ENVIRONMENT, &err);
    }
    loop_task_init(&daemon.turn, turn_task);
    const struct mesh_settings settings = {
        .cluster_domain = option_text(options, O_cluster_domain),
        .trust_domain = option_text(options, O_trust_domain),
        .authorities = options->lists[O_authority].items,
        .authorities_len = options->lists[O_authority].len,
        .kubernetes = option_flag(options, O_kubernetes),
        .check = option_flag(options, O_check_rebuild),
    };
    daemon.mesh = mesh_new(&settings);
    bool started = start(&daemon, &err);
    if (started) {
        loop_run(&daemon.loop);
        log_at(LOG_INFO, "app", "stopping");
    }
    stop(&daemon);
    log_stop();
    return started ? 0 : command_fail(EXIT_ENVIRONMENT, &err);
}

const struct command command_serve = {
    .name = "serve",
    .bit = CMD_SERVE,
    .arguments = "--config DIR | --kubernetes [options]",
    .summary = "the control plane: follow Kubernetes, or a directory of YAML, and serve xDS",
    .details =
        "Prints the bound addresses, one a line: 'xds ADDR:PORT', 'xds-tls ADDR:PORT',\n"
        "'admin ADDR:PORT'. Logs go to standard error. SIGHUP reads the certificates again,\n"
        "SIGTERM and SIGINT end it. Every option can be given in the environment, too:\n"
        "HEDDLE_CONFIG for --config.\n",
    .run = run,
};
