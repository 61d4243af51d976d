/* SPDX-License-Identifier: Apache-2.0 */
/* worker: calls become streams, letters become changes; see worker.h. */
#include "serve/worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "net/addr.h"
#include "net/grpc.h"
#include "net/loop.h"
#include "net/peers.h"
#include "serve/acks_timer.h"
#include "serve/csds.h"
#include "serve/stream.h"

#define STREAM_ID_SHIFT 48
#define STEP_MS 500 /* how often waiting streams, denied names and memory are looked after */
#define BURST_BYTES (64u << 10) /* a response of this size is part of a cold start */
#define STOP_STEP_MS 10
#define IDENTITY_MAX 2048 /* bytes of a SPIFFE ID (SPIFFE-ID §2.3); a longer one is none */
#define WORKER_SERVICE "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
#define STATUS_SERVICE "/envoy.service.status.v3.ClientStatusDiscoveryService/"

/* A cold start leaves holes in the heap that glibc keeps: 11 MB after 500 streams with 4,000
 * resources each. They are given back once when it is over; that takes a millisecond. */
enum tidy {
    TIDY_CLEAN,
    TIDY_BUSY, /* much was sent, or a stream ended, since the last step */
    TIDY_DUE,  /* no longer: at the next step */
};

struct call {
    struct worker *worker;
    struct grpc_call *grpc;
    struct stream *stream;
    stream_id id;
    bool opened;          /* thread 0 was told */
    uint64_t opened_ms;   /* wall clock */
    uint64_t waits_since; /* loop time; until it is opened */
    struct list waiting;  /* worker.waiting */
    char peer[ADDR_TEXT_MAX];
};

struct worker {
    struct worker_config config;
    struct loop loop;
    struct mailbox box;
    struct grpc_server *server;
    struct stream_env env;
    struct csds csds;
    struct acks_timer acks;
    struct map calls;    /* by the bytes of call.id */
    struct list waiting; /* calls without a request, oldest first */
    struct loop_task pump;
    uv_timer_t step;
    enum tidy tidy;
    uv_timer_t stop;
    bool stopping;
    uint64_t stop_at; /* loop time */
    uint64_t last_id;
    VEC(struct piece) pieces; /* scratch */
};

static struct str id_key(const stream_id *id)
{
    return str_span((const char *)id, sizeof(*id));
}

static struct call *find_call(const struct worker *worker, stream_id id)
{
    return map_get(&worker->calls, id_key(&id));
}

static void tell(struct worker *worker, struct letter *letter)
{
    letter->worker = worker->config.index;
    mailbox_post(worker->config.events, &letter->mail);
}

static void tell_acks(void *user, struct letter *letter)
{
    tell(user, letter);
}

static void pump_soon(struct worker *worker)
{
    loop_task_soon(&worker->loop, &worker->pump);
}

static void run_pump(struct loop_task *task)
{
    struct worker *worker = list_entry(task, struct worker, pump);
    streams_pump(&worker->env);
    acks_timer_stir(&worker->acks);
}

/* --- what streams ask for -------------------------------------------------------------------- */

static bool on_send(struct stream *stream, const struct response *response)
{
    const struct call *call = stream->user;
    struct worker *worker = call->worker;
    vec_clear(&worker->pieces);
    vec_reserve(&worker->pieces, response->pieces.len);
    for (size_t i = 0; i < response->pieces.len; i++) {
        const struct response_piece *piece = &response->pieces.items[i];
        vec_push(&worker->pieces, ((struct piece){piece->blob, piece->bytes}));
    }
    if (response->bytes >= BURST_BYTES) {
        worker->tidy = TIDY_BUSY;
    }
    return grpc_send(call->grpc, worker->pieces.items, worker->pieces.len);
}

static size_t on_queued(const struct stream *stream)
{
    return grpc_call_queued(((const struct call *)stream->user)->grpc);
}

/* Who has shown a certificate that the TLS context trusts. */
static struct str identity_of(const struct call *call, struct arena *arena)
{
    struct buf uri;
    buf_init(&uri, IDENTITY_MAX);
    bool has = grpc_call_peer_uri(call->grpc, &uri) && buf_ok(&uri);
    struct str identity = has ? arena_str(arena, buf_str(&uri)) : STR_NULL;
    buf_release(&uri);
    return identity;
}

