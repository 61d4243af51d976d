/* SPDX-License-Identifier: Apache-2.0 */
/* h1_request: bytes in, requests out: the parser's callbacks and the limits. */
#include <stdlib.h>

#include "base/panic.h"
#include "net/h1_conn.h"

/* Parser callbacks: 0 goes on, anything else stops the parser with an error. */

static int h1_refuse(struct h1_conn *conn, unsigned status)
{
    conn->failed = status;
    return -1;
}

void h1_drop_body(struct h1_conn *conn)
{
    conn->server->body_bytes -= conn->body.len;
    buf_release(&conn->body); /* it may have been large */
}

static int h1_on_begin(http_parser *parser)
{
    struct h1_conn *conn = parser->data;
    buf_clear(&conn->head);
    h1_drop_body(conn);
    conn->target = conn->name = (struct h1_span){.len = 0};
    conn->content_type = conn->authorization = conn->expect = (struct h1_span){.len = 0};
    conn->value = NULL;
    conn->in_value = false;
    conn->method = H1_GET;
    h1_timer_start(conn);
    return 0;
}

static int h1_keep(struct h1_conn *conn, struct h1_span *span, const char *data, size_t len)
{
    if (span->len == 0) {
        span->at = conn->head.len;
    }
    buf_add(&conn->head, data, len);
    span->len += len;
    return buf_ok(&conn->head) ? 0 : h1_refuse(conn, 431);
}

static int h1_on_url(http_parser *parser, const char *data, size_t len)
{
    struct h1_conn *conn = parser->data;
    return h1_keep(conn, &conn->target, data, len);
}

static int h1_on_header_name(http_parser *parser, const char *data, size_t len)
{
    struct h1_conn *conn = parser->data;
    if (conn->in_value) {
        conn->in_value = false;
        conn->name.len = 0;
    }
    return h1_keep(conn, &conn->name, data, len);
}

static struct str h1_text(const struct h1_conn *conn, struct h1_span span)
{
    return str_sub(buf_str(&conn->head), span.at, span.len);
}

static int h1_on_header_value(http_parser *parser, const char *data, size_t len)
{
    struct h1_conn *conn = parser->data;
    struct h1_span ignored = {.len = 0};
    if (!conn->in_value) {
        conn->in_value = true;
        struct str name = h1_text(conn, conn->name);
        conn->value = str_eq_nocase(name, STR("content-type"))    ? &conn->content_type
                      : str_eq_nocase(name, STR("authorization")) ? &conn->authorization
                      : str_eq_nocase(name, STR("expect"))        ? &conn->expect
                                                                  : NULL;
        if (conn->value != NULL) {
            conn->value->len = 0;
        }
    }
    return h1_keep(conn, conn->value != NULL ? conn->value : &ignored, data, len);
}

static int h1_on_headers_complete(http_parser *parser)
{
    struct h1_conn *conn = parser->data;
    parser->upgrade = 0; /* we stay with HTTP/1.1, which a server is free to do */
    switch (parser->method) {
    case HTTP_GET:
        conn->method = H1_GET;
        break;
    case HTTP_HEAD:
        conn->method = H1_HEAD;
        break;
    case HTTP_POST:
        conn->method = H1_POST;
        break;
    default:
        return h1_refuse(conn, 405);
    }
    if (parser->content_length != UINT64_MAX &&
        parser->content_length > conn->server->options.body_max) {
        return h1_refuse(conn, 413);
    }
    if (str_eq_nocase(h1_text(conn, conn->expect), STR("100-continue"))) {
        static const char go[] = "HTTP/1.1 100 Continue\r\n\r\n";
        struct chain out = {.len = 0};
        chain_add_copy(&out, go, sizeof(go) - 1);
        conn->transport.ops->write(conn->transport.carrier, &out);
        chain_release(&out);
    }
    return 0;
}

static int h1_on_body(http_parser *parser, const char *data, size_t len)
{
    struct h1_conn *conn = parser->data;
    struct h1_server *server = conn->server;
    if (len > server->options.bodies_max - server->body_bytes) {
        return h1_refuse(conn, 503);
    }
    size_t before = conn->body.len;
    buf_add(&conn->body, data, len);
    server->body_bytes += conn->body.len - before;
    return buf_ok(&conn->body) ? 0 : h1_refuse(conn, 413);
}

