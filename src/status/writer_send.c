/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_send: when an object is looked at, and what is sent.
 *
 *   AT_REST ──queue──► WAITING ──due──► READY ──┬─ nothing to write ──► AT_REST
 *                         ▲                     └─ IN_FLIGHT ──┬─ written ──► AT_REST
 *                         └──────── failed, conflict ──────────┘
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "codec/doc_json.h"
#include "status/writer_internal.h"

#define COMPARED_MAX 200   /* in one turn of the loop, which others wait for */
#define CLEAN_WAIT_MS 1000 /* until it is looked at again whether the store had its turn */

/* --- the queue ----------------------------------------------------------------------------- */

static uint64_t now_of(const struct status_writer *writer)
{
    return loop_now_ms(writer->loop);
}

static void wake_at(struct status_writer *writer, uint64_t due_ms)
{
    uint64_t now = now_of(writer);
    uint64_t wait = due_ms > now ? due_ms - now : 0;
    if (!uv_is_active((uv_handle_t *)&writer->timer) ||
        uv_timer_get_due_in(&writer->timer) > wait) {
        uv_timer_start(&writer->timer, writer_tick, wait, 0);
    }
}

static void set_phase(struct subject *subject, enum phase phase)
{
    struct status_writer *writer = subject->writer;
    writer->pending -= subject->phase != AT_REST;
    writer->pending += phase != AT_REST;
    metric_set(M_status_pending, writer->pending);
    list_remove(&subject->link);
    subject->phase = phase;
    if (phase == WAITING) {
        list_append(&writer->waiting, &subject->link);
    } else if (phase == READY) {
        list_append(&writer->ready, &subject->link);
    }
}

static void wait_until(struct subject *subject, uint64_t due_ms)
{
    subject->due_ms = due_ms;
    set_phase(subject, WAITING);
    wake_at(subject->writer, due_ms);
}

void subject_queue(struct subject *subject, uint64_t delay_ms)
{
    struct status_writer *writer = subject->writer;
    uint64_t due = now_of(writer) + delay_ms;
    if (!writer->leads || writer->turns == 0) {
        return; /* all are queued when that turns */
    }
    if (subject->phase == IN_FLIGHT) {
        subject->again = true;
    } else if (subject->phase == AT_REST) {
        subject->queued_ms = now_of(writer);
        wait_until(subject, due);
    } else if (subject->phase == WAITING && subject->backoff.failures == 0 &&
               due < subject->due_ms) {
        wait_until(subject, due);
    }
}

static void flight_free(struct flight *flight)
{
    arena_release(&flight->arena);
    free(flight);
}

static void land(struct subject *subject)
{
    struct flight *flight = subject->flight;
    subject->flight = NULL;
    subject->writer->in_flight--;
    flight_free(flight);
}

void subject_rest(struct subject *subject)
{
    if (subject->flight != NULL) {
        kube_cancel(subject->flight->call);
        land(subject);
    }
    subject->again = false;
    subject->unsaid_ms = 0;
    backoff_reset(&subject->backoff);
    set_phase(subject, AT_REST);
}

/* --- requests ------------------------------------------------------------------------------ */

/* "/apis/gateway.networking.k8s.io/v1/namespaces/a/httproutes/echo"; names need no escapes. */
static struct str path_of(const struct subject *subject, struct arena *arena)
{
    const char *version = subject->writer->versions[subject->kind];
    bool core = str_index(str_from(version), '/') == str_from(version).len;
    struct str in = subject->ns.len > 0
                        ? arena_printf(arena, "namespaces/%.*s/", STR_FMT(subject->ns))
                        : STR_NULL;
    return arena_printf(arena, "/%s/%s/%.*s%s/%.*s", core ? "api" : "apis", version, STR_FMT(in),
                        kind_info(subject->kind)->plural, STR_FMT(subject->name));
}

static void launch(struct subject *subject, struct flight *flight, struct kube_spec *spec)
{
    spec->user = flight;
    flight->subject = subject;
    subject->flight = flight;
    subject->again = false;
    subject->writer->in_flight++;
    set_phase(subject, IN_FLIGHT);
    flight->call = kube_send(subject->writer->kube, spec);
}

