/* SPDX-License-Identifier: Apache-2.0 */
/* h2_stream: one request and its response, between nghttp2 and the upper layer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "net/h2_session.h"

void h2_stream_set_user(struct h2_stream *stream, void *user)
{
    stream->user = user;
}

void *h2_stream_user(const struct h2_stream *stream)
{
    return stream->user;
}

void h2_stream_end(struct h2_stream *stream, uint32_t error)
{
    list_remove(&stream->link);
    stream->h2->nstreams--;
    if (stream->requested) {
        stream->h2->events->on_stream_closed(stream, error);
    }
    buf_release(&stream->headers);
    free(stream);
}

/* Request headers */

static int h2_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *user)
{
    struct h2 *h2 = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    struct h2_stream *stream = xcalloc(1, sizeof(*stream));
    stream->h2 = h2;
    stream->id = frame->hd.stream_id;
    buf_init(&stream->headers, (size_t)h2->options.header_list_max + 8 * (size_t)H2_HEADERS_MAX);
    list_append(&h2->streams, &stream->link);
    h2->nstreams++;
    nghttp2_session_set_stream_user_data(ng, stream->id, stream);
    return 0;
}

static int h2_header_received(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                              size_t name_len, const uint8_t *value, size_t value_len,
                              uint8_t flags, void *user)
{
    (void)flags;
    (void)user;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (stream == NULL || stream->requested) {
        return 0; /* trailers say nothing that we need */
    }
    const uint32_t lens[2] = {(uint32_t)name_len, (uint32_t)value_len};
    if (++stream->nheaders > H2_HEADERS_MAX) {
        stream->headers.toobig = true;
    }
    uint8_t *room = buf_reserve(&stream->headers, sizeof(lens) + name_len + value_len);
    if (room == NULL || stream->headers.toobig) {
        stream->headers.toobig = true;
        return 0; /* answered with 431 when the request is whole */
    }
    memcpy(room, lens, sizeof(lens));
    memcpy(room + sizeof(lens), name, name_len);
    if (value_len > 0) {
        memcpy(room + sizeof(lens) + name_len, value, value_len);
    }
    buf_commit(&stream->headers, sizeof(lens) + name_len + value_len);
    return 0;
}

struct str h2_header(const struct h2_stream *stream, struct str name)
{
    const struct buf *headers = &stream->headers;
    uint32_t lens[2];
    for (size_t at = 0; at < headers->len; at += sizeof(lens) + lens[0] + lens[1]) {
        memcpy(lens, headers->data + at, sizeof(lens));
        const char *text = (const char *)headers->data + at + sizeof(lens);
        if (str_eq(str_span(text, lens[0]), name)) {
            return str_span(text + lens[0], lens[1]);
        }
    }
    return STR_NULL;
}

static void h2_stream_requested(struct h2_stream *stream, bool end)
{
    struct h2 *h2 = stream->h2;
    stream->body_ended = end;
    if (stream->headers.toobig) {
        h2_respond(stream, 431, NULL, 0, false);
        return;
    }
    const struct h2_request request = {
        .method = h2_header(stream, STR(":method")),
        .path = h2_header(stream, STR(":path")),
        .authority = h2_header(stream, STR(":authority")),
        .content_type = h2_header(stream, STR("content-type")),
        .end = end,
    };
    stream->requested = true;
    h2->events->on_request(h2->user, stream, &request);
}

void h2_stream_frame(struct h2 *h2, const nghttp2_frame *frame)
{
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(h2->ng, frame->hd.stream_id);
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (stream == NULL) {
        return;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        h2_stream_requested(stream, end);
    } else if (end && stream->requested && !stream->body_ended) {
        stream->body_ended = true;
        h2->events->on_body_end(stream);
    }
}

static int h2_body_received(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data,
                            size_t len, void *user)
{
    (void)flags;
    struct h2 *h2 = user;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(ng, id);
    nghttp2_session_consume_connection(ng, len);
    if (stream != NULL && stream->requested && !h2->closing) {
        h2->events->on_body(stream, data, len);
    }
    return 0;
}

