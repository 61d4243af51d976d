/* SPDX-License-Identifier: Apache-2.0 */
/* inquiry: see inquiry.h. */
#include "agent/inquiry.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/panic.h"
#include "net/httpc.h"
#include "net/loop.h"

#define WHY_MAX 512

struct inquiry {
    struct inquiry_spec spec;
    char *url;
    struct httpc_call *call; /* NULL: waiting to ask again */
    uint64_t asked_at;
    uint64_t lost_at;  /* since when nobody is reached; 0: somebody was */
    uv_timer_t again;  /* asks */
    uv_timer_t end;    /* gives up */
    unsigned open;     /* handles */
    char why[WHY_MAX]; /* the last thing that went wrong */
};

static void ask(uv_timer_t *timer);

static void handle_closed(uv_handle_t *handle)
{
    struct inquiry *inquiry = handle->data;
    if (--inquiry->open == 0) {
        free(inquiry->url);
        free(inquiry);
    }
}

void inquiry_cancel(struct inquiry *inquiry)
{
    if (inquiry == NULL) {
        return;
    }
    if (inquiry->call != NULL) {
        httpc_cancel(inquiry->call);
        inquiry->call = NULL;
    }
    uv_close((uv_handle_t *)&inquiry->again, handle_closed);
    uv_close((uv_handle_t *)&inquiry->end, handle_closed);
}

/* The inquiry's memory lasts until the loop's next turn. */
static void finish(struct inquiry *inquiry, bool answered, struct str text)
{
    inquiry_cancel(inquiry);
    inquiry->spec.done(inquiry->spec.user, answered, text);
}

static void give_up(struct inquiry *inquiry)
{
    finish(inquiry, false, str_from(inquiry->why));
}

static void on_end(uv_timer_t *timer)
{
    struct inquiry *inquiry = timer->data;
    if (inquiry->why[0] == '\0') {
        snprintf(inquiry->why, sizeof(inquiry->why), "no answer after %llu ms",
                 (unsigned long long)inquiry->spec.wait_ms);
    }
    give_up(inquiry);
}

static bool nobody_for_too_long(struct inquiry *inquiry)
{
    uint64_t now = loop_now_ms(inquiry->spec.loop);
    if (inquiry->lost_at == 0 || now - inquiry->asked_at > 2 * INQUIRY_CONNECT_MS) {
        inquiry->lost_at = now;
    }
    return now - inquiry->lost_at >= inquiry->spec.unreachable_ms;
}

static void on_done(void *user, const struct httpc_result *result)
{
    struct inquiry *inquiry = user;
    inquiry->call = NULL;
    if (result->status == 200) {
        finish(inquiry, true, result->body);
        return;
    }
    if (result->status == 0) {
        snprintf(inquiry->why, sizeof(inquiry->why), "%.*s", STR_FMT(result->why));
    } else {
        snprintf(inquiry->why, sizeof(inquiry->why), "heddle answered %u: %.*s", result->status,
                 STR_FMT(str_trim(result->body)));
    }
    bool again = result->status == 0 || result->status == 429 || result->status >= 500;
    if (result->status != 0) {
        inquiry->lost_at = 0;
    }
    if (!again || (result->status == 0 && nobody_for_too_long(inquiry))) {
        give_up(inquiry);
    } else {
        uv_timer_start(&inquiry->again, ask, INQUIRY_AGAIN_MS, 0);
    }
}

static void ask(uv_timer_t *timer)
{
    struct inquiry *inquiry = timer->data;
    const struct httpc_spec spec = {
        .method = "GET",
        .url = str_from(inquiry->url),
        .accept = STR("application/json"),
        .connect_ms = INQUIRY_CONNECT_MS,
        .body_max = INQUIRY_BODY_MAX,
        .user = inquiry,
        .done = on_done,
    };
    inquiry->asked_at = loop_now_ms(inquiry->spec.loop);
    inquiry->call = httpc_send(inquiry->spec.httpc, &spec);
}

struct inquiry *inquiry_start(const struct inquiry_spec *spec)
{
    struct inquiry *inquiry = xcalloc(1, sizeof(*inquiry));
    inquiry->spec = *spec;
    inquiry->url = str_dup(spec->url);
    inquiry->spec.url = str_from(inquiry->url);
    uv_timer_init(&spec->loop->uv, &inquiry->again);
    uv_timer_init(&spec->loop->uv, &inquiry->end);
    inquiry->again.data = inquiry->end.data = inquiry;
    inquiry->open = 2;
    uv_timer_start(&inquiry->again, ask, 0, 0);
    uv_timer_start(&inquiry->end, on_end, spec->wait_ms, 0);
    return inquiry;
}
