/* SPDX-License-Identifier: Apache-2.0 */
/* fleet: see fleet.h. */
#include "app/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/daemon.h"
#include "app/kubernetes.h"
#include "app/port.h"
#include "app/replicas.h"
#include "app/webhook.h"
#include "base/clock.h"
#include "ir/graph.h"
#include "kube/kube.h"
#include "model/service.h"
#include "pipeline/spread.h"

#define POLL_MS 250
#define POLL_TIMEOUT_MS 3000
#define ANSWER_MAX (4u << 20)
#define REPLICAS_SERVICE "heddle-replicas"
#define REPLICAS_PORT 15017
#define TOKEN_MAX 4096
#define REPLICA_CONNS_MAX 256
/* What one address may have of all connections of agents. Pods on their node's network share one,
 * and with IPv6 all pods of a node. */
#define PEER_SHARE 8

/* --- who the other replicas are -------------------------------------------------------------- */

static void add_endpoints(const struct endpoint_slice *slice, struct arena *arena,
                          struct replicas_peer peers[REPLICAS_MAX], size_t *len)
{
    struct str own = str_from(getenv("POD_IP"));
    for (size_t i = 0; i < slice->endpoints.len && *len < REPLICAS_MAX; i++) {
        const struct endpoint *endpoint = &slice->endpoints.items[i];
        if (endpoint->addresses.len > 0 && !str_eq(endpoint->addresses.items[0], own)) {
            struct str address = endpoint->addresses.items[0];
            const char *fmt = slice->address_type == ADDRESS_IPV6 ? "[%.*s]:%d" : "%.*s:%d";
            /* "ready" is said of all: the Service publishes addresses that are not. */
            peers[(*len)++] = (struct replicas_peer){
                arena_printf(arena, fmt, STR_FMT(address), REPLICAS_PORT), endpoint->serving};
        }
    }
}

/* As they are now, with what lets us in. */
static void find_in_cluster(const struct fleet *fleet, const struct webhook *webhook)
{
    const struct daemon *daemon = fleet->daemon;
    const struct keyring *ring = webhook_keyring(webhook);
    struct str ns = kube_namespace(daemon->kube);
    struct replicas_peer peers[REPLICAS_MAX];
    size_t len = 0;
    struct arena scratch;
    arena_init_sized(&scratch, 1024);
    struct str service = arena_printf(&scratch, "%.*s/" REPLICAS_SERVICE, STR_FMT(ns));
    struct row_span slices = engine_group(mesh_engine(daemon->mesh), X_SLICES_OF_SERVICE, service);
    for (size_t i = 0; i < slices.len; i++) {
        add_endpoints((const struct endpoint_slice *)slices.rows[i], &scratch, peers, &len);
    }
    replicas_set(fleet->replicas, peers, len);
    if (ring != NULL) {
        const struct replicas_access access = {
            .secure = true,
            .ca = ring->bundle,
            .server_name = arena_printf(&scratch, REPLICAS_SERVICE ".%.*s.svc", STR_FMT(ns)),
            .token = ring->token,
        };
        replicas_set_access(fleet->replicas, &access);
    }
    arena_release(&scratch);
}

static void find_replicas(struct fleet *fleet)
{
    const struct webhook *webhook = kubernetes_webhook(fleet->daemon);
    if (webhook != NULL) {
        find_in_cluster(fleet, webhook);
    }
    spread_know(fleet->spread, mesh_engine(fleet->daemon->mesh), fleet_knows_clients(fleet));
    spread_set_others(fleet->spread, replicas_count(fleet->replicas) > 0);
}

/* --- how far the others are ------------------------------------------------------------------ */

static void on_answer(void *user, struct str address, const struct httpc_result *result)
{
    struct fleet *fleet = user;
    if (result->status == 200) {
        spread_round_hear(&fleet->asked, result->body);
    } else if (result->status == 0 && !replicas_silence_counts(fleet->replicas, address)) {
        fleet->asked.replicas--;
    }
}

static void on_round_done(void *user)
{
    struct fleet *fleet = user;
    fleet->round = NULL;
    spread_round_end(&fleet->asked, fleet->spread, clock_wall_ms());
}

static void poll(uv_timer_t *timer)
{
    struct fleet *fleet = timer->data;
    find_replicas(fleet);
    inheritance_poll(&fleet->inheritance);
    hearsay_poll(&fleet->hearsay);
    size_t others = replicas_count(fleet->replicas);
    if (!fleet->begun || fleet->round != NULL || others == 0 ||
        spread_pending(fleet->spread) == 0) {
        return;
    }
    struct buf question;
    buf_init(&question, BUF_UNLIMITED);
    spread_round_begin(&fleet->asked, fleet->spread, (unsigned)others, &question);
    const struct replicas_question ask = {
        .method = "POST",
        .path = STR("/replica/propagated"),
        .body = buf_str(&question),
        .timeout_ms = POLL_TIMEOUT_MS,
        .body_max = ANSWER_MAX,
        .each = on_answer,
        .done = on_round_done,
        .user = fleet,
    };
    fleet->round = replicas_ask(fleet->replicas, &ask);
    buf_release(&question);
}

bool fleet_knows_clients(const struct fleet *fleet)
{
    uint64_t return_ms = fleet->daemon->options->number[O_clients_return_ms];
    return fleet->begun && !replicas_lost_within(fleet->replicas, return_ms);
}

