/* SPDX-License-Identifier: Apache-2.0 */
/* worker: the thread, and who on it has to do with which letter and which call; see worker.h. */
#include "serve/worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/panic.h"
#include "net/addr.h"
#include "net/grpc.h"
#include "net/loop.h"
#include "serve/acks_timer.h"
#include "serve/ads.h"
#include "serve/csds.h"

#define STEP_MS 500 /* how often silent calls, denied names and memory are looked after */
#define STOP_STEP_MS 10
#define ADS_SERVICE "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
#define STATUS_SERVICE "/envoy.service.status.v3.ClientStatusDiscoveryService/"

struct worker {
    struct worker_config config;
    struct loop loop;
    struct mailbox box;
    struct grpc_server *server;
    struct ads ads;
    struct csds csds;
    struct acks_timer acks;
    uv_timer_t step;
    bool untidy; /* ads was busy before the last step */
    uv_timer_t stop;
    bool stopping;
    uint64_t stop_at; /* loop time */
};

static void tell(struct worker *worker, struct letter *letter)
{
    letter->worker = worker->config.index;
    mailbox_post(worker->config.events, &letter->mail);
}

static void tell_acks(void *user, struct letter *letter)
{
    tell(user, letter);
}

/* --- calls ----------------------------------------------------------------------------------- */

static void on_sotw_open(void *user, struct grpc_call *grpc)
{
    struct worker *worker = user;
    ads_open(&worker->ads, grpc, STREAM_SOTW);
}

static void on_delta_open(void *user, struct grpc_call *grpc)
{
    struct worker *worker = user;
    ads_open(&worker->ads, grpc, STREAM_DELTA);
}

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

static const struct grpc_handler sotw_handler = {on_sotw_open, ads_message, ads_half_close,
                                                 ads_drained, ads_closed};
static const struct grpc_handler delta_handler = {on_delta_open, ads_message, ads_half_close,
                                                  ads_drained, ads_closed};
static const struct grpc_handler status_handler = {on_status_open, csds_message, csds_half_close,
                                                   NULL, csds_closed};
static const struct grpc_handler fetch_handler = {on_fetch_open, csds_message, csds_half_close,
                                                  NULL, csds_closed};
static const struct grpc_method methods[] = {
    {ADS_SERVICE "StreamAggregatedResources", &sotw_handler},
    {ADS_SERVICE "DeltaAggregatedResources", &delta_handler},
    {STATUS_SERVICE "StreamClientStatus", &status_handler},
    {STATUS_SERVICE "FetchClientStatus", &fetch_handler},
};

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

/* --- from time to time ----------------------------------------------------------------------- */

/* A cold start leaves holes in the heap that glibc keeps: 11 MB after 500 streams with 4,000
 * resources each. They are given back once when it is over; that takes a millisecond. */
static void tidy_memory(struct worker *worker)
{
    if (worker->untidy && !worker->ads.busy) {
        xtrim();
    }
    worker->untidy = worker->ads.busy;
    worker->ads.busy = false;
}

static void on_step(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    ads_step(&worker->ads);
    streams_ask_again(&worker->ads.env);
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
    ads_stop(&worker->ads);
    uv_timer_start(&worker->stop, on_stop_step, STOP_STEP_MS, STOP_STEP_MS);
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
        ads_apply(&worker->ads, letter->changes);
        break;
    case LETTER_VIEW:
    case LETTER_REFUSE:
        ads_about_stream(&worker->ads, letter);
        break;
    case LETTER_ASK:
        ads_report(&worker->ads, letter);
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
    ads_init(&worker->ads, &(struct ads_config){
                               .loop = &worker->loop,
                               .events = config->events,
                               .acks = &worker->acks,
                               .worker = config->index,
                               .limits = &worker->config.limits,
                               .report_acks = config->report_acks,
                               .nstreams = config->nstreams,
                               .names = config->names,
                           });
    acks_timer_init(&worker->acks, &worker->loop, &worker->ads.env, tell_acks, worker);
    csds_init(&worker->csds, &worker->ads.env, config->events, config->index, config->csds);
    worker->server = grpc_server_new(&worker->loop, &options, worker);
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
    loop_task_cancel(&worker->ads.pump);
    loop_release(&worker->loop);
    mailbox_release(&worker->box, letter_drop);
    acks_release(&worker->acks.watches);
    ads_release(&worker->ads);
    ASSERT(worker->csds.ncalls == 0);
    free(worker);
}
