/* SPDX-License-Identifier: Apache-2.0 */
/* h2: the session as a whole: bytes in, frames out, limits, keepalive, shutdown. */
#include "net/h2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "net/h2_session.h"

#define H2_PING_TIMEOUT_MS 20000
#define H2_RESETS_BURST 1000 /* streams a client may open and cancel at once ... */
#define H2_RESETS_RATE 33    /* ... and then per second */

/* Payloads of our PINGs: which question is answered. */
static const uint8_t h2_ping_alive[8] = "alive..";
static const uint8_t h2_ping_shutdown[8] = "goaway.";

static void h2_end(struct h2 *h2, enum close_mode mode, const char *reason)
{
    if (!h2->closing) {
        h2->closing = true;
        loop_task_cancel(&h2->flush);
        h2->transport.ops->close(h2->transport.carrier, mode, reason);
    }
}

/* Frames out */

static bool h2_may_gather(struct h2 *h2)
{
    if (h2->out.len < H2_GATHER_MAX && h2->transport.ops->writable(h2->transport.carrier)) {
        return true;
    }
    h2->out_full = true;
    return false;
}

static ssize_t h2_send(nghttp2_session *ng, const uint8_t *data, size_t len, int flags, void *user)
{
    (void)ng;
    (void)flags;
    struct h2 *h2 = user;
    if (!h2_may_gather(h2)) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    chain_add_copy(&h2->out, data, len);
    return (ssize_t)len;
}

static int h2_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *frame_header,
                        size_t len, nghttp2_data_source *source, void *user)
{
    (void)ng;
    struct h2 *h2 = user;
    if (!h2_may_gather(h2)) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    ASSERT(frame->data.padlen == 0);
    size_t before = h2->out.len + 9;
    chain_add_copy(&h2->out, frame_header, 9);
    if (len > 0) {
        h2->events->body_take(source->ptr, len, &h2->out);
    }
    ASSERT(h2->out.len == before + len);
    return 0;
}

/* When there is nothing left to say or to hear, the connection ends. */
static void h2_check_finished(struct h2 *h2)
{
    bool done = nghttp2_session_want_read(h2->ng) == 0 && nghttp2_session_want_write(h2->ng) == 0;
    if (done || (h2->goaway_sent && h2->nstreams == 0)) {
        h2_end(h2, CLOSE_AFTER_FLUSH,
               h2->shut          ? "shut down"
               : h2->peer_leaves ? "closed by peer"
                                 : "protocol error");
    }
}

void h2_flush(struct h2 *h2)
{
    if (h2->inside || h2->closing) {
        return; /* a turn of nghttp2 is followed by a flush anyway */
    }
    loop_task_cancel(&h2->flush);
    int rc;
    do {
        h2->out_full = false;
        h2->inside = true;
        rc = nghttp2_session_send(h2->ng);
        h2->inside = false;
        if (h2->out.len > 0) {
            h2->transport.ops->write(h2->transport.carrier, &h2->out);
        }
    } while (rc == 0 && h2->out_full && !h2->closing &&
             h2->transport.ops->writable(h2->transport.carrier));
    if (rc != 0) {
        h2_end(h2, CLOSE_NOW, nghttp2_strerror(rc));
        return;
    }
    h2_check_finished(h2);
}

static void h2_flush_task(struct loop_task *task)
{
    h2_flush(list_entry(task, struct h2, flush));
}

void h2_flush_soon(struct h2 *h2)
{
    if (h2->loop != NULL && !h2->closing) {
        loop_task_soon(h2->loop, &h2->flush);
    }
}

void h2_drained(struct h2 *h2)
{
    h2_flush(h2);
}

/* Bytes in */

void h2_feed(struct h2 *h2, const uint8_t *data, size_t len)
{
    if (h2->closing) {
        return;
    }
    h2->inside = true;
    ssize_t rc = nghttp2_session_mem_recv(h2->ng, data, len);
    h2->inside = false;
    if (rc < 0) {
        h2_flush(h2); /* a GOAWAY with the reason, when there is one */
        h2_end(h2, CLOSE_AFTER_FLUSH, nghttp2_strerror((int)rc));
        return;
    }
    h2_flush_soon(h2);
}

