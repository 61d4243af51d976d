/* SPDX-License-Identifier: Apache-2.0 */
/* serve: thread 0's side: hands out connections, changes and views, and delivers events. */
#include "serve/serve.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/panic.h"
#include "base/vec.h"
#include "net/loop.h"
#include "net/peers.h"
#include "net/tls.h"
#include "serve/census.h"
#include "serve/interest.h"
#include "serve/letter.h"
#include "serve/tally.h"
#include "serve/worker.h"

#define STREAM_ID_SHIFT 48

struct serve_worker {
    struct worker *worker;
    size_t streams; /* opened and not closed, as far as thread 0 has heard */
    size_t conns;
};

struct serve {
    struct serve_config config;
    struct mailbox box;
    struct serve_worker workers[SERVE_WORKERS_MAX];
    unsigned nworkers; /* started */
    _Atomic unsigned nstreams;
    _Atomic unsigned names; /* on-demand names, counted once for each worker */
    struct peers peers;
    struct interest interest; /* counts workers */
    struct census census;
    struct tally tally;
};

struct report_job {
    serve_report_fn *done;
    void *user;
    unsigned missing; /* workers that have not answered */
    VEC(struct letter *) letters;
};

void serve_limits_default(struct serve_limits *ret_limits)
{
    *ret_limits = (struct serve_limits){
        .streams_per_connection = 100,
        .streams = 20000,
        .connections = 20000,
        .connections_per_peer = 10000,
        .request_bytes = 4u << 20,
        .names_per_type = 20000,
        .name_bytes = 2048,
        .requests_per_second = 1000,
        .interest_names = 50000,
        .interest_per_peer = 10000,
        .response_bytes = 3u << 20,
        .whole_state_bytes = 64u << 20,
        .queued_bytes = 1u << 20,
        .node_wait_ms = 10000,
        .keepalive_ms = 30000,
        .keepalive_timeout_ms = 10000,
    };
}

/* --- reports --------------------------------------------------------------------------------- */

static int compare_reports(const void *a, const void *b)
{
    const struct stream_report *ra = a;
    const struct stream_report *rb = b;
    int order = str_cmp(ra->node_id, rb->node_id);
    return order != 0 ? order : (ra->id > rb->id) - (ra->id < rb->id);
}

static void finish_report(struct report_job *job)
{
    VEC(struct stream_report) all = {NULL, 0, 0};
    for (size_t i = 0; i < job->letters.len; i++) {
        const struct letter *letter = job->letters.items[i];
        for (size_t k = 0; k < letter->report.len; k++) {
            vec_push(&all, letter->report.reports[k]);
        }
    }
    if (all.len > 0) {
        qsort(all.items, all.len, sizeof(*all.items), compare_reports);
    }
    job->done(job->user, all.items, all.len);
    vec_release(&all);
    for (size_t i = 0; i < job->letters.len; i++) {
        letter_free(job->letters.items[i]);
    }
    vec_release(&job->letters);
    free(job);
}

/* Takes the letter. */
static void take_report(struct letter *letter)
{
    struct report_job *job = letter->report.job;
    vec_push(&job->letters, letter);
    if (--job->missing == 0) {
        finish_report(job);
    }
}

void serve_report(struct serve *serve, struct str node_id, bool resources, serve_report_fn *done,
                  void *user)
{
    struct report_job *job = xcalloc(1, sizeof(*job));
    job->done = done;
    job->user = user;
    job->missing = serve->nworkers;
    for (unsigned i = 0; i < serve->nworkers; i++) {
        struct letter *letter = letter_new(LETTER_ASK);
        letter->ask.job = job;
        letter->ask.node_id = arena_str(&letter->arena, node_id);
        letter->ask.resources = resources;
        worker_post(serve->workers[i].worker, letter);
    }
    if (job->missing == 0) {
        finish_report(job); /* stopped */
    }
}

/* --- events ---------------------------------------------------------------------------------- */

static void take_opened(struct serve *serve, struct letter *letter)
{
    const struct serve_events *events = &serve->config.events;
    struct node *node = letter->opened.node;
    letter->opened.node = NULL;
    serve->workers[letter->worker].streams++;
    events->opened(events->user, letter->id, node, letter->opened.peer, letter->opened.protocol);
}

