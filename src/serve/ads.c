/* SPDX-License-Identifier: Apache-2.0 */
/* ads: see ads.h. */
#include "serve/ads.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "net/addr.h"
#include "net/peers.h"

#define STREAM_ID_SHIFT 48
#define BURST_BYTES (64u << 10) /* a response of this size is part of a cold start */
#define IDENTITY_MAX 2048       /* bytes of a SPIFFE ID (SPIFFE-ID §2.3); a longer one is none */

struct ads_call {
    struct ads *ads;
    struct grpc_call *grpc;
    struct stream *stream;
    stream_id id;
    bool opened;          /* thread 0 was told */
    uint64_t opened_ms;   /* wall clock */
    uint64_t waits_since; /* loop time; until it is opened */
    struct list waiting;  /* ads.waiting */
    char peer[ADDR_TEXT_MAX];
};

static struct str id_key(const stream_id *id)
{
    return str_span((const char *)id, sizeof(*id));
}

static void tell(struct ads *ads, struct letter *letter)
{
    letter->worker = ads->config.worker;
    mailbox_post(ads->config.events, &letter->mail);
}

static void pump_soon(struct ads *ads)
{
    loop_task_soon(ads->config.loop, &ads->pump);
}

static void run_pump(struct loop_task *task)
{
    struct ads *ads = list_entry(task, struct ads, pump);
    streams_pump(&ads->env);
    acks_timer_stir(ads->config.acks);
}

/* --- what streams ask for -------------------------------------------------------------------- */

static bool on_send(struct stream *stream, const struct response *response)
{
    const struct ads_call *call = stream->user;
    struct ads *ads = call->ads;
    vec_clear(&ads->pieces);
    vec_reserve(&ads->pieces, response->pieces.len);
    for (size_t i = 0; i < response->pieces.len; i++) {
        const struct response_piece *piece = &response->pieces.items[i];
        vec_push(&ads->pieces, ((struct piece){piece->blob, piece->bytes}));
    }
    if (response->bytes >= BURST_BYTES) {
        ads->busy = true;
    }
    return grpc_send(call->grpc, ads->pieces.items, ads->pieces.len);
}

static size_t on_queued(const struct stream *stream)
{
    return grpc_call_queued(((const struct ads_call *)stream->user)->grpc);
}

/* Who has shown a certificate that the TLS context trusts. */
static struct str identity_of(const struct ads_call *call, struct arena *arena)
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
    struct ads_call *call = stream->user;
    node->identity = identity_of(call, &node->arena);
    list_remove(&call->waiting);
    call->opened = true;
    log_at(LOG_DEBUG, "serve", "stream opened", KV("node", node->id), KV_TEXT("peer", call->peer));
    struct letter *letter = letter_new(LETTER_OPENED);
    letter->id = call->id;
    letter->opened.node = node;
    letter->opened.peer = arena_str(&letter->arena, str_from(call->peer));
    letter->opened.protocol = stream->kind;
    tell(call->ads, letter);
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
    const struct ads_call *call = stream->user;
    struct letter *letter = letter_new(kind);
    letter->id = call->id;
    letter->verdict.type = type;
    letter->verdict.of = ARENA_ARRAY(&letter->arena, nof, struct resource *);
    letter->verdict.nof = nof;
    for (size_t i = 0; i < nof; i++) {
        letter->verdict.of[i] = resource_ref(of[i]);
    }
    letter->verdict.text = arena_str(&letter->arena, text);
    tell(call->ads, letter);
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
    const struct ads_call *call = stream->user;
    struct letter *letter = letter_new(LETTER_DROPPED);
    letter->id = call->id;
    letter->dropped.type = type;
    letter->dropped.name = arena_str(&letter->arena, name);
    tell(call->ads, letter);
}

static void on_end(struct stream *stream, enum stream_status status, struct str text)
{
    grpc_finish(((const struct ads_call *)stream->user)->grpc, (enum grpc_status)status, text);
}

static const struct stream_ops stream_ops = {
    on_send, on_queued, on_opened, on_interest, on_rejected, on_accepted, on_dropped, on_end,
};

/* --- calls ----------------------------------------------------------------------------------- */

static enum metric_id streams_metric(const struct ads_call *call)
{
    return call->stream->kind == STREAM_DELTA ? M_xds_streams_delta : M_xds_streams_sotw;
}

void ads_open(struct ads *ads, struct grpc_call *grpc, enum stream_protocol protocol)
{
    if (ads->stopping) {
        grpc_finish(grpc, GRPC_UNAVAILABLE, STR("the control plane stops"));
        return;
    }
    if (atomic_fetch_add(ads->config.nstreams, 1) >= ads->env.limits.streams) {
        atomic_fetch_sub(ads->config.nstreams, 1);
        metric_add(M_xds_refused_streams, 1);
        log_at(LOG_WARN, "serve", "too many streams", KV_INT("streams", ads->env.limits.streams));
        grpc_finish(grpc, GRPC_RESOURCE_EXHAUSTED,
                    STR("too many streams are open (limit streams)"));
        return;
    }
    struct ads_call *call = xcalloc(1, sizeof(*call));
    call->ads = ads;
    call->grpc = grpc;
    struct peer *peer = grpc_call_tag(grpc);
    call->stream = stream_new(&ads->env, protocol, &peer->names, call);
    call->id = (uint64_t)ads->config.worker << STREAM_ID_SHIFT | ++ads->last_id;
    call->opened_ms = clock_wall_ms();
    call->waits_since = loop_now_ms(ads->config.loop);
    addr_text(grpc_call_peer(grpc), call->peer);
    list_append(&ads->waiting, &call->waiting);
    (void)map_put(&ads->calls, id_key(&call->id), call);
    grpc_call_set_user(grpc, call);
    metric_add(streams_metric(call), 1);
}

