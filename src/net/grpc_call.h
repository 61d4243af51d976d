/* SPDX-License-Identifier: Apache-2.0 */
/* grpc_call: what grpc.c (server, requests) and grpc_call.c (messages) share. */
#ifndef HEDDLE_NET_GRPC_CALL_H
#define HEDDLE_NET_GRPC_CALL_H

#include "base/list.h"
#include "net/grpc.h"

#define GRPC_PREFIX_LEN 5 /* compressed flag, then the length, big endian */

struct grpc_server {
    struct loop *loop;
    struct grpc_options options; /* defaults filled in */
    void *user;
    struct list conns;
    size_t nconns;
    size_t ncalls;
    bool closing; /* freed with the last connection */
};

struct grpc_conn {
    struct list link;
    struct grpc_server *server;
    struct h2 *h2;
    size_t held; /* bytes in call->in of all calls */
    struct sockaddr_storage peer;
    void *tag; /* the upper layer's */
};

struct grpc_call {
    struct grpc_conn *conn;
    struct h2_stream *stream;
    const struct grpc_handler *handler;
    void *user;
    struct chain out;  /* messages that wait, with their prefixes */
    struct buf in;     /* a message that has not come whole, or what waits while paused */
    size_t unpaid;     /* received bytes not given back to the client's window */
    bool paused;       /* by the upper layer */
    bool delivering;   /* in a callback that may ask for more: a resume waits for its end */
    bool ended;        /* the client sends no more ... */
    bool half_closed;  /* ... and on_half_close has said so */
    bool responded;    /* response headers are out */
    bool finished;     /* grpc_finish() was called */
    bool trailers_out; /* ... and its trailers are with h2 */
    enum grpc_status status;
    char *status_text; /* escaped; owned */
};

/* The h2 events of a stream that is a call. */
void grpc_call_opened(struct grpc_call *call, bool end);
void grpc_call_body(struct grpc_call *call, const uint8_t *data, size_t len);
void grpc_call_body_end(struct grpc_call *call);
size_t grpc_call_pull_size(struct grpc_call *call, size_t max, enum h2_pull *ret_pull);
void grpc_call_pull(struct grpc_call *call, size_t len, struct chain *out);
void grpc_call_closed(struct grpc_call *call, uint32_t error); /* frees it */

/* Answers a stream that is no call (yet) with nothing but a status. */
void grpc_refuse(struct h2_stream *stream, enum grpc_status status, const char *escaped_text);
/* Percent-encodes for grpc-message, cut to GRPC_STATUS_TEXT_MAX input bytes; free() it. */
char *grpc_escape(struct str text);

#endif
