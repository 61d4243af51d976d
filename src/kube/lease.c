/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease: asks, takes, renews and gives back one Lease.
 *
 *   every retry ms:   leads: PATCH ──── 409: somebody wrote ────┐
 *                     else:  GET ◄───────────────────────────────┘
 *                             ├── 404: POST
 *                             ├── free, ours, or unchanged for its duration: PATCH
 *                             └── another's: wait
 *
 * A PATCH or POST that succeeded counts from when it was sent.
 */
#include "kube/lease.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/panic.h"
#include "codec/doc_json.h"
#include "codec/json.h"
#include "kube/backoff.h"
#include "net/loop.h"

#define NODES_MAX 10000
#define DURATION_MAX_S 3600
#define RELEASED_S 1 /* the duration of a Lease that was given back */

/* What the Lease said when it was seen last. */
struct record {
    char *version; /* resourceVersion; NULL: it was not seen, or is not there */
    char *holder;  /* NULL: nobody */
    int64_t transitions;
    uint64_t duration_ms;
    uint64_t since_ms; /* since when it is so, as seen here */
};

struct lease {
    struct lease_config config;
    struct str ns, name, identity; /* malloc'ed */
    uv_timer_t tick, end;          /* the next try; when it leads no more */
    struct kube_call *call;
    struct record record;
    uint64_t asked_ms; /* when the present call was sent */
    bool creates;      /* the present call is a POST */
    bool leads;
    bool stopping;
    void (*stopped)(void *user);
    void *stopped_user;
};

static uint64_t now_ms(const struct lease *lease)
{
    return loop_now_ms(lease->config.loop);
}

/* --- who leads --- */

static void set_leads(struct lease *lease, bool leads)
{
    if (lease->leads == leads) {
        return;
    }
    lease->leads = leads;
    log_at(LOG_INFO, "kube", leads ? "leads" : "leads no more", KV("lease", lease->name),
           KV("identity", lease->identity));
    lease->config.changed(lease->config.user, leads);
}

static void on_end(uv_timer_t *timer)
{
    set_leads(timer->data, false);
}

static void renewed(struct lease *lease)
{
    uint64_t gone = now_ms(lease) - lease->asked_ms, renew = lease->config.times.renew;
    if (gone >= renew) {
        set_leads(lease, false); /* the answer came too late */
        return;
    }
    uv_timer_start(&lease->end, on_end, renew - gone, 0);
    set_leads(lease, true);
}

/* --- what the Lease says --- */

static int64_t number_at(const struct doc_node *node, struct str key)
{
    const struct doc_node *value = doc_get(node, key);
    return value != NULL && value->type == DOC_INT ? value->integer : 0;
}

static void record_release(struct record *record)
{
    free(record->version);
    free(record->holder);
    *record = (struct record){.version = NULL};
}

static bool record_is(const struct record *record, struct str version)
{
    return record->version != NULL && str_eq(str_from(record->version), version);
}

/* False: it is no Lease. */
static bool record_read(struct lease *lease, struct str body)
{
    struct arena arena;
    struct doc_node *root = NULL;
    struct record *record = &lease->record;
    arena_init(&arena);
    bool good = doc_json_parse(&arena, body, NODES_MAX, &root, NULL);
    struct str version = doc_text(doc_get(root, STR("metadata")), STR("resourceVersion"));
    const struct doc_node *spec = doc_get(root, STR("spec"));
    good = good && version.len != 0;
    if (good && !record_is(record, version)) {
        struct str holder = doc_text(spec, STR("holderIdentity"));
        int64_t seconds = number_at(spec, STR("leaseDurationSeconds"));
        record_release(record);
        record->version = str_dup(version);
        record->holder = holder.len != 0 ? str_dup(holder) : NULL;
        record->transitions = number_at(spec, STR("leaseTransitions"));
        record->duration_ms = seconds > 0 && seconds <= DURATION_MAX_S
                                  ? (uint64_t)seconds * 1000
                                  : lease->config.times.duration;
        record->since_ms = now_ms(lease);
    }
    arena_release(&arena);
    return good;
}

static bool is_ours(const struct lease *lease)
{
    return lease->record.holder != NULL && str_eq(str_from(lease->record.holder), lease->identity);
}

static bool may_take(const struct lease *lease)
{
    const struct record *record = &lease->record;
    return record->holder == NULL || is_ours(lease) ||
           now_ms(lease) - record->since_ms >= record->duration_ms;
}

/* --- what is asked --- */

static void on_read(void *user, const struct kube_result *result);
static void on_written(void *user, const struct kube_result *result);
static void give_back(struct lease *lease);

