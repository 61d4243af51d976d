/* SPDX-License-Identifier: Apache-2.0 */
/* h1: the HTTP/1.1 server: its connections, timeouts and responses. */
#include "net/h1.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/panic.h"
#include "net/h1_conn.h"

/* Responses */

static const char *h1_status_text(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } texts[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].status == status) {
            return texts[i].text;
        }
    }
    return "Unknown";
}

void h1_respond(struct h1_conn *conn, unsigned status, const char *content_type, struct piece body)
{
    struct chain out = {.len = 0};
    struct buf head;
    buf_init(&head, H1_HEADER_MAX);
    buf_printf(&head, "HTTP/1.1 %u %s\r\n", status, h1_status_text(status));
    buf_printf(&head, "Content-Type: %s\r\nContent-Length: %zu\r\n", content_type, body.bytes.len);
    buf_add_text(&head, "X-Content-Type-Options: nosniff\r\n");
    if (status == 405) {
        buf_add_text(&head, "Allow: GET, HEAD, POST\r\n");
    }
    buf_printf(&head, "Connection: %s\r\n\r\n", conn->keep_alive ? "keep-alive" : "close");
    ASSERT(buf_ok(&head)); /* status and content type are ours */
    chain_add_copy(&out, head.data, head.len);
    buf_release(&head);
    if (conn->method != H1_HEAD) {
        chain_add_piece(&out, &body);
    }
    conn->transport.ops->write(conn->transport.carrier, &out);
    chain_release(&out);
    if (!conn->keep_alive) {
        h1_end(conn, CLOSE_AFTER_FLUSH, "answered");
    }
}

void h1_reply_send(struct h1_reply *reply, unsigned status, const char *content_type,
                   struct piece body)
{
    struct h1_conn *conn = reply->conn;
    free(reply);
    if (conn == NULL) {
        return;
    }
    conn->reply = NULL;
    if (!conn->closing) {
        h1_respond(conn, status, content_type, body);
        h1_go_on(conn);
    }
}

bool h1_reply_is_lost(const struct h1_reply *reply)
{
    return reply->conn == NULL || reply->conn->closing;
}

void h1_reply_text(struct h1_reply *reply, unsigned status, const char *text)
{
    struct buf line;
    buf_init(&line, BUF_UNLIMITED);
    buf_printf(&line, "%s\n", text);
    h1_reply_send(reply, status, "text/plain; charset=utf-8", PIECE_COPY(buf_str(&line)));
    buf_release(&line);
}

/* Connections */

void h1_end(struct h1_conn *conn, enum close_mode mode, const char *reason)
{
    if (!conn->closing) {
        conn->closing = true;
        h1_timer_stop(conn);
        conn->transport.ops->close(conn->transport.carrier, mode, reason);
    }
}

static void h1_timer_fired(uv_timer_t *timer)
{
    struct h1_conn *conn = timer->data;
    h1_fail(conn, 408, "the request did not arrive in time");
}

void h1_timer_start(struct h1_conn *conn)
{
    if (conn->server->loop != NULL && conn->has_timer) {
        uv_timer_start(&conn->timer, h1_timer_fired, H1_REQUEST_TIMEOUT_MS, 0);
    }
}

void h1_timer_stop(struct h1_conn *conn)
{
    if (conn->has_timer) {
        uv_timer_stop(&conn->timer);
    }
}

static struct h1_conn *h1_conn_new(struct h1_server *server)
{
    ASSERT(!server->closing);
    struct h1_conn *conn = xcalloc(1, sizeof(*conn));
    conn->server = server;
    h1_parser_init(conn);
    buf_init(&conn->head, H1_HEADER_MAX);
    buf_init(&conn->body, server->options.body_max);
    buf_init(&conn->pending, H1_PENDING_MAX);
    list_append(&server->conns, &conn->link);
    server->nconns++;
    return conn;
}

