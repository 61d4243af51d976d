/* SPDX-License-Identifier: Apache-2.0 */
/* grpc_call: one call: messages out of and into bodies, status, flow control. */
#include "net/grpc_call.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/panic.h"

#define GRPC_IN_KEEP 4096 /* memory an empty input buffer may keep */

/* Status */

char *grpc_escape(struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    struct str cut = str_sub(text, 0, GRPC_STATUS_TEXT_MAX);
    char *escaped = xmalloc(3 * cut.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < cut.len; i++) {
        unsigned char c = (unsigned char)cut.ptr[i];
        if (c >= 0x20 && c <= 0x7e && c != '%') {
            escaped[len++] = (char)c;
        } else {
            escaped[len++] = '%';
            escaped[len++] = hex[c >> 4];
            escaped[len++] = hex[c & 15];
        }
    }
    escaped[len] = '\0';
    return escaped;
}

static const struct h2_header grpc_type_header = {STR("content-type"), STR("application/grpc")};

/* The fields that end every call; returns how many. `number` is room for the status as text. */
static size_t grpc_status_fields(enum grpc_status status, const char *escaped_text, char number[12],
                                 struct h2_header ret_fields[2])
{
    snprintf(number, 12, "%d", (int)status);
    ret_fields[0] = (struct h2_header){STR("grpc-status"), str_from(number)};
    if (escaped_text == NULL || escaped_text[0] == '\0') {
        return 1;
    }
    ret_fields[1] = (struct h2_header){STR("grpc-message"), str_from(escaped_text)};
    return 2;
}

void grpc_refuse(struct h2_stream *stream, enum grpc_status status, const char *escaped_text)
{
    char number[12];
    struct h2_header fields[3] = {grpc_type_header};
    size_t count = grpc_status_fields(status, escaped_text, number, fields + 1);
    h2_respond(stream, 200, fields, count + 1, false);
}

void grpc_finish(struct grpc_call *call, enum grpc_status status, struct str text)
{
    if (call->finished) {
        return;
    }
    call->finished = true;
    call->status = status;
    call->status_text = grpc_escape(text);
    h2_consume(call->stream, call->unpaid);
    call->unpaid = 0;
    if (call->responded) {
        h2_resume(call->stream); /* the trailers go behind what is queued */
    } else {
        call->responded = call->trailers_out = true;
        grpc_refuse(call->stream, status, call->status_text);
    }
}

/* Messages in */

/* The length of the message that begins at data; false: the call was finished because of it. */
static bool grpc_parse_prefix(struct grpc_call *call, const uint8_t *data, size_t *ret_len)
{
    size_t len =
        (size_t)data[1] << 24 | (size_t)data[2] << 16 | (size_t)data[3] << 8 | (size_t)data[4];
    size_t max = call->conn->server->options.message_max;
    if (data[0] == 1) {
        grpc_finish(call, GRPC_UNIMPLEMENTED, STR("compressed messages are not supported"));
        return false;
    }
    if (data[0] != 0) {
        grpc_finish(call, GRPC_INTERNAL, STR("bad message prefix"));
        return false;
    }
    if (len > max) {
        struct err err;
        err_set(&err, "message of %zu bytes is larger than the maximum of %zu", len, max);
        grpc_finish(call, GRPC_RESOURCE_EXHAUSTED, str_from(err.text));
        return false;
    }
    *ret_len = len;
    return true;
}

/* Delivers the whole messages at data; returns how many bytes are dealt with. */
static size_t grpc_deliver(struct grpc_call *call, const uint8_t *data, size_t len)
{
    size_t done = 0;
    while (!call->paused && !call->finished && len - done >= GRPC_PREFIX_LEN) {
        size_t message_len;
        if (!grpc_parse_prefix(call, data + done, &message_len)) {
            break;
        }
        if (len - done - GRPC_PREFIX_LEN < message_len) {
            break;
        }
        if (call->handler->on_message != NULL) {
            call->handler->on_message(call, data + done + GRPC_PREFIX_LEN, message_len);
        }
        done += GRPC_PREFIX_LEN + message_len;
    }
    return call->finished ? len : done;
}

/* What holds when nothing more can be delivered now: pay for what was received, tell the end. */
static void grpc_settle(struct grpc_call *call)
{
    if (call->paused) {
        return;
    }
    h2_consume(call->stream, call->unpaid);
    call->unpaid = 0;
    if (!call->ended || call->half_closed || call->finished) {
        return;
    }
    call->half_closed = true;
    if (call->in.len > 0) {
        grpc_finish(call, GRPC_INTERNAL, STR("the last message was cut short"));
    } else if (call->handler->on_half_close != NULL) {
        call->handler->on_half_close(call);
    }
}

/* One client must not make us hold a large message for every call that it may open. */
static void grpc_check_held(struct grpc_call *call)
{
    if (!call->paused &&
        call->conn->held > GRPC_PARTIAL_MAX * call->conn->server->options.message_max) {
        grpc_finish(call, GRPC_RESOURCE_EXHAUSTED,
                    STR("too many unfinished messages on one connection"));
        call->conn->held -= call->in.len;
        buf_clear(&call->in);
    }
}

