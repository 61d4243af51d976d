/* SPDX-License-Identifier: Apache-2.0 */
/* stream: requests in, responses out; see stream.h. */
#include "serve/stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "codec/pb.h"
#include "serve/ads_order.h"

#define END_TEXT_MAX 256
#define NONCE_TEXT_MAX 24
/* Each step of a pump puts a response in flight or finds nothing to send; see streams_pump(). */
#define PUMP_STEPS_MAX (4 * XDS_TYPE_COUNT + UNANSWERED_MAX)

/* --- the environment ------------------------------------------------------------------------- */

static void make_ready(struct stream *stream)
{
    if (list_empty(&stream->ready)) {
        list_append(&stream->env->ready, &stream->ready);
    }
}

static void on_changed(void *user, uint32_t slot, enum xds_type type, uint32_t id,
                       const struct resource *before, const struct resource *after)
{
    struct stream_env *env = user;
    struct stream *stream = env->by_slot.items[slot];
    subscription_changed(&stream->subs[type], id, before, after);
    make_ready(stream);
}

void stream_env_init(struct stream_env *env, const struct serve_limits *limits,
                     const struct stream_ops *ops, _Atomic unsigned *names, void *user)
{
    *env = (struct stream_env){.limits = *limits, .ops = ops, .names = names, .user = user};
    replica_init(&env->replica, on_changed, env);
    list_init(&env->ready);
    interest_init(&env->interest);
    response_init(&env->response);
}

void stream_env_release(struct stream_env *env)
{
    ASSERT(list_empty(&env->ready) && env->ndenied == 0);
    replica_release(&env->replica);
    interest_release(&env->interest);
    response_release(&env->response);
    bitmap_release(&env->listed);
    vec_release(&env->by_slot);
    vec_release(&env->of);
}

void stream_env_apply(struct stream_env *env, const struct changeset *changeset)
{
    replica_apply(&env->replica, changeset);
}

/* --- life ------------------------------------------------------------------------------------ */

static void on_dropped(void *user, const struct subscription *sub, uint32_t id)
{
    struct stream *stream = user;
    stream->env->ops->dropped(stream, sub->type, replica_name(sub->replica, sub->type, id));
}

struct stream *stream_new(struct stream_env *env, enum stream_protocol protocol,
                          _Atomic unsigned *peer_names, void *user)
{
    struct stream *s = xcalloc(1, sizeof(*s));
    s->env = env;
    s->kind = protocol;
    s->protocol = protocol == STREAM_DELTA ? &delta_protocol : &sotw_protocol;
    s->peer_names = peer_names;
    s->user = user;
    s->slot = REPLICA_NONE;
    s->response_bytes = env->limits.response_bytes;
    buf_init(&s->node, BUF_UNLIMITED);
    list_init(&s->ready);
    list_init(&s->held);
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        subscription_init(&s->subs[t], &env->replica, (enum xds_type)t, protocol, on_dropped, s);
    }
    return s;
}

static void free_held(struct stream *stream)
{
    list_for_each_safe (it, &stream->held) {
        list_remove(it);
        request_free(list_entry(it, struct request, link));
    }
}

void stream_free(struct stream *stream)
{
    if (stream == NULL) {
        return;
    }
    if (stream->slot != REPLICA_NONE) {
        demand_remove_all(stream);
    }
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        subscription_release(&stream->subs[t]);
    }
    if (stream->slot != REPLICA_NONE) {
        replica_detach(&stream->env->replica, stream->slot);
        stream->env->by_slot.items[stream->slot] = NULL;
    }
    free_held(stream);
    list_remove(&stream->ready);
    free(stream->node_id);
    buf_release(&stream->node);
    free(stream);
}

