/* SPDX-License-Identifier: Apache-2.0 */
/* h1_conn: what h1.c (server, responses) and h1_request.c (parsing) share. */
#ifndef HEDDLE_NET_H1_CONN_H
#define HEDDLE_NET_H1_CONN_H

#include <http_parser.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "net/conn.h"
#include "net/h1.h"
#include "net/loop.h"
#include "net/peers.h"

/* Bytes of further requests kept while one is being answered, or while answers are not read. */
#define H1_PENDING_MAX ((size_t)4 * LOOP_READ_MAX)

struct h1_server {
    struct loop *loop;         /* NULL: only memory transports */
    struct h1_options options; /* defaults filled in */
    void *user;
    struct list conns;
    size_t nconns;
    struct peers peers;
    size_t body_bytes; /* of all bodies that are arriving */
    bool closing;      /* freed with the last connection */
};

struct h1_reply {
    struct h1_conn *conn; /* NULL: gone */
};

/* A run of bytes in `head`, by offset, because the buffer moves while it grows. */
struct h1_span {
    size_t at;
    size_t len;
};

struct h1_conn {
    struct list link;
    struct h1_server *server;
    struct transport transport;
    struct sockaddr_storage peer;
    struct peer *counted; /* NULL: in memory */
    http_parser parser;
    uv_timer_t timer; /* of the request that is arriving */
    bool has_timer;
    bool closing;
    bool parsing;    /* inside h1_go_on(), which must not be entered again */
    bool complete;   /* the parser stopped at the end of a request */
    bool keep_alive; /* after the present request */
    bool in_value;   /* the last header bytes belonged to a value */
    enum h1_method method;
    unsigned failed; /* HTTP status that a parser callback asks for; 0: none */
    struct buf head; /* request target, header names and values, one after the other */
    struct h1_span target;
    struct h1_span name;
    struct h1_span *value; /* where the present value is noted; NULL: it is not needed */
    struct h1_span content_type;
    struct h1_span authorization;
    struct h1_span expect;
    struct buf body;
    struct buf pending;     /* received while h1_go_on() could not parse */
    struct h1_reply *reply; /* handed to the handler, not yet sent */
};

void h1_parser_init(struct h1_conn *conn);
void h1_drop_body(struct h1_conn *conn);
/* Parses what is pending, unless a reply is awaited or the client does not read its answers. */
void h1_go_on(struct h1_conn *conn);
/* Answers with an error and closes. */
void h1_fail(struct h1_conn *conn, unsigned status, const char *text);
void h1_respond(struct h1_conn *conn, unsigned status, const char *content_type, struct piece body);
void h1_end(struct h1_conn *conn, enum close_mode mode, const char *reason);
void h1_timer_start(struct h1_conn *conn);
void h1_timer_stop(struct h1_conn *conn);

#endif