static void on_tick(uv_timer_t *timer);

static void tick_in(struct lease *lease, unsigned ms)
{
    uv_timer_start(&lease->tick, on_tick, ms, 0);
}

/* Those that wait spread their questions; who leads is punctual. */
static void tick_later(struct lease *lease)
{
    unsigned retry = lease->config.times.retry;
    tick_in(lease, lease->leads ? retry : backoff_jitter(retry));
}

static void ask(struct lease *lease, const char *method, struct str body, unsigned timeout_ms,
                void (*done)(void *user, const struct kube_result *result))
{
    struct buf path;
    buf_init(&path, BUF_UNLIMITED);
    buf_printf(&path, "/apis/coordination.k8s.io/v1/namespaces/%.*s/leases", STR_FMT(lease->ns));
    lease->creates = strcmp(method, "POST") == 0;
    if (!lease->creates) {
        buf_printf(&path, "/%.*s", STR_FMT(lease->name));
    }
    lease->asked_ms = now_ms(lease);
    lease->call = kube_send(
        lease->config.kube,
        &(struct kube_spec){
            .method = method,
            .path = buf_str(&path),
            .content_type = strcmp(method, "PATCH") == 0 ? STR(KUBE_MERGE_PATCH) : STR_NULL,
            .body = body,
            .timeout_ms = timeout_ms,
            .user = lease,
            .done = done,
        });
    buf_release(&path);
}

/* metav1.MicroTime has six digits. */
static void put_now(struct json *json, const char *key)
{
    char text[CLOCK_RFC3339_LEN];
    struct buf micro;
    buf_init(&micro, 64);
    clock_rfc3339(clock_wall_ms(), text);
    buf_printf(&micro, "%.*s000Z", (int)strlen(text) - 1, text);
    json_member_str(json, key, buf_str(&micro));
    buf_release(&micro);
}

static void put_metadata(const struct lease *lease, struct json *json)
{
    json_key(json, "metadata");
    json_open(json, '{');
    json_member_str(json, "name", lease->name);
    if (lease->record.version != NULL) {
        json_member_text(json, "resourceVersion", lease->record.version);
    }
    json_close(json, '}');
}

/* takes: from now on, and with one more transition. */
static void put_spec(const struct lease *lease, bool takes, struct json *json)
{
    bool anew = lease->record.version == NULL;
    json_key(json, "spec");
    json_open(json, '{');
    json_member_str(json, "holderIdentity", lease->identity);
    json_member_int(json, "leaseDurationSeconds", (lease->config.times.duration + 999) / 1000);
    put_now(json, "renewTime");
    if (takes) {
        put_now(json, "acquireTime");
        json_member_int(json, "leaseTransitions", anew ? 0 : lease->record.transitions + 1);
    }
    json_close(json, '}');
}

static void write_lease(struct lease *lease)
{
    struct buf body;
    struct json json;
    bool anew = lease->record.version == NULL;
    bool takes = anew || !is_ours(lease);
    buf_init(&body, BUF_UNLIMITED);
    json_init(&json, &body, 0);
    json_open(&json, '{');
    if (anew) {
        json_member_text(&json, "apiVersion", "coordination.k8s.io/v1");
        json_member_text(&json, "kind", "Lease");
    }
    put_metadata(lease, &json);
    put_spec(lease, takes, &json);
    json_close(&json, '}');
    ask(lease, anew ? "POST" : "PATCH", buf_str(&body), LEASE_ANSWER_MS, on_written);
    buf_release(&body);
}

static void on_tick(uv_timer_t *timer)
{
    struct lease *lease = timer->data;
    if (lease->leads) {
        write_lease(lease);
    } else {
        ask(lease, "GET", STR_NULL, LEASE_ANSWER_MS, on_read);
    }
}

/* --- what comes of it --- */

static void log_trouble(const struct lease *lease, const char *what,
                        const struct kube_result *result)
{
    log_at(LOG_WARN, "kube", what, KV("lease", lease->name), KV("reason", result->reason),
           KV("why", result->message));
}

static void on_read(void *user, const struct kube_result *result)
{
    struct lease *lease = user;
    lease->call = NULL;
    if (lease->stopping) {
        give_back(lease);
        return;
    }
    if (result->status == 404) {
        record_release(&lease->record);
        write_lease(lease);
        return;
    }
    if (result->status != 200 || !record_read(lease, result->body)) {
        log_trouble(lease, "cannot read the lease", result);
        tick_later(lease);
        return;
    }
    if (may_take(lease)) {
        write_lease(lease);
        return;
    }
    tick_later(lease);
    set_leads(lease, false); /* somebody took it by force */
}