static void on_opened(struct stream *stream, struct node *node)
{
    struct call *call = stream->user;
    node->identity = identity_of(call, &node->arena);
    list_remove(&call->waiting);
    call->opened = true;
    log_at(LOG_DEBUG, "serve", "stream opened", KV("node", node->id), KV_TEXT("peer", call->peer));
    struct letter *letter = letter_new(LETTER_OPENED);
    letter->id = call->id;
    letter->opened.node = node;
    letter->opened.peer = arena_str(&letter->arena, str_from(call->peer));
    letter->opened.protocol = stream->kind;
    tell(call->worker, letter);
}

static void on_interest(struct stream_env *env, enum xds_type type, struct str scope,
                        struct str name, bool wanted)
{
    struct letter *letter = letter_new(LETTER_INTEREST);
    letter->interest.type = type;
    letter->interest.scope = arena_str(&letter->arena, scope);
    letter->interest.name = arena_str(&letter->arena, name);
    letter->interest.wanted = wanted;
    tell(env->user, letter);
}

static void tell_verdict(struct stream *stream, enum letter_kind kind, enum xds_type type,
                         struct resource *const *of, size_t nof, struct str text)
{
    const struct call *call = stream->user;
    struct letter *letter = letter_new(kind);
    letter->id = call->id;
    letter->verdict.type = type;
    letter->verdict.of = ARENA_ARRAY(&letter->arena, nof, struct resource *);
    letter->verdict.nof = nof;
    for (size_t i = 0; i < nof; i++) {
        letter->verdict.of[i] = resource_ref(of[i]);
    }
    letter->verdict.text = arena_str(&letter->arena, text);
    tell(call->worker, letter);
}

static void on_rejected(struct stream *stream, enum xds_type type, struct resource *const *of,
                        size_t nof, struct str text)
{
    tell_verdict(stream, LETTER_REJECTED, type, of, nof, text);
}

static void on_accepted(struct stream *stream, enum xds_type type, struct resource *const *of,
                        size_t nof)
{
    tell_verdict(stream, LETTER_ACCEPTED, type, of, nof, STR_NULL);
}

static void on_dropped(struct stream *stream, enum xds_type type, struct str name)
{
    const struct call *call = stream->user;
    struct letter *letter = letter_new(LETTER_DROPPED);
    letter->id = call->id;
    letter->dropped.type = type;
    letter->dropped.name = arena_str(&letter->arena, name);
    tell(call->worker, letter);
}

static void on_end(struct stream *stream, enum stream_status status, struct str text)
{
    grpc_finish(((const struct call *)stream->user)->grpc, (enum grpc_status)status, text);
}

static const struct stream_ops stream_ops = {
    on_send, on_queued, on_opened, on_interest, on_rejected, on_accepted, on_dropped, on_end,
};

/* --- calls ----------------------------------------------------------------------------------- */

static enum metric_id streams_metric(const struct call *call)
{
    return call->stream->kind == STREAM_DELTA ? M_xds_streams_delta : M_xds_streams_sotw;
}

static void open_call(struct worker *worker, struct grpc_call *grpc, enum stream_protocol protocol)
{
    if (worker->stopping) {
        grpc_finish(grpc, GRPC_UNAVAILABLE, STR("the control plane stops"));
        return;
    }
    if (atomic_fetch_add(worker->config.nstreams, 1) >= worker->config.limits.streams) {
        atomic_fetch_sub(worker->config.nstreams, 1);
        metric_add(M_xds_refused_streams, 1);
        log_at(LOG_WARN, "serve", "too many streams",
               KV_INT("streams", worker->config.limits.streams));
        grpc_finish(grpc, GRPC_RESOURCE_EXHAUSTED,
                    STR("too many streams are open (limit streams)"));
        return;
    }
    struct call *call = xcalloc(1, sizeof(*call));
    call->worker = worker;
    call->grpc = grpc;
    struct peer *peer = grpc_call_tag(grpc);
    call->stream = stream_new(&worker->env, protocol, &peer->names, call);
    call->id = (uint64_t)worker->config.index << STREAM_ID_SHIFT | ++worker->last_id;
    call->opened_ms = clock_wall_ms();
    call->waits_since = loop_now_ms(&worker->loop);
    addr_text(grpc_call_peer(grpc), call->peer);
    list_append(&worker->waiting, &call->waiting);
    (void)map_put(&worker->calls, id_key(&call->id), call);
    grpc_call_set_user(grpc, call);
    metric_add(streams_metric(call), 1);
}