void h2_consume(struct h2_stream *stream, size_t len)
{
    if (len > 0 && !stream->h2->closing) {
        nghttp2_session_consume_stream(stream->h2->ng, stream->id, len);
        h2_flush_soon(stream->h2);
    }
}

static int h2_stream_closed(nghttp2_session *ng, int32_t id, uint32_t error, void *user)
{
    (void)user;
    struct h2_stream *stream = nghttp2_session_get_stream_user_data(ng, id);
    if (stream != NULL) {
        nghttp2_session_set_stream_user_data(ng, id, NULL);
        h2_stream_end(stream, error);
    }
    return 0;
}

/* Response */

static ssize_t h2_pull_body(nghttp2_session *ng, int32_t id, uint8_t *data, size_t max,
                            uint32_t *ret_flags, nghttp2_data_source *source, void *user)
{
    (void)ng;
    (void)id;
    (void)data; /* the bytes are taken later, as a chain, by h2_send_data() */
    struct h2 *h2 = user;
    enum h2_pull pull = H2_PULL_MORE;
    size_t len = h2->events->body_size(source->ptr, max, &pull);
    ASSERT(len <= max);
    if (len == 0 && pull == H2_PULL_MORE) {
        return NGHTTP2_ERR_DEFERRED;
    }
    *ret_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (pull != H2_PULL_MORE) {
        *ret_flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    if (pull == H2_PULL_TRAILERS) {
        *ret_flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return (ssize_t)len;
}

static nghttp2_nv h2_field(struct str name, struct str value)
{
    /* nghttp2 copies both; its type is not const only because it may be told not to. */
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.ptr,
        .namelen = name.len,
        .value = (uint8_t *)(uintptr_t)value.ptr,
        .valuelen = value.len,
        .flags = NGHTTP2_NV_FLAG_NONE,
    };
}

void h2_respond(struct h2_stream *stream, unsigned status, const struct h2_header *headers,
                size_t count, bool has_body)
{
    ASSERT(!stream->responded && count <= H2_RESPONSE_HEADERS_MAX);
    stream->responded = true;
    if (stream->h2->closing) {
        return;
    }
    char status_text[12];
    nghttp2_nv fields[H2_RESPONSE_HEADERS_MAX + 1];
    snprintf(status_text, sizeof(status_text), "%u", status);
    fields[0] = h2_field(STR(":status"), str_from(status_text));
    for (size_t i = 0; i < count; i++) {
        fields[i + 1] = h2_field(headers[i].name, headers[i].value);
    }
    const nghttp2_data_provider provider = {
        .source = {.ptr = stream},
        .read_callback = h2_pull_body,
    };
    nghttp2_submit_response(stream->h2->ng, stream->id, fields, count + 1,
                            has_body ? &provider : NULL);
    h2_flush_soon(stream->h2);
}

void h2_trailers(struct h2_stream *stream, const struct h2_header *headers, size_t count)
{
    ASSERT(count <= H2_RESPONSE_HEADERS_MAX);
    nghttp2_nv fields[H2_RESPONSE_HEADERS_MAX];
    for (size_t i = 0; i < count; i++) {
        fields[i] = h2_field(headers[i].name, headers[i].value);
    }
    nghttp2_submit_trailer(stream->h2->ng, stream->id, fields, count);
}

void h2_resume(struct h2_stream *stream)
{
    if (!stream->h2->closing) {
        /* Fails when the body is not waiting: then it will be asked anyway. */
        nghttp2_session_resume_data(stream->h2->ng, stream->id);
        h2_flush_soon(stream->h2);
    }
}

void h2_reset(struct h2_stream *stream, uint32_t error)
{
    if (!stream->h2->closing) {
        nghttp2_submit_rst_stream(stream->h2->ng, NGHTTP2_FLAG_NONE, stream->id, error);
        h2_flush_soon(stream->h2);
    }
}

/* We have said all, the client has not: it need not go on (RFC 9113 section 8.1). */
static int h2_frame_sent(nghttp2_session *ng, const nghttp2_frame *frame, void *user)
{
    (void)user;
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        nghttp2_session_get_stream_remote_close(ng, frame->hd.stream_id) == 0) {
        nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
}

void h2_stream_set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, h2_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, h2_header_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, h2_body_received);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, h2_stream_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, h2_frame_sent);
}