/* --- acknowledgements ------------------------------------------------------------------------ */

static watch_id watch(void *user, const struct acks_name *names, size_t len, serve_acks_fn *changed,
                      void *about)
{
    return serve_acks_watch(((struct daemon *)user)->serve, names, len, changed, about);
}

static void cancel(void *user, watch_id id)
{
    serve_acks_cancel(((struct daemon *)user)->serve, id);
}

static void on_back(uv_timer_t *timer)
{
    struct fleet *fleet = timer->data;
    fleet->begun = true;
    find_replicas(fleet);
}

void fleet_turn(struct fleet *fleet)
{
    const struct daemon *daemon = fleet->daemon;
    const struct engine *engine = mesh_engine(daemon->mesh);
    if (!fleet->begun && !uv_is_active((uv_handle_t *)&fleet->back)) {
        (void)uv_timer_start(&fleet->back, on_back, daemon->options->number[O_clients_return_ms],
                             0);
    }
    spread_turn(fleet->spread, engine, clock_wall_ms());
    drained_turn(&fleet->drained);
}

/* --- start and stop -------------------------------------------------------------------------- */

static bool read_token(struct fleet *fleet, struct err *err)
{
    const char *path = fleet->daemon->options->text[O_replica_token_file];
    char bytes[TOKEN_MAX];
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    if (path == NULL || path[0] == '\0') {
        return true;
    }
    if (file == NULL) {
        return err_set_errno(err, errno, "%s", path);
    }
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    struct str token = str_trim(str_span(bytes, len));
    if (token.len < KEYRING_TOKEN_MIN || len == sizeof(bytes)) {
        return err_set(err, "%s: a token has %d to %d bytes", path, KEYRING_TOKEN_MIN,
                       TOKEN_MAX - 1);
    }
    fleet->token = str_dup(token);
    return true;
}

static bool open_port(struct fleet *fleet, enum option_id option, const char *name,
                      const struct webhook_route *routes, size_t nroutes, size_t conns_max,
                      struct port **ret_port, struct err *err)
{
    const struct port_config config = {
        .loop = &fleet->daemon->loop,
        .name = name,
        .address = option_text(fleet->daemon->options, option),
        .conns_max = conns_max,
        .conns_per_peer = option == O_agents ? conns_max / PEER_SHARE + 1 : 0,
        .routes = routes,
        .nroutes = nroutes,
        .token = str_from(fleet->token),
        .user = fleet->daemon,
    };
    if (config.address.len == 0) {
        return true;
    }
    if (!port_start(&config, ret_port, err)) {
        return false;
    }
    printf("%s %s\n", name, port_address(*ret_port));
    return true;
}

/* Without Kubernetes: those that the options name. */
static void name_replicas(const struct fleet *fleet)
{
    const struct options *options = fleet->daemon->options;
    struct replicas_peer peers[REPLICAS_MAX];
    size_t len = 0;
    for (size_t i = 0; i < options->lists[O_replica].len && len < REPLICAS_MAX; i++) {
        peers[len++] =
            (struct replicas_peer){str_from(options->lists[O_replica].items[i]), .ready = true};
    }
    const struct replicas_access access = {.token = str_from(fleet->token)};
    replicas_set(fleet->replicas, peers, len);
    replicas_set_access(fleet->replicas, &access);
}

bool fleet_start(struct fleet *fleet, struct daemon *daemon, struct err *err)
{
    const struct spread_counting counting = {daemon, watch, cancel};
    *fleet = (struct fleet){.daemon = daemon, .started = true};
    fleet->spread = spread_new(&counting);
    fleet->replicas = replicas_new(&daemon->loop);
    drained_init(&fleet->drained, fleet);
    hearsay_init(&fleet->hearsay, daemon);
    inheritance_init(&fleet->inheritance, daemon);
    const struct propagation propagation = {fleet->spread, spread_of};
    mesh_propagation(daemon->mesh, &propagation);
    (void)uv_timer_init(&daemon->loop.uv, &fleet->back);
    (void)uv_timer_init(&daemon->loop.uv, &fleet->poll);
    fleet->back.data = fleet->poll.data = fleet;
    (void)uv_timer_start(&fleet->poll, poll, POLL_MS, POLL_MS);
    if (!read_token(fleet, err)) {
        return false;
    }
    name_replicas(fleet);
    return open_port(fleet, O_agents, "agents", agent_routes, agent_routes_len,
                     daemon->options->number[O_max_agents_connections], &fleet->agents, err) &&
           open_port(fleet, O_replica_listen, "replica", replica_routes, replica_routes_len,
                     REPLICA_CONNS_MAX, &fleet->listening, err);
}

void fleet_stop(struct fleet *fleet)
{
    if (!fleet->started) {
        return;
    }
    fleet->started = false;
    drained_stop(&fleet->drained);
    hearsay_stop(&fleet->hearsay);
    inheritance_stop(&fleet->inheritance);
    port_stop(fleet->agents);
    port_stop(fleet->listening);
    if (fleet->round != NULL) {
        replicas_cancel(fleet->round);
        spread_round_release(&fleet->asked);
    }
    replicas_free(fleet->replicas);
    uv_close((uv_handle_t *)&fleet->back, NULL);
    uv_close((uv_handle_t *)&fleet->poll, NULL);
    mesh_propagation(fleet->daemon->mesh, &(struct propagation){.of = NULL});
    spread_free(fleet->spread);
    free(fleet->token);
}
