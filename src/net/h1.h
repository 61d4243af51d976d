/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1: a small HTTP/1.1 server for the admin port (and the webhook): GET, HEAD and POST, keep-alive,
 * whole bodies in memory, no streaming.
 *
 * The handler gets a complete request and answers now or later: the reply handle stays valid until
 * h1_reply_send(), which must be called exactly once, also when the client has gone meanwhile.
 * Requests of one connection are answered one after the other. What is malformed or too big is
 * answered (400, 405, 408, 413, 431, 503) without asking the handler. One loop, no locks.
 */
#ifndef HEDDLE_NET_H1_H
#define HEDDLE_NET_H1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/str.h"
#include "net/chain.h"
#include "net/transport.h"

#define H1_HEADER_MAX 16384           /* bytes of request line and headers */
#define H1_BODY_MAX (4 * 1024 * 1024) /* default: bytes of a request body */
#define H1_BODIES_MAX (64u << 20)     /* default: of all bodies that arrive at once */
#define H1_REQUEST_TIMEOUT_MS 30000   /* from the first byte of a request to its last */
#define H1_IDLE_TIMEOUT_MS 60000      /* between requests */
#define H1_CONNS_MAX 256              /* default: connections at once; more are closed */

struct h1_conn;
struct h1_reply;
struct h1_server;
struct loop;
struct tls_context;

enum h1_method { H1_GET, H1_HEAD, H1_POST }; /* HEAD: answer as for GET, the body is left out */

/* Borrowed until the handler returns. */
struct h1_request {
    enum h1_method method;
    struct str path;  /* as sent, not unescaped */
    struct str query; /* after the '?', as sent */
    struct str content_type;
    struct str authorization;
    struct str body;
    const struct sockaddr_storage *peer;
};

typedef void h1_handler_fn(void *user, const struct h1_request *request, struct h1_reply *reply);

/* 0 anywhere: the default. */
struct h1_options {
    size_t body_max;
    size_t bodies_max;
    size_t conns_max;
    size_t conns_per_peer; /* of one address, of IPv6 a /64; 0: as many as of all */
    h1_handler_fn *handler;
    /* A connection beyond these was closed; may be NULL. */
    void (*on_refused)(void *user, const struct sockaddr_storage *peer);
};

struct h1_server *h1_server_new(struct loop *loop, const struct h1_options *options, void *user);
/* Takes the fd. `tls` NULL: plain text; else a reference is taken. */
void h1_server_accept(struct h1_server *server, int fd, const struct sockaddr_storage *peer,
                      struct tls_context *tls);
size_t h1_server_conns(const struct h1_server *server);
/* Closes all connections; the memory goes with the last one. Replies that are still open stay
 * valid and do nothing. NULL is fine. */
void h1_server_free(struct h1_server *server);

/* Without sockets, for tests and fuzzing; the server's loop may be NULL then. */
struct h1_conn *h1_server_attach(struct h1_server *server, struct transport transport);
void h1_feed(struct h1_conn *conn, const uint8_t *data, size_t len);
void h1_drained(struct h1_conn *conn);
void h1_lost(struct h1_conn *conn, const char *reason); /* frees it */

/* Answers and gives the handle back. The body is copied, or shared when it lies in a blob. */
void h1_reply_send(struct h1_reply *reply, unsigned status, const char *content_type,
                   struct piece body);
/* Whether the client has gone: the answer will reach nobody, and need not be worked for. */
bool h1_reply_is_lost(const struct h1_reply *reply);
/* A line of plain text; "\n" is added. */
void h1_reply_text(struct h1_reply *reply, unsigned status, const char *text);

#endif