struct h1_conn *h1_server_attach(struct h1_server *server, struct transport transport)
{
    struct h1_conn *conn = h1_conn_new(server);
    conn->transport = transport;
    return conn;
}

static void h1_conn_data(void *user, const uint8_t *data, size_t len)
{
    h1_feed(user, data, len);
}

static void h1_conn_drain(void *user)
{
    h1_drained(user);
}

static void h1_conn_closed(void *user, const char *reason)
{
    h1_lost(user, reason);
}

void h1_server_accept(struct h1_server *server, int fd, const struct sockaddr_storage *peer,
                      struct tls_context *tls)
{
    static const struct conn_events events = {
        .on_data = h1_conn_data,
        .on_drain = h1_conn_drain,
        .on_closed = h1_conn_closed,
    };
    const struct conn_options options = {.idle_timeout_ms = H1_IDLE_TIMEOUT_MS};
    struct peer *counted = server->nconns < server->options.conns_max
                               ? peers_enter(&server->peers, peer, server->options.conns_per_peer)
                               : NULL;
    if (counted == NULL) {
        close(fd);
        if (server->options.on_refused != NULL) {
            server->options.on_refused(server->user, peer);
        }
        return;
    }
    struct h1_conn *conn = h1_conn_new(server);
    conn->peer = *peer;
    conn->counted = counted;
    conn->has_timer = true;
    uv_timer_init(&server->loop->uv, &conn->timer);
    conn->timer.data = conn;
    conn->transport =
        conn_transport(conn_new(server->loop, fd, peer, tls, &options, &events, conn));
}

static void h1_server_gone(struct h1_server *server)
{
    peers_release(&server->peers);
    free(server);
}

static void h1_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void h1_lost(struct h1_conn *conn, const char *reason)
{
    (void)reason;
    struct h1_server *server = conn->server;
    conn->closing = true;
    if (conn->reply != NULL) {
        conn->reply->conn = NULL;
    }
    buf_release(&conn->head);
    h1_drop_body(conn);
    if (conn->counted != NULL) {
        peers_leave(&server->peers, conn->counted);
    }
    buf_release(&conn->pending);
    list_remove(&conn->link);
    if (conn->has_timer) {
        uv_close((uv_handle_t *)&conn->timer, h1_timer_closed);
    } else {
        free(conn);
    }
    server->nconns--;
    if (server->closing && server->nconns == 0) {
        h1_server_gone(server);
    }
}

void h1_drained(struct h1_conn *conn)
{
    h1_go_on(conn);
}

/* Servers */

struct h1_server *h1_server_new(struct loop *loop, const struct h1_options *options, void *user)
{
    struct h1_server *server = xcalloc(1, sizeof(*server));
    server->loop = loop;
    server->options = *options;
    server->user = user;
    if (server->options.body_max == 0) {
        server->options.body_max = H1_BODY_MAX;
    }
    if (server->options.bodies_max == 0) {
        server->options.bodies_max = H1_BODIES_MAX;
    }
    if (server->options.conns_max == 0) {
        server->options.conns_max = H1_CONNS_MAX;
    }
    if (server->options.conns_per_peer == 0) {
        server->options.conns_per_peer = server->options.conns_max;
    }
    list_init(&server->conns);
    return server;
}

size_t h1_server_conns(const struct h1_server *server)
{
    return server->nconns;
}

void h1_server_free(struct h1_server *server)
{
    if (server == NULL) {
        return;
    }
    server->closing = true;
    if (server->nconns == 0) {
        h1_server_gone(server);
        return;
    }
    list_for_each (it, &server->conns) {
        struct h1_conn *conn = list_entry(it, struct h1_conn, link);
        h1_end(conn, CLOSE_NOW, "the server stops");
        /* also when it is ending already, but waits for what is queued to be written */
        conn->transport.ops->close(conn->transport.carrier, CLOSE_NOW, "the server stops");
    }
}
