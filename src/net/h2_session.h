/* SPDX-License-Identifier: Apache-2.0 */
/* h2_session: what h2.c and h2_stream.c share; nobody else includes it. */
#ifndef HEDDLE_NET_H2_SESSION_H
#define HEDDLE_NET_H2_SESSION_H

#include <nghttp2/nghttp2.h>
#include <uv.h>

#include "base/buf.h"
#include "net/chain.h"
#include "net/h2.h"
#include "net/loop.h"

enum h2_ping {
    H2_PING_NONE,    /* no keepalive */
    H2_PING_RESTING, /* the timer runs until the next PING is due */
    H2_PING_ASKED,   /* the timer runs until its answer is late */
};

struct h2 {
    nghttp2_session *ng;
    struct transport transport;
    struct conn *conn; /* NULL: the transport is not ours */
    struct loop *loop; /* NULL: no timers, explicit flush */
    const struct h2_events *events;
    void *user;
    struct h2_options options; /* defaults filled in */
    struct loop_task flush;
    uv_timer_t timer; /* in use when loop is not NULL */
    enum h2_ping ping;
    struct chain out;        /* frames gathered for one write */
    bool out_full;           /* the gathering stopped before nghttp2 had sent all */
    bool inside;             /* in a call of nghttp2, which must not be entered again */
    bool closing;            /* the transport was told to close */
    bool shut;               /* h2_shutdown() was called */
    bool goaway_sent;        /* ... and the last stream id was announced */
    bool peer_leaves;        /* the client has sent a GOAWAY */
    const char *lost_reason; /* set and valid while h2_lost() ends the streams */
    struct list streams;
    size_t nstreams;
    uint32_t control_frames; /* in the present second */
    uint64_t control_since_ms;
};

struct h2_stream {
    struct list link;
    struct h2 *h2;
    int32_t id;
    void *user;
    struct buf headers; /* of the request: {u32 name length, u32 value length, name, value}* */
    unsigned nheaders;
    bool requested; /* on_request was called, on_stream_closed is owed */
    bool responded;
    bool body_ended;
};

/* Registers the callbacks that concern streams. */
void h2_stream_set_callbacks(nghttp2_session_callbacks *callbacks);
/* Tells the upper layer (when it knows the stream) and frees. */
void h2_stream_end(struct h2_stream *stream, uint32_t error);
/* A whole frame arrived that belongs to a stream. */
void h2_stream_frame(struct h2 *h2, const nghttp2_frame *frame);
/* Sees to it that what nghttp2 has to say is written at the end of the turn. */
void h2_flush_soon(struct h2 *h2);

#endif
