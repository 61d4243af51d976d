/* SPDX-License-Identifier: Apache-2.0 */
/* writer: the objects and what is known of them. How they are written: writer_send.c. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "status/withdraw.h"
#include "status/writer_internal.h"

struct status_writer *status_writer_new(const struct status_writer_config *config)
{
    struct status_writer *writer = xcalloc(1, sizeof(*writer));
    writer->loop = config->loop;
    writer->kube = config->kube;
    writer->store = config->store;
    writer->withdraw_ms = config->withdraw_ms > 0 ? config->withdraw_ms : STATUS_WITHDRAW_MS;
    writer->unclear = config->unclear;
    writer->user = config->user;
    writer->events = events_new(config->kube, config->instance);
    list_init(&writer->waiting);
    list_init(&writer->ready);
    uv_timer_init(&config->loop->uv, &writer->timer);
    writer->timer.data = writer;
    return writer;
}

/* --- subjects ------------------------------------------------------------------------------ */

/* Kinds with a status that a controller of the Gateway API writes, and Services. */
static bool is_written(enum kind_id kind)
{
    return kind == KIND_SERVICE ||
           (kind != KIND_REFERENCEGRANT &&
            str_starts_with(str_from(kind_info(kind)->group), STR("gateway.networking.")));
}

static char *subject_key(enum kind_id kind, struct str ns, struct str name)
{
    struct buf key;
    buf_init(&key, BUF_UNLIMITED);
    buf_printf(&key, "%s/%.*s/%.*s", kind_info(kind)->kind, STR_FMT(ns), STR_FMT(name));
    return buf_steal(&key, NULL);
}

static struct subject *find(const struct status_writer *writer, enum kind_id kind, struct str ns,
                            struct str name)
{
    char *key = subject_key(kind, ns, name);
    struct subject *subject = map_get(&writer->subjects, str_from(key));
    free(key);
    return subject;
}

static struct subject *add(struct status_writer *writer, enum kind_id kind, struct str ns,
                           struct str name)
{
    struct subject *subject = xcalloc(1, sizeof(*subject));
    list_init(&subject->link);
    subject->writer = writer;
    subject->key = subject_key(kind, ns, name);
    subject->kind = kind;
    struct str rest = str_from(subject->key);
    (void)str_cut(&rest, '/');
    subject->ns = str_cut(&rest, '/');
    subject->name = rest;
    subject->backoff = (struct backoff){STATUS_BACKOFF_MS, STATUS_BACKOFF_MAX_MS, 0};
    map_put(&writer->subjects, str_from(subject->key), subject);
    return subject;
}

static void subject_free(struct subject *subject)
{
    subject_rest(subject);
    free(subject->version);
    free(subject->uid);
    free(subject->part);
    free(subject->withdrawal);
    free(subject->key);
    free(subject);
}