void grpc_call_body(struct grpc_call *call, const uint8_t *data, size_t len)
{
    size_t held = call->in.len;
    call->unpaid += len;
    call->delivering = true;
    if (len > 0 && call->in.len == 0 && !call->paused) {
        size_t done = grpc_deliver(call, data, len);
        data += done;
        len -= done;
    }
    if (len > 0 && !call->finished) {
        buf_add(&call->in, data, len);
        ASSERT(buf_ok(&call->in)); /* message_max and the window are its maximum */
    }
    if (call->in.len > 0) {
        buf_consume(&call->in, grpc_deliver(call, call->in.data, call->in.len));
    }
    call->conn->held += call->in.len - held;
    grpc_check_held(call);
    if (call->in.len == 0 && call->in.cap > GRPC_IN_KEEP) {
        buf_release(&call->in);
    }
    grpc_settle(call);
    call->delivering = false;
}

void grpc_call_body_end(struct grpc_call *call)
{
    call->ended = true;
    call->delivering = true;
    grpc_settle(call);
    call->delivering = false;
}

void grpc_call_opened(struct grpc_call *call, bool end)
{
    call->delivering = true;
    if (call->handler->on_open != NULL) {
        call->handler->on_open(call->conn->server->user, call);
    }
    call->delivering = false;
    if (end) {
        grpc_call_body_end(call);
    }
}

void grpc_call_pause(struct grpc_call *call)
{
    call->paused = true;
}

void grpc_call_resume(struct grpc_call *call)
{
    if (!call->paused) {
        return;
    }
    call->paused = false;
    if (!call->delivering) {
        grpc_call_body(call, NULL, 0);
    }
}

/* Messages out */

bool grpc_send(struct grpc_call *call, const struct piece *pieces, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += pieces[i].bytes.len;
    }
    if (call->finished || len > UINT32_MAX ||
        call->out.len + GRPC_PREFIX_LEN + len > call->conn->server->options.queue_max) {
        return false;
    }
    const uint8_t prefix[GRPC_PREFIX_LEN] = {
        0, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
    };
    chain_add_copy(&call->out, prefix, sizeof(prefix));
    for (size_t i = 0; i < count; i++) {
        chain_add_piece(&call->out, &pieces[i]);
    }
    if (!call->responded) {
        call->responded = true;
        h2_respond(call->stream, 200, &grpc_type_header, 1, true);
    } else {
        h2_resume(call->stream);
    }
    return true;
}

size_t grpc_call_pull_size(struct grpc_call *call, size_t max, enum h2_pull *ret_pull)
{
    size_t len = call->out.len < max ? call->out.len : max;
    if (call->finished && len == call->out.len && !call->trailers_out) {
        char number[12];
        struct h2_header fields[2];
        size_t count = grpc_status_fields(call->status, call->status_text, number, fields);
        h2_trailers(call->stream, fields, count);
        call->trailers_out = true;
        *ret_pull = H2_PULL_TRAILERS;
    }
    return len;
}

void grpc_call_pull(struct grpc_call *call, size_t len, struct chain *out)
{
    chain_move(out, &call->out, len);
    if (call->out.len == 0 && !call->finished && call->handler->on_drained != NULL) {
        call->handler->on_drained(call);
    }
}

size_t grpc_call_queued(const struct grpc_call *call)
{
    return call->out.len;
}

/* End */

static const char *grpc_close_reason(const struct grpc_call *call, uint32_t error)
{
    const char *lost = h2_lost_reason(call->conn->h2);
    if (lost != NULL) {
        return lost;
    }
    if (call->trailers_out && error == NGHTTP2_NO_ERROR) {
        return "finished";
    }
    return error == NGHTTP2_CANCEL ? "cancelled by the client" : "reset by the client";
}

void grpc_call_closed(struct grpc_call *call, uint32_t error)
{
    call->finished = true; /* nothing can be sent from inside on_closed */
    call->handler->on_closed(call, grpc_close_reason(call, error));
    call->conn->held -= call->in.len;
    chain_release(&call->out);
    buf_release(&call->in);
    free(call->status_text);
    free(call);
}

/* Questions */

void grpc_call_set_user(struct grpc_call *call, void *user)
{
    call->user = user;
}

void *grpc_call_user(const struct grpc_call *call)
{
    return call->user;
}

struct str grpc_call_header(const struct grpc_call *call, struct str name)
{
    return h2_header(call->stream, name);
}

void *grpc_call_tag(const struct grpc_call *call)
{
    return call->conn->tag;
}

const struct sockaddr_storage *grpc_call_peer(const struct grpc_call *call)
{
    return &call->conn->peer;
}

bool grpc_call_peer_uri(const struct grpc_call *call, struct buf *ret_uri)
{
    struct conn *conn = h2_conn(call->conn->h2);
    return conn != NULL && conn_peer_uri(conn, ret_uri);
}