/* Frames that cost the client little and us an answer or bookkeeping. */
static bool h2_is_control(const nghttp2_frame *frame)
{
    switch (frame->hd.type) {
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PRIORITY:
    case NGHTTP2_PRIORITY_UPDATE:
        return true;
    case NGHTTP2_DATA:
        return frame->hd.length == 0;
    default:
        return false;
    }
}

static bool h2_within_control_limit(struct h2 *h2)
{
    uint64_t now_ms = h2->loop != NULL ? loop_now_ms(h2->loop) : 0;
    if (now_ms - h2->control_since_ms >= 1000) {
        h2->control_since_ms = now_ms;
        h2->control_frames = 0;
    }
    return ++h2->control_frames <= H2_CONTROL_PER_SECOND;
}

static void h2_timer_fired(uv_timer_t *timer);

static void h2_pong(struct h2 *h2, const uint8_t payload[8])
{
    if (memcmp(payload, h2_ping_shutdown, 8) == 0 && h2->shut && !h2->goaway_sent) {
        h2->goaway_sent = true;
        nghttp2_submit_goaway(h2->ng, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(h2->ng), NGHTTP2_NO_ERROR,
                              NULL, 0);
    } else if (h2->ping == H2_PING_ASKED) {
        h2->ping = H2_PING_RESTING;
        uv_timer_start(&h2->timer, h2_timer_fired, h2->options.ping_interval_ms, 0);
    }
}

static int h2_frame_received(nghttp2_session *ng, const nghttp2_frame *frame, void *user)
{
    (void)ng;
    struct h2 *h2 = user;
    if (h2_is_control(frame) && !h2_within_control_limit(h2)) {
        h2_end(h2, CLOSE_NOW, "too many PING, SETTINGS, PRIORITY or empty DATA frames");
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        h2_pong(h2, frame->ping.opaque_data);
    } else if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
        h2_stream_frame(h2, frame);
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
        h2->peer_leaves = true;
    }
    return 0;
}

/* Keepalive */

static void h2_timer_fired(uv_timer_t *timer)
{
    struct h2 *h2 = timer->data;
    if (h2->ping == H2_PING_ASKED) {
        h2_end(h2, CLOSE_NOW, "no answer to a keepalive PING");
        return;
    }
    nghttp2_submit_ping(h2->ng, NGHTTP2_FLAG_NONE, h2_ping_alive);
    h2->ping = H2_PING_ASKED;
    uv_timer_start(timer, h2_timer_fired, h2->options.ping_timeout_ms, 0);
    h2_flush(h2);
}

/* Beginning and end */

static nghttp2_session *h2_make_session(struct h2 *h2)
{
    nghttp2_session *ng;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
    ASSERT(nghttp2_option_new(&option) == 0);
    nghttp2_session_callbacks_set_send_callback(callbacks, h2_send);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, h2_send_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, h2_frame_received);
    h2_stream_set_callbacks(callbacks);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, H2_OUTBOUND_ACK_MAX);
    nghttp2_option_set_max_settings(option, H2_SETTINGS_MAX);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, 0); /* we send few headers, once */
    nghttp2_option_set_stream_reset_rate_limit(option, H2_RESETS_BURST, H2_RESETS_RATE);
    ASSERT(nghttp2_session_server_new2(&ng, callbacks, h2, option) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return ng;
}

static void h2_greet(struct h2 *h2)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, h2->options.streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, h2->options.stream_window},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, H2_FRAME_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, h2->options.header_list_max},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    nghttp2_submit_settings(h2->ng, NGHTTP2_FLAG_NONE, settings,
                            sizeof(settings) / sizeof(settings[0]));
    nghttp2_session_set_local_window_size(h2->ng, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW);
}

