/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: one gRPC call over one TCP connection, seen from the client.
 *
 *   bytes read ─► nghttp2 ─► gRPC messages ─► their top-level fields, one by one
 *
 * A message is never put together: its fields are handed on as they are complete, most of them
 * straight from the receive buffer. An xDS response of 1 MiB thus needs no memory.
 */
#ifndef HEDDLE_BENCH_LINK_H
#define HEDDLE_BENCH_LINK_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire.h"

#define LINK_MESSAGE_MAX (64u << 20)
#define LINK_UNSENT_MAX (64u << 20)

struct link;

struct link_events {
    /* False ends the link with the reason in err. */
    bool (*field)(void *user, const struct wire_field *field, struct err *err);
    bool (*message_end)(void *user, struct err *err);
};

struct link {
    int fd; /* -1: closed */
    bool done;
    nghttp2_session *session;
    int32_t call;
    struct link_events events;
    void *user;
    struct buf requests;   /* gRPC messages */
    size_t taken;          /* of them by nghttp2 */
    struct buf unsent;     /* HTTP/2 bytes that the socket has not taken yet */
    struct buf partial;    /* the beginning of a field, or of a message's prefix */
    uint32_t message_size; /* of the message that is being read */
    uint32_t message_left;
    bool in_message;
    uint64_t bytes_read;
    struct err failure; /* set in a callback of nghttp2 */
};

/* Connects (blocking, on loopback) and starts the call; `path` is "/package.Service/Method". */
bool link_open(struct link *link, const struct sockaddr_storage *to, socklen_t to_len,
               struct str path, const struct link_events *events, void *user, struct err *err);
void link_close(struct link *link);
/* Queues one request message; link_flush() sends. */
void link_send(struct link *link, struct str message);
bool link_flush(struct link *link, struct err *err);
bool link_wants_write(const struct link *link);
/* Takes bytes read from the socket. */
bool link_feed(struct link *link, struct str bytes, struct err *err);

#endif