void subject_forget(struct subject *subject)
{
    map_remove(&subject->writer->subjects, str_from(subject->key));
    subject_free(subject);
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void status_writer_free(struct status_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    struct map *subjects = &writer->subjects;
    for (size_t i = map_next(subjects, 0); i < subjects->cap; i = map_next(subjects, i + 1)) {
        subject_free(subjects->slots[i].value);
    }
    map_release(subjects);
    events_free(writer->events);
    uv_close((uv_handle_t *)&writer->timer, closed);
}

/* --- what the API server has --------------------------------------------------------------- */

/* What arrives late is older than what the answer to a write said: resourceVersions of one kind are
 * ordered numbers (KEP-5504). */
static bool is_older(struct str version, struct str known)
{
    uint64_t a, b;
    return str_to_u64(version, &a) && str_to_u64(known, &b) && a < b;
}

static bool replace(char **text, struct str fresh)
{
    if (*text != NULL && str_eq(str_from(*text), fresh)) {
        return false;
    }
    free(*text);
    *text = str_dup(fresh);
    return true;
}

static bool learn_part(struct subject *subject, const struct doc_node *status)
{
    struct buf part;
    struct json json;
    buf_init(&part, BUF_UNLIMITED);
    json_init(&json, &part, 0);
    json_open(&json, '{');
    bool any = status_merge_part(status, &json);
    json_close(&json, '}');
    bool changed = any ? replace(&subject->part, buf_str(&part)) : subject->part != NULL;
    if (!any) {
        free(subject->part);
        subject->part = NULL;
    }
    buf_release(&part);
    return changed;
}

/* Kinds whose status has one controller, and which may change it. */
static bool learn_withdrawal(struct subject *subject, const struct doc_node *object)
{
    struct buf patch;
    struct json json;
    if (subject->kind != KIND_GATEWAY && subject->kind != KIND_LISTENERSET) {
        return false;
    }
    buf_init(&patch, BUF_UNLIMITED);
    json_init(&json, &patch, 0);
    json_open(&json, '{');
    bool any = status_withdraw(object, &json);
    json_close(&json, '}');
    bool changed =
        any ? replace(&subject->withdrawal, buf_str(&patch)) : subject->withdrawal != NULL;
    if (!any) {
        free(subject->withdrawal);
        subject->withdrawal = NULL;
    }
    buf_release(&patch);
    return changed;
}

bool subject_learn(struct subject *subject, const struct doc_node *object)
{
    struct status_writer *writer = subject->writer;
    const struct doc_node *meta = doc_get(object, STR("metadata"));
    struct str version = doc_text(meta, STR("resourceVersion"));
    struct str uid = doc_text(meta, STR("uid"));
    struct str api_version = doc_text(object, STR("apiVersion"));
    bool fresh = subject->version == NULL || subject->stale;
    if (!fresh && is_older(version, str_from(subject->version))) {
        return false;
    }
    if (api_version.len > 0 && api_version.len < API_VERSION_MAX) {
        memcpy(writer->versions[subject->kind], api_version.ptr, api_version.len);
        writer->versions[subject->kind][api_version.len] = '\0';
    }
    fresh = replace(&subject->uid, uid) || fresh; /* deleted and made again */
    replace(&subject->version, version);
    subject->stale = false;
    subject->turn = writer->turns;
    fresh = learn_withdrawal(subject, object) || fresh;
    return learn_part(subject, doc_get(object, STR("status"))) || fresh;
}

void status_writer_seen(struct status_writer *writer, enum kind_id kind, struct str ns,
                        struct str name, const struct doc_node *object)
{
    if (!is_written(kind)) {
        return;
    }
    struct subject *subject = find(writer, kind, ns, name);
    subject = subject != NULL ? subject : add(writer, kind, ns, name);
    bool conflicted = subject->stale;
    if (subject_learn(subject, object)) {
        if (conflicted) {
            backoff_reset(&subject->backoff); /* this is what it waits for */
        }
        subject_queue(subject, conflicted ? 0 : STATUS_DELAY_MS);
    }
}

void status_writer_gone(struct status_writer *writer, enum kind_id kind, struct str ns,
                        struct str name)
{
    struct subject *subject = find(writer, kind, ns, name);
    if (subject != NULL) {
        subject_forget(subject);
    }
}

/* --- what heddle has to say ---------------------------------------------------------------- */

void status_writer_touch(struct status_writer *writer, enum kind_id kind, struct str ns,
                         struct str name)
{
    struct subject *subject = find(writer, kind, ns, name);
    if (subject != NULL) {
        subject_queue(subject, STATUS_DELAY_MS);
    }
}

static void queue_all(struct status_writer *writer)
{
    struct map *subjects = &writer->subjects;
    for (size_t i = map_next(subjects, 0); i < subjects->cap; i = map_next(subjects, i + 1)) {
        subject_queue(subjects->slots[i].value, STATUS_DELAY_MS);
    }
}

void status_writer_turned(struct status_writer *writer)
{
    if (writer->turns++ == 0) {
        queue_all(writer);
    }
}

void status_writer_lead(struct status_writer *writer, bool leads)
{
    if (leads == writer->leads) {
        return;
    }
    writer->leads = leads;
    metric_set(M_leader, leads);
    log_at(LOG_INFO, "status", leads ? "leads: writes status" : "leads no more");
    if (leads) {
        queue_all(writer);
        return;
    }
    struct map *subjects = &writer->subjects;
    for (size_t i = map_next(subjects, 0); i < subjects->cap; i = map_next(subjects, i + 1)) {
        subject_rest(subjects->slots[i].value);
    }
}