void stream_end(struct stream *stream, enum stream_status status, const char *fmt, ...)
{
    if (stream->ended) {
        return;
    }
    char text[END_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    stream->ended = true;
    log_at(LOG_WARN, "serve", "stream refused", KV_TEXT("node", stream->node_id),
           KV_TEXT("reason", text));
    stream->env->ops->end(stream, status, str_from(text));
}

/* --- requests -------------------------------------------------------------------------------- */

/* A token bucket that holds two seconds' worth. */
static bool within_rate(struct stream *stream)
{
    uint64_t rate = stream->env->limits.requests_per_second;
    if (rate == 0) {
        return true;
    }
    uint64_t now = clock_mono_ns();
    if (stream->request_due_ns < now) {
        stream->request_due_ns = now;
    }
    stream->request_due_ns += 1000000000u / rate;
    return stream->request_due_ns - now <= 2000000000u;
}

static bool asks_for_something(const struct stream *stream, const struct request *request)
{
    return request->rejects || request->nnames > 0 || request->nunsubscribe > 0 ||
           !hash_eq(request->names_hash, stream->known.names[request->type]);
}

/* An acknowledgement costs the client nothing: its pace is that of our responses, and those of a
 * start with thousands of secrets, which go one a response, are no flood. */
static void give_back(struct stream *stream)
{
    uint64_t rate = stream->env->limits.requests_per_second;
    stream->request_due_ns -= rate > 0 ? 1000000000u / rate : 0;
}

bool stream_add_name(struct stream *stream, struct subscription *sub, struct str name,
                     uint32_t *ret_id)
{
    struct stream_env *env = stream->env;
    bool newly = subscription_add(sub, name, ret_id);
    demand_add(stream, sub, *ret_id, newly);
    if (sub->named.count > env->limits.names_per_type) {
        metric_add(M_xds_refused_names, 1);
        stream_end(stream, STREAM_RESOURCE_EXHAUSTED,
                   "more than %u names of one type are subscribed (limit names_per_type)",
                   env->limits.names_per_type);
        return false;
    }
    return true;
}

void stream_remove_name(struct stream *stream, struct subscription *sub, struct str name)
{
    uint32_t id = replica_find(sub->replica, sub->type, name);
    if (id == REPLICA_NONE || !bitmap_test(&sub->named, id)) {
        return;
    }
    demand_remove(stream, sub, id);
    (void)subscription_remove(sub, name);
}

static bool names_fit(struct stream *stream, const struct str *names, size_t len)
{
    unsigned max = stream->env->limits.name_bytes;
    for (size_t i = 0; i < len; i++) {
        if (names[i].len > max) {
            metric_add(M_xds_refused_names, 1);
            stream_end(stream, STREAM_RESOURCE_EXHAUSTED,
                       "a resource name of %zu bytes is longer than %u (limit name_bytes)",
                       names[i].len, max);
            return false;
        }
    }
    return true;
}

static bool within_limits(struct stream *stream, const struct request *request)
{
    if (!names_fit(stream, request->names, request->nnames) ||
        !names_fit(stream, request->unsubscribe, request->nunsubscribe)) {
        return false;
    }
    for (size_t i = 0; i < request->ninitial; i++) {
        if (!names_fit(stream, &request->initial[i].name, 1)) {
            return false;
        }
    }
    unsigned max = stream->env->limits.names_per_type;
    if (request->ninitial > max || request->nnames > max) {
        metric_add(M_xds_refused_names, 1);
        stream_end(stream, STREAM_RESOURCE_EXHAUSTED,
                   "a request holds more than %u names (limit names_per_type)", max);
        return false;
    }
    return true;
}

static void handle(struct stream *stream, const struct request *request)
{
    if (!request->known_type) {
        metric_add(M_xds_requests_unknown_type, 1);
        log_at(LOG_DEBUG, "serve", "type is not served", KV_TEXT("node", stream->node_id),
               KV("type_url", request->type_url));
        return;
    }
    if (!within_limits(stream, request)) {
        return;
    }
    struct subscription *sub = &stream->subs[request->type];
    if (stream_acknowledge(stream, sub, request) && !asks_for_something(stream, request)) {
        give_back(stream);
    }
    stream->protocol->subscribe(stream, sub, request);
    sub->requested = true;
    if (!sub->wildcard && sub->named.count == 0) {
        /* Who has left a type altogether may never answer what is in flight (gRPC Java). */
        subscription_answer_all(sub);
        sub->rejected = false;
        sub->forced = false; /* nor would it answer an empty response */
    }
    make_ready(stream);
}

static bool take_node(struct stream *stream, struct request *request)
{
    if (request->node == NULL) {
        stream_end(stream, STREAM_INVALID_ARGUMENT,
                   "the first request of a stream has no node; set node.id in the bootstrap");
        return false;
    }
    struct node *node = request->node;
    request->node = NULL;
    stream->known.node = true;
    stream->node_id = str_dup(node->id);
    if (stream->env->keep_nodes) {
        node_pack(node, &stream->node);
    }
    stream->env->ops->opened(stream, node);
    return true;
}

static void hold(struct stream *stream, struct request *request)
{
    list_append(&stream->held, &request->link);
    stream->held_bytes += request->bytes;
    if (++stream->nheld > STREAM_HELD_MAX ||
        stream->held_bytes > 2 * (size_t)stream->env->limits.request_bytes) {
        metric_add(M_xds_refused_rate, 1);
        stream_end(stream, STREAM_RESOURCE_EXHAUSTED,
                   "more than %d requests wait for the first answer", STREAM_HELD_MAX);
    }
}

void stream_receive(struct stream *stream, struct str bytes)
{
    if (stream->ended) {
        return;
    }
    metric_add(stream->kind == STREAM_DELTA ? M_xds_requests_delta : M_xds_requests_sotw, 1);
    if (!within_rate(stream)) {
        metric_add(M_xds_refused_rate, 1);
        stream_end(stream, STREAM_RESOURCE_EXHAUSTED,
                   "more than %u requests a second (limit requests_per_second)",
                   stream->env->limits.requests_per_second);
        return;
    }
    struct err err;
    struct request *request;
    if (!stream->protocol->decode(bytes, &stream->known, &request, &err)) {
        metric_add(M_xds_requests_malformed, 1);
        stream_end(stream, STREAM_INVALID_ARGUMENT, "%s", err.text);
        return;
    }
    if (!stream->known.node && !take_node(stream, request)) {
        request_free(request);
    } else if (stream->slot == REPLICA_NONE) {
        hold(stream, request);
    } else {
        handle(stream, request);
        request_free(request);
    }
}

/* --- the view -------------------------------------------------------------------------------- */

static void attach(struct stream *stream, const struct replica_view *view)
{
    struct stream_env *env = stream->env;
    stream->slot = replica_attach(&env->replica, view);
    while (env->by_slot.len <= stream->slot) {
        vec_push(&env->by_slot, NULL);
    }
    env->by_slot.items[stream->slot] = stream;
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        stream->subs[t].slot = stream->slot;
        stream->subs[t].on_demand = view->on_demand[t] >= 0;
    }
}