static struct flight *flight_new(void)
{
    struct flight *flight = xcalloc(1, sizeof(*flight));
    arena_init_sized(&flight->arena, 2048);
    return flight;
}

/* The object is in the answer: what it says is newer than what was known. */
static void learn_answer(struct subject *subject, struct str body)
{
    struct arena arena;
    struct doc_node *object;
    arena_init(&arena);
    if (doc_json_parse(&arena, body, DOC_NODES_MAX, &object, NULL)) {
        subject_learn(subject, object);
    }
    arena_release(&arena);
}

static void try_again(struct subject *subject, const struct kube_result *result)
{
    uint64_t wait = backoff_next(&subject->backoff);
    log_at(LOG_WARN, "status", "a status could not be written", KV_TEXT("object", subject->key),
           KV_INT("status", result->status), KV("reason", result->reason),
           KV("message", result->message), KV_INT("wait_ms", wait));
    wait_until(subject, now_of(subject->writer) +
                            (wait > result->retry_after_ms ? wait : result->retry_after_ms));
}

/* --- writing ------------------------------------------------------------------------------- */

static void pump(struct status_writer *writer);

static void written(struct subject *subject, const struct kube_result *result)
{
    bool again = subject->again;
    metric_add(M_status_written, 1);
    log_at(LOG_DEBUG, "status", "written", KV_TEXT("object", subject->key));
    subject->written_ms = now_of(subject->writer);
    subject_tell(subject, &subject->flight->merge);
    land(subject);
    learn_answer(subject, result->body);
    subject_rest(subject);
    if (again) {
        subject_queue(subject, STATUS_DELAY_MS);
    }
}

/* It is not there any more; but what was seen while the write was on the way may be another one of
 * its name, made after it. */
static void missed(struct subject *subject)
{
    bool again = subject->again;
    land(subject);
    if (!again) {
        subject_forget(subject);
        return;
    }
    subject_rest(subject);
    subject_queue(subject, STATUS_DELAY_MS);
}

static void patched(void *user, const struct kube_result *result)
{
    struct subject *subject = ((struct flight *)user)->subject;
    struct status_writer *writer = subject->writer;
    if (result->status / 100 == 2) {
        written(subject, result);
    } else if (result->status == 404) {
        missed(subject);
    } else if (result->status == 409) {
        metric_add(M_status_conflicts, 1);
        land(subject);
        subject->stale = true; /* the watch is about to bring what is newer */
        wait_until(subject, now_of(writer) + backoff_next(&subject->backoff));
    } else {
        metric_add(M_status_failures, 1);
        land(subject);
        try_again(subject, result);
    }
    pump(writer);
}

static void patch(struct subject *subject, struct flight *flight, struct str status)
{
    struct buf body;
    struct json json;
    buf_init(&body, BUF_UNLIMITED);
    json_init(&json, &body, 0);
    json_open(&json, '{');
    json_key(&json, "metadata");
    json_open(&json, '{');
    json_key(&json, "resourceVersion");
    json_text(&json, subject->version);
    json_close(&json, '}');
    json_key(&json, "status");
    json_raw(&json, status);
    json_close(&json, '}');
    struct kube_spec spec = {
        .method = "PATCH",
        .path =
            arena_printf(&flight->arena, "%.*s/status", STR_FMT(path_of(subject, &flight->arena))),
        .content_type = STR(KUBE_MERGE_PATCH),
        .body = buf_str(&body),
        .done = patched,
    };
    launch(subject, flight, &spec);
    buf_release(&body);
}

/* --- comparing ----------------------------------------------------------------------------- */

static struct doc_node *parse(struct arena *arena, struct str text)
{
    struct doc_node *node = NULL;
    bool ok = text.len == 0 || doc_json_parse(arena, text, SIZE_MAX, &node, NULL);
    ASSERT(ok); /* heddle wrote it, others' part from what was parsed before */
    return node;
}

