/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2: an HTTP/2 server session.
 *
 * nghttp2 does the protocol; this file ties it to a transport, keeps the limits, and moves bodies
 * as chains so that shared bytes are not copied. Frames are gathered and written once at the end
 * of the loop's turn, or at h2_flush().
 *
 *   client ── HEADERS ──> on_request ── DATA ──> on_body ... on_body_end
 *          <── h2_respond(headers) ── body_size/body_take pull the body ── h2_trailers
 *                                     (h2_resume when there is something to pull again)
 *   on_stream_closed: once for every on_request; the stream is freed right after it
 *
 * Receiving is paid for explicitly: bytes given to on_body count against the stream's window until
 * h2_consume(), so a client that floods is stalled, not buffered. The window of the connection is
 * given back at once, so that one stalled stream does not stall its siblings; the most that a
 * connection can make us hold is therefore max_streams * stream_window.
 * All calls and callbacks on the thread of the loop.
 */
#ifndef HEDDLE_NET_H2_H
#define HEDDLE_NET_H2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/str.h"
#include "net/conn.h"
#include "net/transport.h"

#define H2_STREAMS_MAX 100           /* default: streams open at once on a connection */
#define H2_HEADER_LIST_MAX 16384     /* default: bytes of one request's names and values */
#define H2_HEADERS_MAX 100           /* fields in one request */
#define H2_FRAME_MAX 16384           /* bytes of a frame that we accept */
#define H2_STREAM_WINDOW 65535       /* default: unconsumed bytes of one stream */
#define H2_CONNECTION_WINDOW 1048576 /* bytes in flight on a connection */
#define H2_OUTBOUND_ACK_MAX 1000     /* answers to PING and SETTINGS that wait to be sent */
#define H2_SETTINGS_MAX 32           /* entries in one SETTINGS frame */
#define H2_CONTROL_PER_SECOND 10000  /* PING, SETTINGS, PRIORITY, empty DATA from one client */
#define H2_GATHER_MAX (256 * 1024)   /* bytes gathered before they are written */
#define H2_RESPONSE_HEADERS_MAX 16   /* fields in h2_respond and h2_trailers */

struct chain;
struct h2;
struct h2_stream;
struct loop;
struct tls_context;

/* 0 anywhere: the default. */
struct h2_options {
    uint32_t streams_max;
    uint32_t header_list_max;
    uint32_t stream_window;
    uint32_t ping_interval_ms; /* a PING after this time; 0: none are sent */
    uint32_t ping_timeout_ms;  /* without an answer the connection is closed; 0: 20 s */
};

/* Borrowed until on_request returns; h2_header() can be asked as long as the stream lives. */
struct h2_request {
    struct str method;
    struct str path; /* with the query */
    struct str authority;
    struct str content_type;
    bool end; /* no body follows; on_body_end will not be called */
};

struct h2_header {
    struct str name; /* lower case */
    struct str value;
};

enum h2_pull {
    H2_PULL_MORE,     /* not the end; with 0 bytes: nothing now, h2_resume() later */
    H2_PULL_END,      /* these bytes are the last */
    H2_PULL_TRAILERS, /* these bytes are the last and h2_trailers() was called in here */
};

struct h2_events {
    /* Answer now or later (h2_respond, h2_reset). */
    void (*on_request)(void *user, struct h2_stream *stream, const struct h2_request *request);
    void (*on_body)(struct h2_stream *stream, const uint8_t *data, size_t len);
    void (*on_body_end)(struct h2_stream *stream);
    /* How many bytes can be sent now, at most max? */
    size_t (*body_size)(struct h2_stream *stream, size_t max, enum h2_pull *ret_pull);
    /* Append exactly len bytes; follows body_size at once. */
    void (*body_take)(struct h2_stream *stream, size_t len, struct chain *out);
    /* error: an HTTP/2 error code, 0 for none. No calls on the stream any more. */
    void (*on_stream_closed)(struct h2_stream *stream, uint32_t error);
    /* The session is freed right after this; all its streams were closed before. */
    void (*on_closed)(void *user, const char *reason);
};

/* Serves a socket: makes the conn and owns it. */
struct h2 *h2_new(struct loop *loop, int fd, const struct sockaddr_storage *peer,
                  struct tls_context *tls, const struct conn_options *conn_options,
                  const struct h2_options *options, const struct h2_events *events, void *user);
/* Serves any transport; no timers, and nothing is written but at h2_flush(). The owner of the
 * transport calls the three functions below. */
struct h2 *h2_new_on(struct transport transport, const struct h2_options *options,
                     const struct h2_events *events, void *user);
void h2_feed(struct h2 *h2, const uint8_t *data, size_t len);
void h2_drained(struct h2 *h2);
void h2_lost(struct h2 *h2, const char *reason); /* closes all streams, on_closed, frees */

/* Writes what is ready now; may end streams (on_stream_closed), so keep no pointer across it. Does
 * nothing inside a callback: a flush follows it anyway. */
void h2_flush(struct h2 *h2);
/* GOAWAY: no new streams; those that run go on, and the session closes with the last of them. */
void h2_shutdown(struct h2 *h2);
void h2_close(struct h2 *h2, const char *reason); /* at once; on_closed follows later */
size_t h2_streams(const struct h2 *h2);           /* open now */
/* Inside on_stream_closed: why the whole session ended; NULL when only the stream did. */
const char *h2_lost_reason(const struct h2 *h2);
struct conn *h2_conn(const struct h2 *h2); /* NULL when made with h2_new_on() */

void h2_stream_set_user(struct h2_stream *stream, void *user);
void *h2_stream_user(const struct h2_stream *stream);
/* A request header by its lower case name; pseudo headers too. Empty with ptr NULL: absent. */
struct str h2_header(const struct h2_stream *stream, struct str name);

/* Once for a stream. With has_body, body_size and body_take are asked for it. */
void h2_respond(struct h2_stream *stream, unsigned status, const struct h2_header *headers,
                size_t count, bool has_body);
void h2_resume(struct h2_stream *stream); /* there is a body to pull (again) */
void h2_trailers(struct h2_stream *stream, const struct h2_header *headers, size_t count);
void h2_reset(struct h2_stream *stream, uint32_t error);
void h2_consume(struct h2_stream *stream, size_t len);

#endif