void stream_set_view(struct stream *stream, const struct view *view)
{
    ASSERT(stream->slot == REPLICA_NONE); /* serve_view(): once */
    ASSERT(view->nscopes <= VIEW_SCOPES_MAX && VIEW_SCOPES_MAX <= REPLICA_SCOPES_MAX);
    struct replica_view chain = {.nscopes = view->nscopes};
    for (unsigned i = 0; i < view->nscopes; i++) {
        chain.scopes[i] = view->scopes[i];
    }
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        chain.on_demand[t] = view->on_demand[t];
    }
    stream->keeps_valid = view->keeps_valid;
    if (view->response_bytes != 0) {
        stream->response_bytes = view->response_bytes;
    }
    attach(stream, &chain);
    while (!list_empty(&stream->held)) {
        struct request *request = list_entry(stream->held.next, struct request, link);
        list_remove(&request->link);
        if (!stream->ended) {
            handle(stream, request);
        }
        request_free(request);
    }
    make_ready(stream);
}

/* --- responses ------------------------------------------------------------------------------- */

void stream_put_dirty(struct stream *stream, struct subscription *sub)
{
    struct response *response = &stream->env->response;
    bool delta = stream->kind == STREAM_DELTA;
    bool alone = false;
    bitmap_for_each (id, &sub->dirty) {
        if (subscription_goes_first(sub, id) || bitmap_test(&sub->sent, id)) {
            continue; /* in flight: of each resource one at a time */
        }
        const struct resource *resource = replica_wanted(sub->replica, sub->slot, sub->type, id);
        size_t len = resource != NULL ? resource->entry->len : 0;
        bool full =
            response_len(response) > 0 && response_len(response) + len > stream->response_bytes;
        if (full || (alone && resource != NULL)) {
            break; /* the rest goes after the ACK of this part */
        }
        if (resource == NULL) {
            ASSERT(delta);
            (void)bitmap_clear(&sub->dirty, id);
            pb_put_bytes(&response->own, DELTA_REMOVED_RESOURCES,
                         replica_name(sub->replica, sub->type, id));
            continue;
        }
        if (delta) {
            response_put_delta(response, resource);
        } else {
            response_put_sotw(response, resource);
        }
        stream_sent_put(stream, sub, id, resource);
        alone = xds_type_info(sub->type)->alone;
    }
}

