/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc: a gRPC server for one loop, on top of h2.
 *
 * A server is a table of methods and the connections that use them. One connection may carry many
 * calls. Messages are not compressed. Per call, in this order and on the loop's thread:
 *
 *   on_open  (on_message | on_drained)*  [on_half_close  on_drained*]  on_closed
 *
 * grpc_send() queues one message; grpc_finish() ends the call after what is queued. on_closed
 * comes exactly once, whatever happened; the call is freed right after it, so keep no pointer.
 * Sending and finishing are fine from inside any callback but on_closed. A request for a method
 * that is not in the table, or that is no gRPC request, never reaches the callbacks.
 */
#ifndef HEDDLE_NET_GRPC_H
#define HEDDLE_NET_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/str.h"
#include "net/chain.h"
#include "net/conn.h"
#include "net/h2.h"

#define GRPC_MESSAGE_MAX (4 * 1024 * 1024) /* default: bytes of a message from a client */
/* Messages of the largest size that all calls of a connection may have sent in part; a call that
 * makes it more ends with RESOURCE_EXHAUSTED. */
#define GRPC_PARTIAL_MAX 4
#define GRPC_QUEUE_MAX (64 * 1024 * 1024) /* default: bytes that wait on one call */
#define GRPC_STATUS_TEXT_MAX 1024         /* bytes of a status message; the rest is cut */

struct grpc_call;
struct grpc_server;

enum grpc_status {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_ALREADY_EXISTS = 6,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_FAILED_PRECONDITION = 9,
    GRPC_ABORTED = 10,
    GRPC_OUT_OF_RANGE = 11,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_DATA_LOSS = 15,
    GRPC_UNAUTHENTICATED = 16,
};

/* Any callback but on_closed may be NULL. */
struct grpc_handler {
    void (*on_open)(void *user, struct grpc_call *call); /* user: of grpc_server_new */
    void (*on_message)(struct grpc_call *call, const uint8_t *data, size_t len); /* borrowed */
    void (*on_half_close)(struct grpc_call *call); /* the client sends no more */
    void (*on_drained)(struct grpc_call *call);    /* nothing of this call waits any more */
    /* reason in words: "finished", "cancelled by the client", "closed by peer", ... */
    void (*on_closed)(struct grpc_call *call, const char *reason);
};

struct grpc_method {
    const char *path; /* "/pkg.Service/Method" */
    const struct grpc_handler *handler;
};

/* 0 anywhere: the default. */
struct grpc_options {
    const struct grpc_method *methods; /* must outlive the server */
    size_t nmethods;
    size_t message_max;
    size_t queue_max;
    struct h2_options h2;
    struct conn_options conn;
    /* A connection ended, for logs and counts; may be NULL. */
    void (*on_conn_closed)(void *user, void *tag, const struct sockaddr_storage *peer,
                           const char *reason);
};

struct grpc_server *grpc_server_new(struct loop *loop, const struct grpc_options *options,
                                    void *user);
/* Takes the fd. `tls` NULL: plain text; else a reference is taken. `tag` is the connection's, for
 * the upper layer: grpc_call_tag(), on_conn_closed. */
void grpc_server_accept(struct grpc_server *server, int fd, const struct sockaddr_storage *peer,
                        struct tls_context *tls, void *tag);
/* Without sockets, for tests: drive the returned session with h2_feed, h2_flush, h2_lost. The
 * server's loop may be NULL when this is the only way it is used. */
struct h2 *grpc_server_attach(struct grpc_server *server, struct transport transport);
size_t grpc_server_conns(const struct grpc_server *server);
size_t grpc_server_calls(const struct grpc_server *server);
/* GOAWAY to all; finish the long calls yourself, or grpc_server_free() after a while. */
void grpc_server_shutdown(struct grpc_server *server);
/* Closes all connections at once; calls get on_closed during the loop's next turns, and the
 * memory goes with the last connection. NULL is fine. */
void grpc_server_free(struct grpc_server *server);

void grpc_call_set_user(struct grpc_call *call, void *user);
void *grpc_call_user(const struct grpc_call *call); /* NULL until set */
/* A request header by its lower case name, ":path" too. ptr NULL: absent. */
struct str grpc_call_header(const struct grpc_call *call, struct str name);
void *grpc_call_tag(const struct grpc_call *call);
const struct sockaddr_storage *grpc_call_peer(const struct grpc_call *call);
/* The URI name of the client's certificate (tls_peer_uri); false: none. */
bool grpc_call_peer_uri(const struct grpc_call *call, struct buf *ret_uri);

/* Queues one message made of the pieces (length prefix added here). False, and nothing queued,
 * when the call is finished or queue_max would be passed. Written at the end of the loop's turn. */
bool grpc_send(struct grpc_call *call, const struct piece *pieces, size_t count);
/* Bytes of this call not yet handed to the connection (which holds CONN_QUEUE_MAX more). */
size_t grpc_call_queued(const struct grpc_call *call);
/* Ends the call after what is queued; the text may be anything, it is cut and escaped. Only the
 * first call counts. on_message comes no more; on_closed still does. */
void grpc_finish(struct grpc_call *call, enum grpc_status status, struct str text);
/* While paused, on_message is held back and the client is stalled by flow control. */
void grpc_call_pause(struct grpc_call *call);
void grpc_call_resume(struct grpc_call *call);

#endif