static void on_sotw_open(void *user, struct grpc_call *grpc)
{
    open_call(user, grpc, STREAM_SOTW);
}

static void on_delta_open(void *user, struct grpc_call *grpc)
{
    open_call(user, grpc, STREAM_DELTA);
}

static void on_message(struct grpc_call *grpc, const uint8_t *data, size_t len)
{
    struct call *call = grpc_call_user(grpc);
    if (call != NULL) {
        stream_receive(call->stream, str_span((const char *)data, len));
        pump_soon(call->worker);
    }
}

static void on_half_close(struct grpc_call *grpc)
{
    grpc_finish(grpc, GRPC_OK, STR_NULL);
}

static void on_drained(struct grpc_call *grpc)
{
    struct call *call = grpc_call_user(grpc);
    if (call != NULL && stream_drained(call->stream)) {
        pump_soon(call->worker);
    }
}

static void on_closed(struct grpc_call *grpc, const char *reason)
{
    struct call *call = grpc_call_user(grpc);
    if (call == NULL) {
        return;
    }
    struct worker *worker = call->worker;
    log_at(LOG_DEBUG, "serve", "stream closed", KV_TEXT("node", call->stream->node_id),
           KV_TEXT("reason", reason));
    metric_add(streams_metric(call), -1);
    atomic_fetch_sub(worker->config.nstreams, 1);
    if (call->opened) {
        struct letter *letter = letter_new(LETTER_CLOSED);
        letter->id = call->id;
        tell(worker, letter);
    }
    list_remove(&call->waiting);
    (void)map_remove(&worker->calls, id_key(&call->id));
    stream_free(call->stream);
    free(call);
    worker->tidy = TIDY_BUSY;
    acks_timer_stir(&worker->acks);
}

static void tell_conn_closed(struct worker *worker, struct peer *account)
{
    struct letter *letter = letter_new(LETTER_CONN_CLOSED);
    letter->account = account;
    tell(worker, letter);
}

static void on_conn_closed(void *user, void *tag, const struct sockaddr_storage *peer,
                           const char *reason)
{
    char text[ADDR_TEXT_MAX];
    addr_text(peer, text);
    log_at(LOG_DEBUG, "serve", "connection closed", KV_TEXT("peer", text),
           KV_TEXT("reason", reason));
    tell_conn_closed(user, tag);
}

static const struct grpc_handler sotw_handler = {on_sotw_open, on_message, on_half_close,
                                                 on_drained, on_closed};
static const struct grpc_handler delta_handler = {on_delta_open, on_message, on_half_close,
                                                  on_drained, on_closed};
static void on_status_open(void *user, struct grpc_call *grpc)
{
    struct worker *worker = user;
    csds_open(&worker->csds, grpc, false, loop_now_ms(&worker->loop));
}

static void on_fetch_open(void *user, struct grpc_call *grpc)
{
    struct worker *worker = user;
    csds_open(&worker->csds, grpc, true, loop_now_ms(&worker->loop));
}

static const struct grpc_handler status_handler = {on_status_open, csds_message, csds_half_close,
                                                   NULL, csds_closed};
static const struct grpc_handler fetch_handler = {on_fetch_open, csds_message, csds_half_close,
                                                  NULL, csds_closed};
static const struct grpc_method methods[] = {
    {WORKER_SERVICE "StreamAggregatedResources", &sotw_handler},
    {WORKER_SERVICE "DeltaAggregatedResources", &delta_handler},
    {STATUS_SERVICE "StreamClientStatus", &status_handler},
    {STATUS_SERVICE "FetchClientStatus", &fetch_handler},
};

static void finish_call(const struct call *call, enum grpc_status status, struct str text)
{
    call->stream->ended = true; /* says nothing more until it is closed */
    grpc_finish(call->grpc, status, text);
}