static bool is_withdrawn(const struct subject *subject)
{
    const struct status_writer *writer = subject->writer;
    return subject->withdrawal != NULL &&
           (writer->unclear == NULL ||
            !writer->unclear(writer->user, subject->kind, subject->ns, subject->name));
}

/* Merges into the flight, whose texts it uses. */
static void compare(struct subject *subject, struct flight *flight, struct buf *status,
                    bool *ret_said)
{
    struct buf text;
    struct json json;
    buf_init(&text, BUF_UNLIMITED);
    json_init(&json, &text, 0);
    *ret_said = status_store_render_one(subject->writer->store, subject->kind, subject->ns,
                                        subject->name, &json);
    const struct doc_node *wanted = parse(&flight->arena, buf_str(&text));
    const struct doc_node *seen = parse(&flight->arena, str_from(subject->part));
    json_init(&json, status, 0);
    json_open(&json, '{');
    status_merge(seen, wanted, &json, &flight->merge);
    json_close(&json, '}');
    buf_release(&text);
    if (!*ret_said && is_withdrawn(subject)) {
        buf_clear(status);
        buf_add_str(status, str_from(subject->withdrawal));
        flight->merge = (struct merge){.differs = true, .urgent = true};
    }
}

/* Until when a write has to wait; said: there is something to say of the object. */
static uint64_t not_before(const struct subject *subject, const struct merge *merge, bool said)
{
    uint64_t now = now_of(subject->writer);
    uint64_t withdraw_ms = subject->unsaid_ms + subject->writer->withdraw_ms;
    if (!said && subject->turn >= subject->writer->turns) {
        return now + CLEAN_WAIT_MS; /* it may not have been said yet */
    }
    if (!said && now < withdraw_ms && is_withdrawn(subject)) {
        return withdraw_ms;
    }
    if (status_store_unsettled(subject->writer->store, subject->kind, subject->ns, subject->name) &&
        now < subject->queued_ms + STATUS_SETTLE_MS) {
        return subject->queued_ms + STATUS_SETTLE_MS; /* or sooner: it is told when that turns */
    }
    return merge->urgent || subject->written_ms == 0 ? 0 : subject->written_ms + STATUS_WORDS_MS;
}

static void note_whether_said(struct subject *subject, bool said)
{
    if (said) {
        subject->unsaid_ms = 0;
    } else if (subject->unsaid_ms == 0) {
        subject->unsaid_ms = now_of(subject->writer);
    }
}

/* Compares, and sends what differs. */
static void look_at(struct subject *subject)
{
    struct flight *flight = flight_new();
    struct buf status;
    bool said;
    buf_init(&status, BUF_UNLIMITED);
    compare(subject, flight, &status, &said);
    note_whether_said(subject, said);
    uint64_t due_ms = not_before(subject, &flight->merge, said);
    subject_tell_dropped(subject, flight->merge.dropped);
    if (!flight->merge.differs || flight->merge.newer) {
        subject_rest(subject);
    } else if (due_ms > now_of(subject->writer)) {
        wait_until(subject, due_ms);
    } else {
        patch(subject, flight, buf_str(&status));
    }
    if (subject->flight != flight) {
        flight_free(flight);
    }
    buf_release(&status);
}

static void pump(struct status_writer *writer)
{
    unsigned compared = 0;
    while (!list_empty(&writer->ready) && writer->in_flight < STATUS_WRITES_MAX) {
        if (compared++ == COMPARED_MAX) {
            wake_at(writer, now_of(writer) + 1);
            return;
        }
        look_at(list_entry(writer->ready.next, struct subject, link));
    }
}

void writer_tick(uv_timer_t *timer)
{
    struct status_writer *writer = timer->data;
    uint64_t next = UINT64_MAX;
    list_for_each_safe (it, &writer->waiting) {
        struct subject *subject = list_entry(it, struct subject, link);
        if (subject->due_ms <= now_of(writer)) {
            set_phase(subject, READY);
        } else if (subject->due_ms < next) {
            next = subject->due_ms;
        }
    }
    pump(writer);
    if (next != UINT64_MAX) {
        wake_at(writer, next);
    }
}
