/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: one ADS client, behaving as Envoy sidecars and proxyless gRPC clients do by default.
 *
 *   delta   CDS * ─► EDS of every cluster ─► LDS * (once the clusters are warm) ─► RDS it names
 *   sotw    the same, with whole name lists; a changed cluster asks for its endpoints again
 *   grpc    LDS of one target ─► RDS ─► CDS ─► EDS, state of the world
 *
 * Every response is acknowledged. What a stream has is kept as a pointer per entity, so that each
 * message can be told to be news, a repetition, or none of its business. One thread.
 */
#ifndef HEDDLE_BENCH_STREAM_H
#define HEDDLE_BENCH_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog.h"
#include "link.h"

enum client_class { CLASS_DELTA, CLASS_SOTW, CLASS_GRPC, CLASS_COUNT };

extern const char *const class_names[CLASS_COUNT];

/* What came since stream_reset_tally(). */
struct tally {
    unsigned messages[KIND_COUNT];
    unsigned news;    /* resources whose bytes the stream did not have */
    unsigned repeats; /* resources sent again with equal bytes */
    unsigned unasked; /* resources that it does not subscribe to */
    unsigned removed;
    uint64_t payload;                /* bytes of response messages */
    uint64_t bytes;                  /* read from the socket */
    uint64_t arrived_ns[KIND_COUNT]; /* when the last byte of the last message with news was read */
};

struct subscription {
    bool asked;
    bool answered;
    bool wildcard;
    VEC(entity_id) names;
    struct buf all_names;      /* sotw and grpc: `names` as they stand in each request */
    unsigned have;             /* resources of the kind */
    unsigned missing;          /* names not answered yet */
    struct buf version, nonce; /* of the last response */
};

/* The response that is being read. */
struct response {
    enum kind kind;
    bool known_kind;
    bool refs_changed;
    unsigned resources, news;
    struct buf version, nonce, removed;
};

struct stream {
    struct catalog *catalog;
    enum client_class class;
    unsigned number;
    struct str target; /* grpc only: the name of its listener, borrowed */
    struct link link;
    const struct content **have; /* by entity; NULL: not had */
    uint32_t *seen;              /* by entity: the response that held it last */
    bool *wanted;                /* by entity: subscribed by name */
    size_t cap;                  /* of the three */
    uint32_t responses;
    struct subscription subs[KIND_COUNT];
    struct response response;
    struct tally tally;
    uint64_t now_ns; /* when the bytes now fed were read; set by whoever feeds */
    bool failed;
};

void stream_init(struct stream *stream, struct catalog *catalog, enum client_class class,
                 unsigned number, struct str target);
void stream_free(struct stream *stream);
/* Connects and sends the first request. A stream that already has resources tells their versions
 * (delta), as a client does after a broken connection. */
bool stream_connect(struct stream *stream, const struct sockaddr_storage *to, socklen_t to_len,
                    struct err *err);
/* Connects and asks `times` times for everything in `like`'s subscriptions, without reading one
 * answer; what the socket does not take at once is dropped. */
bool stream_connect_blind(struct stream *stream, const struct sockaddr_storage *to,
                          socklen_t to_len, const struct stream *like, unsigned times,
                          struct err *err);
/* Everything that the stream asked for has come. */
bool stream_complete(const struct stream *stream);
void stream_reset_tally(struct stream *stream);
unsigned stream_messages(const struct stream *stream); /* of the tally, all kinds */

#endif
