/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_client: an HTTP/2 client on nghttp2's client side, over memory, for the tests of h2 and grpc.
 *
 * It remembers what came back for each stream; what it wants to send lies in `out`.
 */
#ifndef HEDDLE_TESTS_H2_CLIENT_H
#define HEDDLE_TESTS_H2_CLIENT_H

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define CLIENT_STREAMS 128

struct client_stream {
    int32_t id;
    char status[8];
    struct buf fields; /* "name: value\n" of headers and trailers */
    struct buf body;   /* received */
    struct buf send;   /* request body that waits */
    bool send_end;
    bool ended;  /* END_STREAM came */
    bool closed; /* stream is gone */
    uint32_t error;
};

struct h2_client {
    nghttp2_session *ng;
    struct buf out;
    struct client_stream streams[CLIENT_STREAMS];
    unsigned nstreams;
    unsigned pongs;
    unsigned data_frames;
    bool acked; /* our SETTINGS */
    bool goaway;
    int32_t goaway_last;
};

static inline ssize_t client_send(nghttp2_session *ng, const uint8_t *data, size_t len, int flags,
                                  void *user)
{
    (void)ng;
    (void)flags;
    buf_add(&((struct h2_client *)user)->out, data, len);
    return (ssize_t)len;
}

static inline int client_header(nghttp2_session *ng, const nghttp2_frame *frame,
                                const uint8_t *name, size_t name_len, const uint8_t *value,
                                size_t value_len, uint8_t flags, void *user)
{
    (void)flags;
    (void)user;
    struct client_stream *stream = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (stream != NULL) {
        buf_printf(&stream->fields, "%.*s: %.*s\n", (int)name_len, name, (int)value_len, value);
        if (name_len == 7 && memcmp(name, ":status", 7) == 0) {
            snprintf(stream->status, sizeof(stream->status), "%.*s", (int)value_len, value);
        }
    }
    return 0;
}

static inline int client_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data,
                              size_t len, void *user)
{
    (void)flags;
    (void)user;
    struct client_stream *stream = nghttp2_session_get_stream_user_data(ng, id);
    if (stream != NULL) {
        buf_add(&stream->body, data, len);
    }
    return 0;
}

static inline int client_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *user)
{
    struct h2_client *client = user;
    struct client_stream *stream = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->goaway = true;
        client->goaway_last = frame->goaway.last_stream_id;
    } else if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        client->pongs++;
    } else if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        client->acked = true;
    } else if (frame->hd.type == NGHTTP2_DATA) {
        client->data_frames++;
    }
    if (stream != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS)) {
        stream->ended = true;
    }
    return 0;
}

static inline int client_closed(nghttp2_session *ng, int32_t id, uint32_t error, void *user)
{
    (void)user;
    struct client_stream *stream = nghttp2_session_get_stream_user_data(ng, id);
    if (stream != NULL) {
        stream->closed = true;
        stream->error = error;
    }
    return 0;
}

static inline ssize_t client_body(nghttp2_session *ng, int32_t id, uint8_t *data, size_t max,
                                  uint32_t *ret_flags, nghttp2_data_source *source, void *user)
{
    (void)ng;
    (void)id;
    (void)user;
    struct client_stream *stream = source->ptr;
    size_t len = stream->send.len < max ? stream->send.len : max;
    if (len == 0 && !stream->send_end) {
        return NGHTTP2_ERR_DEFERRED;
    }
    if (len > 0) {
        memcpy(data, stream->send.data, len);
        buf_consume(&stream->send, len);
    }
    if (stream->send_end && stream->send.len == 0) {
        *ret_flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)len;
}

static inline void client_init(struct h2_client *client, bool manual_window)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    memset(client, 0, sizeof(*client));
    buf_init(&client->out, BUF_UNLIMITED);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, manual_window);
    nghttp2_session_callbacks_set_send_callback(callbacks, client_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, client_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, client_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, client_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, client_closed);
    nghttp2_session_client_new2(&client->ng, callbacks, client, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(client->ng, NGHTTP2_FLAG_NONE, NULL, 0);
}

static inline void client_release(struct h2_client *client)
{
    nghttp2_session_del(client->ng);
    buf_release(&client->out);
    for (unsigned i = 0; i < client->nstreams; i++) {
        buf_release(&client->streams[i].fields);
        buf_release(&client->streams[i].body);
        buf_release(&client->streams[i].send);
    }
}

static inline nghttp2_nv client_field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

/* extra: a further header and its value, or NULL. has_body: client_write() follows. */
static inline struct client_stream *client_request(struct h2_client *client, const char *method,
                                                   const char *path, const char *content_type,
                                                   const char *extra, const char *extra_value,
                                                   bool has_body)
{
    struct client_stream *stream = &client->streams[client->nstreams++];
    buf_init(&stream->fields, BUF_UNLIMITED);
    buf_init(&stream->body, BUF_UNLIMITED);
    buf_init(&stream->send, BUF_UNLIMITED);
    const nghttp2_nv fields[] = {
        client_field(":method", method),
        client_field(":scheme", "http"),
        client_field(":path", path),
        client_field(":authority", "test"),
        client_field("te", "trailers"),
        client_field("content-type", content_type),
        client_field(extra != NULL ? extra : "x-none", extra != NULL ? extra_value : ""),
    };
    const nghttp2_data_provider provider = {{.ptr = stream}, client_body};
    stream->id =
        nghttp2_submit_request(client->ng, NULL, fields, 7, has_body ? &provider : NULL, stream);
    return stream;
}

static inline void client_write(struct h2_client *client, struct client_stream *stream,
                                const void *data, size_t len, bool end)
{
    buf_add(&stream->send, data, len);
    stream->send_end = end;
    nghttp2_session_resume_data(client->ng, stream->id);
}

static inline bool client_has(const struct client_stream *stream, const char *field_line)
{
    return str_contains(buf_str(&stream->fields), str_from(field_line));
}

#endif