static void end_silent_calls(struct worker *worker)
{
    uint64_t now = loop_now_ms(&worker->loop);
    while (!list_empty(&worker->waiting)) {
        struct call *call = list_entry(worker->waiting.next, struct call, waiting);
        if (now - call->waits_since < worker->config.limits.node_wait_ms) {
            break;
        }
        list_remove(&call->waiting);
        metric_add(M_xds_refused_node_wait, 1);
        finish_call(call, GRPC_DEADLINE_EXCEEDED,
                    STR("no request came in time (limit node_wait_ms)"));
    }
}

static void tidy_memory(struct worker *worker)
{
    if (worker->tidy == TIDY_BUSY) {
        worker->tidy = TIDY_DUE;
    } else if (worker->tidy == TIDY_DUE) {
        worker->tidy = TIDY_CLEAN;
        xtrim();
    }
}

static void on_step(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    end_silent_calls(worker);
    streams_ask_again(&worker->env);
    csds_step(&worker->csds, loop_now_ms(&worker->loop));
    tidy_memory(worker);
}

/* --- letters --------------------------------------------------------------------------------- */

static void adopt(struct worker *worker, struct letter *letter)
{
    if (worker->stopping) {
        tell_conn_closed(worker, letter->adopt.account);
        return; /* closed with the letter */
    }
    grpc_server_accept(worker->server, letter->adopt.fd, &letter->adopt.peer, letter->adopt.tls,
                       letter->adopt.account);
    letter->adopt.fd = -1;
}

static void copy_report(struct arena *arena, struct stream_report *report, const struct call *call)
{
    report->id = call->id;
    report->opened_ms = call->opened_ms;
    report->node_id = arena_str(arena, report->node_id);
    report->peer = arena_str(arena, str_from(call->peer));
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        struct stream_type_report *type = &report->types[t];
        type->last_version = arena_str(arena, type->last_version);
        type->reject_text = arena_str(arena, type->reject_text);
    }
}

static void report(struct worker *worker, const struct letter *ask)
{
    struct letter *letter = letter_new(LETTER_REPORT);
    letter->report.job = ask->ask.job;
    letter->report.reports = ARENA_ARRAY(&letter->arena, worker->calls.len, struct stream_report);
    for (size_t i = map_next(&worker->calls, 0); i < worker->calls.cap;
         i = map_next(&worker->calls, i + 1)) {
        const struct call *call = worker->calls.slots[i].value;
        bool asked =
            ask->ask.node_id.len == 0 || str_eq(ask->ask.node_id, str_from(call->stream->node_id));
        if (call->opened && asked) {
            struct stream_report *r = &letter->report.reports[letter->report.len++];
            stream_report_fill(call->stream, ask->ask.resources, &letter->arena, r);
            copy_report(&letter->arena, r, call);
        }
    }
    tell(worker, letter);
}

static void finish_stop(struct worker *worker)
{
    uv_timer_stop(&worker->stop);
    uv_close((uv_handle_t *)&worker->stop, NULL);
    uv_close((uv_handle_t *)&worker->step, NULL);
    acks_timer_close(&worker->acks);
    grpc_server_free(worker->server);
    worker->server = NULL;
    mailbox_close(&worker->box);
    loop_stop(&worker->loop);
}

static void on_stop_step(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    if (grpc_server_conns(worker->server) == 0 || loop_now_ms(&worker->loop) >= worker->stop_at) {
        finish_stop(worker);
    }
}

static void begin_stop(struct worker *worker, unsigned grace_ms)
{
    worker->stopping = true;
    worker->stop_at = loop_now_ms(&worker->loop) + grace_ms;
    grpc_server_shutdown(worker->server);
    csds_stop(&worker->csds);
    for (size_t i = map_next(&worker->calls, 0); i < worker->calls.cap;
         i = map_next(&worker->calls, i + 1)) {
        const struct call *call = worker->calls.slots[i].value;
        finish_call(call, GRPC_UNAVAILABLE, STR("the control plane stops"));
    }
    uv_timer_start(&worker->stop, on_stop_step, STOP_STEP_MS, STOP_STEP_MS);
}

static void about_stream(struct worker *worker, const struct letter *letter)
{
    struct call *call = find_call(worker, letter->id);
    if (call == NULL) {
        return; /* it ended meanwhile */
    }
    if (letter->kind == LETTER_VIEW) {
        stream_set_view(call->stream, &letter->view);
        pump_soon(worker);
    } else {
        finish_call(call, (enum grpc_status)letter->refuse.status, letter->refuse.text);
    }
}