static void take_interest(struct serve *serve, const struct letter *letter)
{
    const struct serve_events *events = &serve->config.events;
    enum xds_type type = letter->interest.type;
    struct str scope = letter->interest.scope;
    struct str name = letter->interest.name;
    bool turned = letter->interest.wanted ? interest_add(&serve->interest, type, scope, name)
                                          : interest_remove(&serve->interest, type, scope, name);
    if (turned && events->interest != NULL) {
        events->interest(events->user, type, scope, name, letter->interest.wanted);
    }
}

static void take_verdict(struct serve *serve, const struct letter *letter)
{
    const struct serve_events *events = &serve->config.events;
    const struct resource *const *of =
        (const struct resource *const *)(const void *)letter->verdict.of;
    if (letter->kind == LETTER_REJECTED && events->rejected != NULL) {
        events->rejected(events->user, letter->id, letter->verdict.type, of, letter->verdict.nof,
                         letter->verdict.text);
    } else if (letter->kind == LETTER_ACCEPTED && events->accepted != NULL) {
        events->accepted(events->user, letter->id, letter->verdict.type, of, letter->verdict.nof);
    }
}

static void on_letter(void *owner, struct mail *mail)
{
    struct serve *serve = owner;
    struct letter *letter = mail_entry(mail, struct letter, mail);
    const struct serve_events *events = &serve->config.events;
    switch (letter->kind) {
    case LETTER_OPENED:
        take_opened(serve, letter);
        break;
    case LETTER_CLOSED:
        serve->workers[letter->worker].streams--;
        if (events->closed != NULL) {
            events->closed(events->user, letter->id);
        }
        break;
    case LETTER_CONN_CLOSED:
        serve->workers[letter->worker].conns--;
        peers_leave(&serve->peers, letter->account);
        metric_set(M_xds_connections, (int64_t)serve->peers.conns);
        break;
    case LETTER_INTEREST:
        take_interest(serve, letter);
        break;
    case LETTER_REJECTED:
    case LETTER_ACCEPTED:
        take_verdict(serve, letter);
        break;
    case LETTER_DROPPED:
        if (events->dropped != NULL) {
            events->dropped(events->user, letter->id, letter->dropped.type, letter->dropped.name);
        }
        break;
    case LETTER_REPORT:
        take_report(letter);
        return;
    case LETTER_ASKED:
        if (serve->nworkers > 0) {
            census_ask(&serve->census, serve->nworkers, letter);
        }
        break;
    case LETTER_COUNTED:
        census_add(&serve->census, letter);
        return;
    case LETTER_ACKS:
        tally_add(&serve->tally, letter);
        break;
    default:
        panic("thread 0 cannot read letter kind %d", (int)letter->kind);
    }
    letter_free(letter);
}

/* --- to the workers -------------------------------------------------------------------------- */

static struct serve_worker *least_loaded(struct serve *serve)
{
    struct serve_worker *best = &serve->workers[0];
    for (unsigned i = 1; i < serve->nworkers; i++) {
        struct serve_worker *w = &serve->workers[i];
        if (w->streams + w->conns < best->streams + best->conns) {
            best = w;
        }
    }
    return best;
}

/* NULL: there are too many connections, of this peer or of all. */
static struct peer *enter(struct serve *serve, const struct sockaddr_storage *addr)
{
    const struct serve_limits *limits = &serve->config.limits;
    bool full = serve->peers.conns >= limits->connections;
    struct peer *peer =
        full ? NULL : peers_enter(&serve->peers, addr, limits->connections_per_peer);
    if (peer == NULL) {
        char text[ADDR_TEXT_MAX];
        addr_text(addr, text);
        metric_add(full ? M_xds_refused_connections : M_xds_refused_connections_per_peer, 1);
        log_at(LOG_WARN, "serve", "too many connections", KV_TEXT("peer", text),
               KV_TEXT("limit", full ? "connections" : "connections_per_peer"),
               KV_INT("max", full ? limits->connections : limits->connections_per_peer));
    }
    return peer;
}

void serve_adopt(struct serve *serve, int fd, const struct sockaddr *peer, struct tls_context *tls)
{
    struct sockaddr_storage addr = {.ss_family = AF_UNSPEC};
    memcpy(&addr, peer,
           peer->sa_family == AF_INET6  ? sizeof(struct sockaddr_in6)
           : peer->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                        : sizeof(*peer));
    struct peer *account = serve->nworkers > 0 ? enter(serve, &addr) : NULL;
    if (account == NULL) {
        (void)close(fd); /* before TLS, which costs something; or it is stopped */
        return;
    }
    metric_set(M_xds_connections, (int64_t)serve->peers.conns);
    struct serve_worker *w = least_loaded(serve);
    struct letter *letter = letter_new(LETTER_ADOPT);
    letter->adopt.fd = fd;
    letter->adopt.peer = addr;
    letter->adopt.tls = tls != NULL ? tls_context_ref(tls) : NULL;
    letter->adopt.account = account;
    w->conns++;
    worker_post(w->worker, letter);
}