static void on_written(void *user, const struct kube_result *result)
{
    struct lease *lease = user;
    lease->call = NULL;
    bool good = result->status >= 200 && result->status < 300 && record_read(lease, result->body);
    if (lease->stopping) {
        give_back(lease);
        return;
    }
    if (good && is_ours(lease)) {
        tick_later(lease);
        renewed(lease);
        return;
    }
    if (result->status == 409 || (result->status == 404 && !lease->creates)) {
        /* Somebody else wrote: only a look tells who. Leads on until then, or until its end. (What
         * is not there when one is made is its namespace.) */
        ask(lease, "GET", STR_NULL, LEASE_ANSWER_MS, on_read);
        return;
    }
    log_trouble(lease, "cannot write the lease", result);
    tick_later(lease);
}

/* --- the interface --- */

static struct str copy_of(struct str text)
{
    return str_span(str_dup(text), text.len);
}

struct lease *lease_start(const struct lease_config *config)
{
    struct lease *lease = xcalloc(1, sizeof(*lease));
    struct lease_times *times = &lease->config.times;
    lease->config = *config;
    times->duration = times->duration != 0 ? times->duration : LEASE_DURATION_MS;
    times->renew = times->renew != 0 ? times->renew : LEASE_RENEW_MS;
    times->retry = times->retry != 0 ? times->retry : LEASE_RETRY_MS;
    ASSERT(times->retry < times->renew && times->renew < times->duration);
    lease->ns = copy_of(config->ns);
    lease->name = copy_of(config->name);
    lease->identity = copy_of(config->identity);
    uv_timer_init(&config->loop->uv, &lease->tick);
    uv_timer_init(&config->loop->uv, &lease->end);
    lease->tick.data = lease->end.data = lease;
    tick_in(lease, 0);
    return lease;
}

bool lease_leads(const struct lease *lease)
{
    return lease->leads;
}

static void end_closed(uv_handle_t *handle)
{
    struct lease *lease = handle->data;
    void (*stopped)(void *user) = lease->stopped;
    void *user = lease->stopped_user;
    record_release(&lease->record);
    free((char *)lease->ns.ptr);
    free((char *)lease->name.ptr);
    free((char *)lease->identity.ptr);
    free(lease);
    if (stopped != NULL) {
        stopped(user);
    }
}

static void tick_closed(uv_handle_t *handle)
{
    struct lease *lease = handle->data;
    uv_close((uv_handle_t *)&lease->end, end_closed);
}

static void close_all(struct lease *lease)
{
    uv_timer_stop(&lease->end);
    uv_close((uv_handle_t *)&lease->tick, tick_closed);
}

static void on_given_back(void *user, const struct kube_result *result)
{
    struct lease *lease = user;
    lease->call = NULL;
    if (result->status != 200) {
        log_trouble(lease, "cannot give the lease back", result);
    }
    close_all(lease);
}

static void on_grace(uv_timer_t *timer)
{
    struct lease *lease = timer->data;
    kube_cancel(lease->call);
    lease->call = NULL;
    close_all(lease);
}

/* The next one finds it free at once. */
static void give_back(struct lease *lease)
{
    struct buf body;
    struct json json;
    if (!is_ours(lease)) {
        close_all(lease);
        return;
    }
    buf_init(&body, BUF_UNLIMITED);
    json_init(&json, &body, 0);
    json_open(&json, '{');
    put_metadata(lease, &json);
    json_key(&json, "spec");
    json_open(&json, '{');
    json_key(&json, "holderIdentity");
    json_nil(&json);
    json_member_int(&json, "leaseDurationSeconds", RELEASED_S);
    json_close(&json, '}');
    json_close(&json, '}');
    ask(lease, "PATCH", buf_str(&body), LEASE_ANSWER_MS, on_given_back);
    buf_release(&body);
}

void lease_stop(struct lease *lease, unsigned grace_ms, void (*done)(void *user), void *user)
{
    if (lease == NULL) {
        return;
    }
    ASSERT(!lease->stopping);
    bool held = lease->leads && grace_ms != 0;
    lease->stopping = true;
    lease->leads = false;
    lease->stopped = done;
    lease->stopped_user = user;
    uv_timer_stop(&lease->tick);
    uv_timer_stop(&lease->end);
    if (held) {
        /* What is under way ends first: it changes the version over which is written. */
        uv_timer_start(&lease->end, on_grace, grace_ms, 0);
        if (lease->call == NULL) {
            give_back(lease);
        }
        return;
    }
    if (lease->call != NULL) {
        kube_cancel(lease->call);
        lease->call = NULL;
    }
    close_all(lease);
}