void ads_message(struct grpc_call *grpc, const uint8_t *data, size_t len)
{
    struct ads_call *call = grpc_call_user(grpc);
    if (call != NULL) {
        stream_receive(call->stream, str_span((const char *)data, len));
        pump_soon(call->ads);
    }
}

void ads_half_close(struct grpc_call *grpc)
{
    grpc_finish(grpc, GRPC_OK, STR_NULL);
}

void ads_drained(struct grpc_call *grpc)
{
    struct ads_call *call = grpc_call_user(grpc);
    if (call != NULL && stream_drained(call->stream)) {
        pump_soon(call->ads);
    }
}

void ads_closed(struct grpc_call *grpc, const char *reason)
{
    struct ads_call *call = grpc_call_user(grpc);
    if (call == NULL) {
        return;
    }
    struct ads *ads = call->ads;
    log_at(LOG_DEBUG, "serve", "stream closed", KV_TEXT("node", call->stream->node_id),
           KV_TEXT("reason", reason));
    metric_add(streams_metric(call), -1);
    atomic_fetch_sub(ads->config.nstreams, 1);
    if (call->opened) {
        struct letter *letter = letter_new(LETTER_CLOSED);
        letter->id = call->id;
        tell(ads, letter);
    }
    list_remove(&call->waiting);
    (void)map_remove(&ads->calls, id_key(&call->id));
    stream_free(call->stream);
    free(call);
    ads->busy = true;
    acks_timer_stir(ads->config.acks);
}

static void finish_call(const struct ads_call *call, enum grpc_status status, struct str text)
{
    call->stream->ended = true; /* says nothing more until it is closed */
    grpc_finish(call->grpc, status, text);
}

void ads_step(struct ads *ads)
{
    uint64_t now = loop_now_ms(ads->config.loop);
    while (!list_empty(&ads->waiting)) {
        struct ads_call *call = list_entry(ads->waiting.next, struct ads_call, waiting);
        if (now - call->waits_since < ads->env.limits.node_wait_ms) {
            break;
        }
        list_remove(&call->waiting);
        metric_add(M_xds_refused_node_wait, 1);
        finish_call(call, GRPC_DEADLINE_EXCEEDED,
                    STR("no request came in time (limit node_wait_ms)"));
    }
}

/* --- letters --------------------------------------------------------------------------------- */

void ads_apply(struct ads *ads, const struct changeset *changeset)
{
    stream_env_apply(&ads->env, changeset);
    pump_soon(ads);
}

void ads_about_stream(struct ads *ads, const struct letter *letter)
{
    struct ads_call *call = map_get(&ads->calls, id_key(&letter->id));
    if (call == NULL) {
        return; /* it ended meanwhile */
    }
    if (letter->kind == LETTER_VIEW) {
        stream_set_view(call->stream, &letter->view);
        pump_soon(ads);
    } else {
        finish_call(call, (enum grpc_status)letter->refuse.status, letter->refuse.text);
    }
}

static void copy_report(struct arena *arena, struct stream_report *report,
                        const struct ads_call *call)
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

void ads_report(struct ads *ads, const struct letter *ask)
{
    struct letter *letter = letter_new(LETTER_REPORT);
    letter->report.job = ask->ask.job;
    letter->report.reports = ARENA_ARRAY(&letter->arena, ads->calls.len, struct stream_report);
    for (size_t i = map_next(&ads->calls, 0); i < ads->calls.cap;
         i = map_next(&ads->calls, i + 1)) {
        const struct ads_call *call = ads->calls.slots[i].value;
        bool asked =
            ask->ask.node_id.len == 0 || str_eq(ask->ask.node_id, str_from(call->stream->node_id));
        if (call->opened && asked) {
            struct stream_report *r = &letter->report.reports[letter->report.len++];
            stream_report_fill(call->stream, ask->ask.resources, &letter->arena, r);
            copy_report(&letter->arena, r, call);
        }
    }
    tell(ads, letter);
}

/* --- life ------------------------------------------------------------------------------------ */

void ads_init(struct ads *ads, const struct ads_config *config)
{
    ads->config = *config;
    stream_env_init(&ads->env, config->limits, &stream_ops, config->names, ads);
    ads->env.report_acks = config->report_acks;
    list_init(&ads->waiting);
    loop_task_init(&ads->pump, run_pump);
}

void ads_stop(struct ads *ads)
{
    ads->stopping = true;
    for (size_t i = map_next(&ads->calls, 0); i < ads->calls.cap;
         i = map_next(&ads->calls, i + 1)) {
        finish_call(ads->calls.slots[i].value, GRPC_UNAVAILABLE, STR("the control plane stops"));
    }
}

void ads_release(struct ads *ads)
{
    ASSERT(ads->calls.len == 0);
    stream_env_release(&ads->env);
    map_release(&ads->calls);
    vec_release(&ads->pieces);
}
