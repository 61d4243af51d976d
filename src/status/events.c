/* SPDX-License-Identifier: Apache-2.0 */
/* events: a short queue of POSTs. */
#include "status/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "codec/json.h"
#include "ir/attachment.h"

#define EVENT_NAME_MAX 230     /* of the object's name; with what follows it is below 253 */
#define EVENT_INSTANCE_MAX 128 /* the API's */

/* What the API server says of a namespace that is being deleted. */
#define TERMINATED "is being terminated"

struct letter {
    struct list link; /* of events->waiting or ->sent */
    struct events *events;
    char *path, *body;
    struct kube_call *call;
};

struct events {
    struct kube *kube;
    char *instance;
    struct list waiting, sent;
    unsigned nwaiting, nsent;
    unsigned count; /* so that two of one millisecond have different names */
};

struct events *events_new(struct kube *kube, struct str instance)
{
    struct events *events = xcalloc(1, sizeof(*events));
    events->kube = kube;
    events->instance = str_dup(str_sub(instance, 0, EVENT_INSTANCE_MAX));
    list_init(&events->waiting);
    list_init(&events->sent);
    return events;
}

static void letter_free(struct letter *letter)
{
    list_remove(&letter->link);
    free(letter->path);
    free(letter->body);
    free(letter);
}

void events_free(struct events *events)
{
    if (events == NULL) {
        return;
    }
    list_for_each_safe (it, &events->sent) {
        struct letter *letter = list_entry(it, struct letter, link);
        kube_cancel(letter->call);
        letter_free(letter);
    }
    list_for_each_safe (it, &events->waiting) {
        letter_free(list_entry(it, struct letter, link));
    }
    free(events->instance);
    free(events);
}

/* --- the object ---------------------------------------------------------------------------- */

/* Cut where a character ends. */
static struct str cut_note(struct str note)
{
    size_t len = 0;
    while (len < note.len) {
        size_t more = str_utf8_len(note, len);
        more = more == 0 ? 1 : more;
        if (len + more > EVENT_NOTE_MAX) {
            break;
        }
        len += more;
    }
    return str_sub(note, 0, len);
}

/* "echo.18a0c2f7d3e40001", as other components name theirs. */
static void put_name(struct json *json, struct events *events, struct str object, uint64_t now_ms)
{
    struct buf name;
    struct str stem = str_sub(object, 0, EVENT_NAME_MAX);
    while (stem.len > 0 && (stem.ptr[stem.len - 1] == '.' || stem.ptr[stem.len - 1] == '-')) {
        stem.len--;
    }
    buf_init(&name, BUF_UNLIMITED);
    buf_printf(&name, "%.*s.%llx", STR_FMT(stem),
               (unsigned long long)(now_ms * 1000000 + events->count++ % 1000000));
    json_member_str(json, "name", buf_str(&name));
    buf_release(&name);
}

static void put_text(struct json *json, const char *key, struct str value)
{
    if (value.len > 0) {
        json_member_str(json, key, value);
    }
}

/* metav1.MicroTime: six digits, no fewer. */
static void put_time(struct json *json, uint64_t now_ms)
{
    char time[CLOCK_RFC3339_LEN + 3];
    clock_rfc3339(now_ms, time);
    memcpy(time + 23, "000Z", 5);
    json_member_text(json, "eventTime", time);
}

static struct str namespace_of(const struct event *event)
{
    return event->ns.len > 0 ? event->ns : STR("default"); /* as all do for cluster kinds */
}

static char *body_of(struct events *events, const struct event *event)
{
    struct buf body;
    struct json json;
    uint64_t now_ms = clock_wall_ms();
    buf_init(&body, BUF_UNLIMITED);
    json_init(&json, &body, 0);
    json_open(&json, '{');
    put_text(&json, "apiVersion", STR("events.k8s.io/v1"));
    put_text(&json, "kind", STR("Event"));
    json_key(&json, "metadata");
    json_open(&json, '{');
    put_name(&json, events, event->name, now_ms);
    put_text(&json, "namespace", namespace_of(event));
    json_close(&json, '}');
    put_time(&json, now_ms);
    put_text(&json, "reportingController", STR(CONTROLLER_NAME));
    put_text(&json, "reportingInstance", str_from(events->instance));
    put_text(&json, "type", STR("Warning"));
    put_text(&json, "reason", event->reason);
    put_text(&json, "action", event->action);
    put_text(&json, "note", cut_note(event->note));
    json_key(&json, "regarding");
    json_open(&json, '{');
    put_text(&json, "apiVersion", event->api_version);
    put_text(&json, "kind", event->kind);
    put_text(&json, "namespace", event->ns);
    put_text(&json, "name", event->name);
    put_text(&json, "uid", event->uid); /* kubectl describe asks by it */
    json_close(&json, '}');
    json_close(&json, '}');
    return buf_steal(&body, NULL);
}

/* --- the queue ----------------------------------------------------------------------------- */

static void send_next(struct events *events);

/* The namespace is going, or gone (404): nobody will miss the Event. */
static bool is_late(const struct kube_result *result)
{
    return result->status == 404 || str_contains(result->message, STR(TERMINATED));
}

static void sent(void *user, const struct kube_result *result)
{
    struct letter *letter = user;
    struct events *events = letter->events;
    bool ok = result->status / 100 == 2;
    bool late = !ok && is_late(result);
    metric_add(ok ? M_events_written : late ? M_events_dropped : M_events_failed, 1);
    if (!ok && !late) {
        log_at(LOG_WARN, "status", "an Event was not taken", KV_INT("status", result->status),
               KV("reason", result->reason), KV("message", result->message));
    }
    events->nsent--;
    letter_free(letter);
    send_next(events);
}

static void send_next(struct events *events)
{
    while (events->nsent < EVENTS_IN_FLIGHT_MAX && !list_empty(&events->waiting)) {
        struct letter *letter = list_entry(events->waiting.next, struct letter, link);
        const struct kube_spec spec = {
            .method = "POST",
            .path = str_from(letter->path),
            .body = str_from(letter->body),
            .user = letter,
            .done = sent,
        };
        list_remove(&letter->link);
        list_append(&events->sent, &letter->link);
        events->nwaiting--;
        events->nsent++;
        letter->call = kube_send(events->kube, &spec);
    }
}

void events_send(struct events *events, const struct event *event)
{
    if (events->nwaiting == EVENTS_WAITING_MAX) {
        metric_add(M_events_dropped, 1);
        return;
    }
    struct letter *letter = xcalloc(1, sizeof(*letter));
    struct buf path;
    buf_init(&path, BUF_UNLIMITED);
    buf_printf(&path, "/apis/events.k8s.io/v1/namespaces/%.*s/events",
               STR_FMT(namespace_of(event)));
    letter->events = events;
    letter->path = buf_steal(&path, NULL);
    letter->body = body_of(events, event);
    list_append(&events->waiting, &letter->link);
    events->nwaiting++;
    send_next(events);
}