static void on_letter(void *owner, struct mail *mail)
{
    struct worker *worker = owner;
    struct letter *letter = mail_entry(mail, struct letter, mail);
    switch (letter->kind) {
    case LETTER_ADOPT:
        adopt(worker, letter);
        break;
    case LETTER_CHANGES:
        stream_env_apply(&worker->env, letter->changes);
        pump_soon(worker);
        break;
    case LETTER_VIEW:
    case LETTER_REFUSE:
        about_stream(worker, letter);
        break;
    case LETTER_ASK:
        report(worker, letter);
        break;
    case LETTER_COUNT:
        csds_count(&worker->csds, letter);
        break;
    case LETTER_CENSUS:
        csds_answer(&worker->csds, letter);
        break;
    case LETTER_WATCH:
        acks_watch(&worker->acks.watches, letter->watch.id, letter->watch.names, letter->watch.len);
        acks_timer_stir(&worker->acks);
        break;
    case LETTER_UNWATCH:
        acks_unwatch(&worker->acks.watches, letter->watch.id);
        break;
    case LETTER_STOP:
        begin_stop(worker, letter->grace_ms);
        break;
    default:
        panic("a worker cannot read letter kind %d", (int)letter->kind);
    }
    letter_free(letter);
}

/* --- life ------------------------------------------------------------------------------------ */

static struct grpc_options grpc_options(const struct serve_limits *limits)
{
    return (struct grpc_options){
        .methods = methods,
        .nmethods = sizeof(methods) / sizeof(methods[0]),
        .message_max = limits->request_bytes,
        /* A response is begun only below queued_bytes; a whole state is the largest one. */
        .queue_max = (size_t)limits->whole_state_bytes + limits->response_bytes +
                     limits->queued_bytes + (1u << 20),
        .h2 = {.streams_max = limits->streams_per_connection,
               .ping_interval_ms = limits->keepalive_ms,
               .ping_timeout_ms = limits->keepalive_timeout_ms},
        .on_conn_closed = on_conn_closed,
    };
}

bool worker_start(const struct worker_config *config, struct worker **ret_worker, struct err *err)
{
    struct worker *worker = xcalloc(1, sizeof(*worker));
    char name[LOOP_NAME_MAX];
    worker->config = *config;
    (void)snprintf(name, sizeof(name), "worker-%u", config->index);
    if (!loop_init(&worker->loop, name, err)) {
        free(worker);
        return false;
    }
    const struct grpc_options options = grpc_options(&config->limits);
    mailbox_init(&worker->box, &worker->loop, on_letter, worker);
    stream_env_init(&worker->env, &config->limits, &stream_ops, config->names, worker);
    worker->env.report_acks = config->report_acks;
    acks_timer_init(&worker->acks, &worker->loop, &worker->env, tell_acks, worker);
    csds_init(&worker->csds, &worker->env, config->events, config->index, config->csds);
    worker->server = grpc_server_new(&worker->loop, &options, worker);
    list_init(&worker->waiting);
    loop_task_init(&worker->pump, run_pump);
    (void)uv_timer_init(&worker->loop.uv, &worker->step);
    (void)uv_timer_init(&worker->loop.uv, &worker->stop);
    worker->step.data = worker->stop.data = worker;
    (void)uv_timer_start(&worker->step, on_step, STEP_MS, STEP_MS);
    if (!loop_start(&worker->loop, err)) {
        finish_stop(worker);
        worker_join(worker);
        return false;
    }
    *ret_worker = worker;
    return true;
}

void worker_post(struct worker *worker, struct letter *letter)
{
    mailbox_post(&worker->box, &letter->mail);
}

void worker_join(struct worker *worker)
{
    loop_join(&worker->loop);
    loop_task_cancel(&worker->pump);
    loop_release(&worker->loop);
    mailbox_release(&worker->box, letter_drop);
    acks_release(&worker->acks.watches);
    stream_env_release(&worker->env);
    ASSERT(worker->calls.len == 0 && worker->csds.ncalls == 0);
    map_release(&worker->calls);
    vec_release(&worker->pieces);
    free(worker);
}