static int h1_on_complete(http_parser *parser)
{
    struct h1_conn *conn = parser->data;
    conn->complete = true;
    conn->keep_alive = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1); /* one request at a time */
    return 0;
}

static const http_parser_settings h1_settings = {
    .on_message_begin = h1_on_begin,
    .on_url = h1_on_url,
    .on_header_field = h1_on_header_name,
    .on_header_value = h1_on_header_value,
    .on_headers_complete = h1_on_headers_complete,
    .on_body = h1_on_body,
    .on_message_complete = h1_on_complete,
};

void h1_parser_init(struct h1_conn *conn)
{
    http_parser_init(&conn->parser, HTTP_REQUEST);
    conn->parser.data = conn;
}

/* Requests */

static void h1_dispatch(struct h1_conn *conn)
{
    struct str query = h1_text(conn, conn->target);
    struct str path = str_cut(&query, '?');
    const struct h1_request request = {
        .method = conn->method,
        .path = path,
        .query = query,
        .content_type = h1_text(conn, conn->content_type),
        .authorization = h1_text(conn, conn->authorization),
        .body = buf_str(&conn->body),
        .peer = &conn->peer,
    };
    struct h1_reply *reply = xcalloc(1, sizeof(*reply));
    reply->conn = conn;
    conn->reply = reply;
    conn->server->options.handler(conn->server->user, &request, reply);
}

static const char *h1_failure_text(unsigned status)
{
    switch (status) {
    case 405:
        return "only GET, HEAD and POST are served";
    case 413:
        return "the body is too large";
    case 431:
        return "the headers are too large";
    case 503:
        return "too much is arriving at once; try again";
    default:
        return "malformed request";
    }
}

void h1_fail(struct h1_conn *conn, unsigned status, const char *text)
{
    struct buf line;
    if (conn->closing) {
        return;
    }
    h1_drop_body(conn);
    buf_init(&line, BUF_UNLIMITED);
    buf_printf(&line, "%s\n", text);
    conn->keep_alive = false;
    h1_respond(conn, status, "text/plain; charset=utf-8", PIECE_COPY(buf_str(&line)));
    buf_release(&line);
}

/* Parses up to the end of one request; returns how many bytes were used. */
static size_t h1_parse(struct h1_conn *conn, const uint8_t *data, size_t len)
{
    conn->complete = false;
    size_t used = http_parser_execute(&conn->parser, &h1_settings, (const char *)data, len);
    if (conn->complete) {
        http_parser_pause(&conn->parser, 0);
        h1_timer_stop(conn);
        h1_dispatch(conn);
        h1_drop_body(conn);
        return used;
    }
    if (used == 0 || HTTP_PARSER_ERRNO(&conn->parser) != HPE_OK) {
        unsigned status = conn->failed != 0 ? conn->failed : 400;
        if (HTTP_PARSER_ERRNO(&conn->parser) == HPE_HEADER_OVERFLOW) {
            status = 431;
        }
        h1_fail(conn, status, h1_failure_text(status));
        return len;
    }
    return used;
}

/* Whether the next request may be looked at: the one before is answered, and the answers that were
 * not read yet are few enough. */
static bool h1_may_parse(const struct h1_conn *conn)
{
    return conn->reply == NULL && !conn->closing &&
           conn->transport.ops->writable(conn->transport.carrier);
}

void h1_go_on(struct h1_conn *conn)
{
    if (conn->parsing || conn->closing) {
        return;
    }
    conn->parsing = true;
    while (conn->pending.len > 0 && h1_may_parse(conn)) {
        buf_consume(&conn->pending, h1_parse(conn, conn->pending.data, conn->pending.len));
    }
    conn->parsing = false;
    if (!conn->closing && conn->transport.ops->pause != NULL) {
        conn->transport.ops->pause(conn->transport.carrier, conn->pending.len > 0);
    }
}

void h1_feed(struct h1_conn *conn, const uint8_t *data, size_t len)
{
    if (conn->closing) {
        return;
    }
    conn->parsing = true;
    while (len > 0 && conn->pending.len == 0 && h1_may_parse(conn)) {
        size_t used = h1_parse(conn, data, len);
        data += used;
        len -= used;
    }
    conn->parsing = false;
    if (len > 0 && !conn->closing) {
        buf_add(&conn->pending, data, len);
        if (!buf_ok(&conn->pending)) {
            h1_end(conn, CLOSE_NOW, "too many requests before the first was answered");
        }
    }
    h1_go_on(conn);
}