void serve_publish(struct serve *serve, struct changeset *changeset)
{
    for (unsigned i = 0; i < serve->nworkers; i++) {
        struct letter *letter = letter_new(LETTER_CHANGES);
        letter->changes = changeset_ref(changeset);
        worker_post(serve->workers[i].worker, letter);
    }
}

static void post_to_stream(struct serve *serve, stream_id id, struct letter *letter)
{
    uint64_t index = id >> STREAM_ID_SHIFT;
    if (serve->nworkers == 0) {
        letter_free(letter); /* stopped: there are no streams */
        return;
    }
    ASSERT(index < serve->nworkers);
    letter->id = id;
    worker_post(serve->workers[index].worker, letter);
}

void serve_view(struct serve *serve, stream_id id, const struct view *view)
{
    ASSERT(view->nscopes <= VIEW_SCOPES_MAX);
    struct letter *letter = letter_new(LETTER_VIEW);
    letter->view = *view;
    for (unsigned i = 0; i < view->nscopes; i++) {
        letter->view.scopes[i] = arena_str(&letter->arena, view->scopes[i]);
    }
    post_to_stream(serve, id, letter);
}

void serve_refuse(struct serve *serve, stream_id id, int grpc_status, struct str message)
{
    struct letter *letter = letter_new(LETTER_REFUSE);
    letter->refuse.status = grpc_status;
    letter->refuse.text = arena_str(&letter->arena, message);
    post_to_stream(serve, id, letter);
}

static void post_to_worker(void *user, unsigned worker, struct letter *letter)
{
    const struct serve *serve = user;
    if (serve->nworkers == 0) {
        letter_free(letter); /* stopped: nobody waits for it */
        return;
    }
    worker_post(serve->workers[worker].worker, letter);
}

watch_id serve_acks_watch(struct serve *serve, const struct acks_name *names, size_t len,
                          serve_acks_fn *changed, void *user)
{
    return tally_watch(&serve->tally, serve->nworkers, names, len, changed, user);
}

void serve_acks_cancel(struct serve *serve, watch_id id)
{
    tally_cancel(&serve->tally, id);
}

/* --- life ------------------------------------------------------------------------------------ */

bool serve_start(struct loop *loop, const struct serve_config *config, struct serve **ret_serve,
                 struct err *err)
{
    ASSERT(config->workers >= 1 && config->workers <= SERVE_WORKERS_MAX);
    struct serve *serve = xcalloc(1, sizeof(*serve));
    serve->config = *config;
    interest_init(&serve->interest);
    serve->census = (struct census){
        .bytes_max = config->limits.response_bytes, .post = post_to_worker, .user = serve};
    serve->tally = (struct tally){.post = post_to_worker, .user = serve};
    mailbox_init(&serve->box, loop, on_letter, serve);
    struct worker_config wc = {
        .limits = config->limits,
        .report_acks = config->report_acks,
        .csds = config->csds,
        .events = &serve->box,
        .nstreams = &serve->nstreams,
        .names = &serve->names,
    };
    for (unsigned i = 0; i < config->workers; i++) {
        wc.index = i;
        if (!worker_start(&wc, &serve->workers[i].worker, err)) {
            serve_stop(serve, 0);
            return false; /* the mailbox's handle still closes: serve is left to the process */
        }
        serve->nworkers++;
    }
    *ret_serve = serve;
    return true;
}

void serve_stop(struct serve *serve, unsigned grace_ms)
{
    for (unsigned i = 0; i < serve->nworkers; i++) {
        struct letter *letter = letter_new(LETTER_STOP);
        letter->grace_ms = grace_ms;
        worker_post(serve->workers[i].worker, letter);
    }
    for (unsigned i = 0; i < serve->nworkers; i++) {
        worker_join(serve->workers[i].worker);
    }
    serve->nworkers = 0;
    mailbox_close(&serve->box); /* the last events */
}

void serve_free(struct serve *serve)
{
    if (serve != NULL) {
        mailbox_release(&serve->box, letter_drop);
        interest_release(&serve->interest);
        peers_release(&serve->peers);
        tally_release(&serve->tally);
        free(serve);
    }
}