void stream_sent_put(struct stream *stream, struct subscription *sub, uint32_t id,
                     const struct resource *resource)
{
    subscription_put_sent(sub, id);
    if (resource->follow.len > 0) {
        subscription_follow(&stream->subs[XDS_EDS], resource->follow);
    }
}

static void put_tail(struct response *response, const struct stream_tail *tail,
                     const struct subscription *sub)
{
    static const char control_plane[] = "\x0a\x06heddle"; /* ControlPlane.identifier */
    char nonce[NONCE_TEXT_MAX];
    (void)snprintf(nonce, sizeof(nonce), "%llu", (unsigned long long)sub->nonce);
    pb_put_bytes(&response->own, tail->type_url, xds_type_info(sub->type)->url);
    pb_put_bytes(&response->own, tail->nonce, str_from(nonce));
    pb_put_bytes(&response->own, tail->control_plane, str_from(control_plane));
    response_finish(response);
}

void stream_send(struct stream *stream, struct subscription *sub, const struct stream_tail *tail)
{
    struct response *response = &stream->env->response;
    sub->forced = false;
    subscription_sent(sub, ++stream->last_nonce);
    put_tail(response, tail, sub);
    sub->nsent++;
    sub->bytes += response->bytes;
    sub->last_sent_ms = clock_wall_ms();
    metric_add((enum metric_id)(M_xds_responses_sds + sub->type), 1);
    metric_add((enum metric_id)(M_xds_response_bytes_sds + sub->type), (int64_t)response->bytes);
    if (!stream->env->ops->send(stream, response)) {
        stream_end(stream, STREAM_RESOURCE_EXHAUSTED, "a response of %zu bytes cannot be queued",
                   response->bytes);
    }
}

static void pump(struct stream *stream)
{
    const struct stream_env *env = stream->env;
    struct ads_step step;
    stream->stalled = false;
    for (unsigned i = 0; i < PUMP_STEPS_MAX && !stream->ended && stream->slot != REPLICA_NONE;
         i++) {
        if (!ads_order_next(stream->subs, &step)) {
            break;
        }
        if (env->ops->queued(stream) >= env->limits.queued_bytes) {
            stream->stalled = true;
            break;
        }
        stream->protocol->respond(stream, &stream->subs[step.type], step.removals);
    }
}

void streams_pump(struct stream_env *env)
{
    while (!list_empty(&env->ready)) {
        struct stream *stream = list_entry(env->ready.next, struct stream, ready);
        list_remove(&stream->ready);
        pump(stream);
    }
}

bool stream_drained(struct stream *stream)
{
    bool stalled = stream->stalled;
    if (stalled) {
        make_ready(stream);
    }
    return stalled;
}
