/* SPDX-License-Identifier: Apache-2.0 */
/* grpc: the server: its connections, and which request becomes which call. */
#include "net/grpc.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/panic.h"
#include "net/grpc_call.h"
#include "net/loop.h"

/* Requests */

/* "application/grpc", also with "+proto" or ";parameters" behind it */
static bool grpc_is_content_type(struct str type)
{
    const struct str base = STR("application/grpc");
    return str_eq_nocase(str_sub(type, 0, base.len), base) &&
           (type.len == base.len || type.ptr[base.len] == '+' || type.ptr[base.len] == ';');
}

static const struct grpc_handler *grpc_find(const struct grpc_server *server, struct str path)
{
    for (size_t i = 0; i < server->options.nmethods; i++) {
        if (str_eq(path, str_from(server->options.methods[i].path))) {
            return server->options.methods[i].handler;
        }
    }
    return NULL;
}

static void grpc_no_such_method(struct h2_stream *stream, struct str path)
{
    char text[256];
    int len = snprintf(text, sizeof(text), "unknown method %.*s", (int)str_sub(path, 0, 200).len,
                       path.ptr);
    char *escaped = grpc_escape(str_span(text, (size_t)len));
    grpc_refuse(stream, GRPC_UNIMPLEMENTED, escaped);
    free(escaped);
}

/* The header te: trailers is not asked for: nghttp2 refuses other values of it, and nothing here
 * depends on what proxies do with trailers. */
static void grpc_on_request(void *user, struct h2_stream *stream, const struct h2_request *request)
{
    struct grpc_conn *conn = user;
    if (!str_eq(request->method, STR("POST"))) {
        const struct h2_header allow = {STR("allow"), STR("POST")};
        h2_respond(stream, 405, &allow, 1, false);
        return;
    }
    if (!grpc_is_content_type(request->content_type)) {
        h2_respond(stream, 415, NULL, 0, false);
        return;
    }
    const struct grpc_handler *handler = grpc_find(conn->server, request->path);
    if (handler == NULL) {
        grpc_no_such_method(stream, request->path);
        return;
    }
    const struct grpc_options *options = &conn->server->options;
    struct grpc_call *call = xcalloc(1, sizeof(*call));
    call->conn = conn;
    call->stream = stream;
    call->handler = handler;
    /* a message, and behind it what the window lets the client send while we are paused */
    buf_init(&call->in, options->message_max + GRPC_PREFIX_LEN + 2 * (size_t)H2_STREAM_WINDOW +
                            options->h2.stream_window);
    conn->server->ncalls++;
    h2_stream_set_user(stream, call);
    grpc_call_opened(call, request->end);
}

static void grpc_on_body(struct h2_stream *stream, const uint8_t *data, size_t len)
{
    struct grpc_call *call = h2_stream_user(stream);
    if (call == NULL) {
        h2_consume(stream, len); /* of a refused request */
    } else {
        grpc_call_body(call, data, len);
    }
}

static void grpc_on_body_end(struct h2_stream *stream)
{
    struct grpc_call *call = h2_stream_user(stream);
    if (call != NULL) {
        grpc_call_body_end(call);
    }
}

static size_t grpc_body_size(struct h2_stream *stream, size_t max, enum h2_pull *ret_pull)
{
    return grpc_call_pull_size(h2_stream_user(stream), max, ret_pull);
}

static void grpc_body_take(struct h2_stream *stream, size_t len, struct chain *out)
{
    grpc_call_pull(h2_stream_user(stream), len, out);
}

static void grpc_on_stream_closed(struct h2_stream *stream, uint32_t error)
{
    struct grpc_call *call = h2_stream_user(stream);
    if (call != NULL) {
        call->conn->server->ncalls--;
        grpc_call_closed(call, error);
    }
}

/* Connections */

static void grpc_on_conn_closed(void *user, const char *reason)
{
    struct grpc_conn *conn = user;
    struct grpc_server *server = conn->server;
    if (server->options.on_conn_closed != NULL) {
        server->options.on_conn_closed(server->user, conn->tag, &conn->peer, reason);
    }
    list_remove(&conn->link);
    server->nconns--;
    free(conn);
    if (server->closing && server->nconns == 0) {
        free(server);
    }
}

static const struct h2_events grpc_h2_events = {
    .on_request = grpc_on_request,
    .on_body = grpc_on_body,
    .on_body_end = grpc_on_body_end,
    .body_size = grpc_body_size,
    .body_take = grpc_body_take,
    .on_stream_closed = grpc_on_stream_closed,
    .on_closed = grpc_on_conn_closed,
};

static struct grpc_conn *grpc_conn_new(struct grpc_server *server)
{
    ASSERT(!server->closing);
    struct grpc_conn *conn = xcalloc(1, sizeof(*conn));
    conn->server = server;
    list_append(&server->conns, &conn->link);
    server->nconns++;
    return conn;
}

void grpc_server_accept(struct grpc_server *server, int fd, const struct sockaddr_storage *peer,
                        struct tls_context *tls, void *tag)
{
    struct grpc_conn *conn = grpc_conn_new(server);
    conn->peer = *peer;
    conn->tag = tag;
    conn->h2 = h2_new(server->loop, fd, peer, tls, &server->options.conn, &server->options.h2,
                      &grpc_h2_events, conn);
}

struct h2 *grpc_server_attach(struct grpc_server *server, struct transport transport)
{
    struct grpc_conn *conn = grpc_conn_new(server);
    conn->h2 = h2_new_on(transport, &server->options.h2, &grpc_h2_events, conn);
    return conn->h2;
}

/* Servers */

struct grpc_server *grpc_server_new(struct loop *loop, const struct grpc_options *options,
                                    void *user)
{
    struct grpc_server *server = xcalloc(1, sizeof(*server));
    server->loop = loop;
    server->options = *options;
    server->user = user;
    if (server->options.message_max == 0) {
        server->options.message_max = GRPC_MESSAGE_MAX;
    }
    if (server->options.queue_max == 0) {
        server->options.queue_max = GRPC_QUEUE_MAX;
    }
    list_init(&server->conns);
    return server;
}

size_t grpc_server_conns(const struct grpc_server *server)
{
    return server->nconns;
}

size_t grpc_server_calls(const struct grpc_server *server)
{
    return server->ncalls;
}

void grpc_server_shutdown(struct grpc_server *server)
{
    list_for_each (it, &server->conns) {
        h2_shutdown(list_entry(it, struct grpc_conn, link)->h2);
    }
}

void grpc_server_free(struct grpc_server *server)
{
    if (server == NULL) {
        return;
    }
    server->closing = true;
    if (server->nconns == 0) {
        free(server);
        return;
    }
    list_for_each (it, &server->conns) {
        h2_close(list_entry(it, struct grpc_conn, link)->h2, "the server stops");
    }
}
