/* SPDX-License-Identifier: Apache-2.0 */
/* csds: see csds.h. */
#include "serve/csds.h"

#include <stdlib.h>

#include "base/metric.h"
#include "base/panic.h"
#include "serve/client_status.h"

struct csds_call {
    struct list link;
    struct csds *csds;
    struct grpc_call *grpc;
    uint64_t id;
    uint64_t since_ms;
    bool fetch;
    bool asked; /* a request is being answered, or was */
};

void csds_init(struct csds *csds, struct stream_env *env, struct mailbox *events, unsigned worker,
               bool on)
{
    *csds = (struct csds){.env = env, .events = events, .worker = worker, .on = on};
    env->keep_nodes = on;
    list_init(&csds->calls);
}

static void tell(struct csds *csds, struct letter *letter)
{
    letter->worker = csds->worker;
    mailbox_post(csds->events, &letter->mail);
}

/* --- calls ----------------------------------------------------------------------------------- */

void csds_open(struct csds *csds, struct grpc_call *grpc, bool fetch, uint64_t now_ms)
{
    if (!csds->on) {
        grpc_finish(grpc, GRPC_UNIMPLEMENTED,
                    STR("client status is off; heddle serve --csds turns it on"));
        return;
    }
    if (csds->ncalls >= CSDS_CALLS_MAX) {
        grpc_finish(grpc, GRPC_RESOURCE_EXHAUSTED, STR("too many calls ask for client status"));
        return;
    }
    struct csds_call *call = xcalloc(1, sizeof(*call));
    *call = (struct csds_call){
        .csds = csds, .grpc = grpc, .id = ++csds->last_id, .since_ms = now_ms, .fetch = fetch};
    list_append(&csds->calls, &call->link);
    csds->ncalls++;
    grpc_call_set_user(grpc, call);
}

void csds_step(struct csds *csds, uint64_t now_ms)
{
    list_for_each_safe (it, &csds->calls) { /* oldest first */
        struct csds_call *call = list_entry(it, struct csds_call, link);
        if (now_ms - call->since_ms < CSDS_CALL_MS) {
            return;
        }
        grpc_finish(call->grpc, GRPC_DEADLINE_EXCEEDED, STR("the call was open for a minute"));
    }
}

void csds_stop(struct csds *csds)
{
    csds->on = false;
    list_for_each_safe (it, &csds->calls) {
        grpc_finish(list_entry(it, struct csds_call, link)->grpc, GRPC_UNAVAILABLE,
                    STR("the control plane stops"));
    }
}

void csds_message(struct grpc_call *grpc, const uint8_t *data, size_t len)
{
    struct csds_call *call = grpc_call_user(grpc);
    if (call == NULL) {
        return; /* it was refused */
    }
    struct err err;
    struct letter *letter = letter_new(LETTER_ASKED);
    metric_add(M_csds_requests, 1);
    if (!client_filter_decode(str_span((const char *)data, len), &letter->arena,
                              &letter->asked.filter, &err)) {
        letter_free(letter);
        grpc_finish(grpc, GRPC_INVALID_ARGUMENT, str_from(err.text));
        return;
    }
    call->asked = true;
    letter->id = call->id;
    grpc_call_pause(grpc);
    tell(call->csds, letter);
}

/* Not before the last request is answered: a paused call is not told. */
void csds_half_close(struct grpc_call *grpc)
{
    const struct csds_call *call = grpc_call_user(grpc);
    bool empty = call != NULL && call->fetch && !call->asked;
    grpc_finish(grpc, empty ? GRPC_INVALID_ARGUMENT : GRPC_OK,
                empty ? STR("there is no request") : STR_NULL);
}

void csds_closed(struct grpc_call *grpc, const char *reason)
{
    struct csds_call *call = grpc_call_user(grpc);
    (void)reason;
    if (call != NULL) {
        list_remove(&call->link);
        call->csds->ncalls--;
        free(call);
    }
}

/* --- answers --------------------------------------------------------------------------------- */

void csds_count(struct csds *csds, const struct letter *letter)
{
    struct letter *counted = letter_new(LETTER_COUNTED);
    const struct stream_env *env = csds->env;
    struct buf config;
    size_t left = env->limits.response_bytes;
    counted->counted.job = letter->count.job;
    counted->counted.clients =
        ARENA_ARRAY(&counted->arena, env->by_slot.len, struct counted_client);
    for (size_t i = 0; i < env->by_slot.len && !counted->counted.too_much; i++) {
        const struct stream *stream = env->by_slot.items[i];
        if (stream == NULL ||
            !client_filter_takes(&letter->count.filter, str_from(stream->node_id))) {
            continue;
        }
        buf_init(&config, left);
        client_status_encode(stream, &config);
        counted->counted.too_much = !buf_ok(&config);
        left -= buf_ok(&config) ? config.len : 0;
        counted->counted.clients[counted->counted.len++] =
            (struct counted_client){arena_str(&counted->arena, str_from(stream->node_id)),
                                    arena_str(&counted->arena, buf_str(&config))};
        buf_release(&config);
    }
    tell(csds, counted);
}

static void reply(const struct csds_call *call, const struct letter *letter)
{
    if (letter->census.response == NULL) {
        grpc_finish(call->grpc, GRPC_RESOURCE_EXHAUSTED, letter->census.refused);
        return;
    }
    const struct piece piece = PIECE_BLOB(letter->census.response);
    if (!grpc_send(call->grpc, &piece, 1)) {
        grpc_finish(call->grpc, GRPC_RESOURCE_EXHAUSTED, STR("the answer cannot be queued"));
    } else if (call->fetch) {
        grpc_finish(call->grpc, GRPC_OK, STR_NULL);
    }
}

void csds_answer(struct csds *csds, const struct letter *letter)
{
    list_for_each_safe (it, &csds->calls) {
        struct csds_call *call = list_entry(it, struct csds_call, link);
        if (call->id != letter->id) {
            continue;
        }
        reply(call, letter);
        grpc_call_resume(call->grpc);
        return;
    }
}