static uint32_t h2_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static struct h2 *h2_make(const struct h2_options *options, const struct h2_events *events,
                          void *user)
{
    struct h2 *h2 = xcalloc(1, sizeof(*h2));
    if (options != NULL) {
        h2->options = *options;
    }
    h2->options.streams_max = h2_default(h2->options.streams_max, H2_STREAMS_MAX);
    h2->options.header_list_max = h2_default(h2->options.header_list_max, H2_HEADER_LIST_MAX);
    h2->options.stream_window = h2_default(h2->options.stream_window, H2_STREAM_WINDOW);
    h2->options.ping_timeout_ms = h2_default(h2->options.ping_timeout_ms, H2_PING_TIMEOUT_MS);
    h2->events = events;
    h2->user = user;
    list_init(&h2->streams);
    loop_task_init(&h2->flush, h2_flush_task);
    h2->ng = h2_make_session(h2);
    h2_greet(h2);
    return h2;
}

struct h2 *h2_new_on(struct transport transport, const struct h2_options *options,
                     const struct h2_events *events, void *user)
{
    struct h2 *h2 = h2_make(options, events, user);
    h2->transport = transport;
    return h2;
}

static void h2_conn_data(void *user, const uint8_t *data, size_t len)
{
    h2_feed(user, data, len);
}

static void h2_conn_drain(void *user)
{
    h2_drained(user);
}

static void h2_conn_closed(void *user, const char *reason)
{
    h2_lost(user, reason);
}

struct h2 *h2_new(struct loop *loop, int fd, const struct sockaddr_storage *peer,
                  struct tls_context *tls, const struct conn_options *conn_options,
                  const struct h2_options *options, const struct h2_events *events, void *user)
{
    static const struct conn_events conn_events = {
        .on_data = h2_conn_data,
        .on_drain = h2_conn_drain,
        .on_closed = h2_conn_closed,
    };
    struct h2 *h2 = h2_make(options, events, user);
    h2->loop = loop;
    h2->conn = conn_new(loop, fd, peer, tls, conn_options, &conn_events, h2);
    h2->transport = conn_transport(h2->conn);
    uv_timer_init(&loop->uv, &h2->timer);
    h2->timer.data = h2;
    if (h2->options.ping_interval_ms > 0) {
        h2->ping = H2_PING_RESTING;
        uv_timer_start(&h2->timer, h2_timer_fired, h2->options.ping_interval_ms, 0);
    }
    h2_flush_soon(h2);
    return h2;
}

static void h2_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void h2_lost(struct h2 *h2, const char *reason)
{
    ASSERT(!h2->inside);
    h2->closing = true;
    h2->lost_reason = reason;
    loop_task_cancel(&h2->flush);
    while (!list_empty(&h2->streams)) {
        h2_stream_end(list_entry(h2->streams.next, struct h2_stream, link), NGHTTP2_CANCEL);
    }
    if (h2->events->on_closed != NULL) {
        h2->events->on_closed(h2->user, reason);
    }
    nghttp2_session_del(h2->ng);
    chain_release(&h2->out);
    if (h2->loop != NULL) {
        uv_close((uv_handle_t *)&h2->timer, h2_timer_closed);
    } else {
        free(h2);
    }
}

void h2_shutdown(struct h2 *h2)
{
    if (h2->shut || h2->closing) {
        return;
    }
    /* First "soon", then, when the client must have seen it, "from this stream on". */
    h2->shut = true;
    nghttp2_submit_shutdown_notice(h2->ng);
    nghttp2_submit_ping(h2->ng, NGHTTP2_FLAG_NONE, h2_ping_shutdown);
    h2_flush_soon(h2);
}

void h2_close(struct h2 *h2, const char *reason)
{
    h2_end(h2, CLOSE_NOW, reason);
    /* also when it is ending already, but waits for what is queued to be written */
    h2->transport.ops->close(h2->transport.carrier, CLOSE_NOW, reason);
}

size_t h2_streams(const struct h2 *h2)
{
    return h2->nstreams;
}

const char *h2_lost_reason(const struct h2 *h2)
{
    return h2->lost_reason;
}

struct conn *h2_conn(const struct h2 *h2)
{
    return h2->conn;
}
