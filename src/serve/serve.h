/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * serve: xDS to many clients, from replicas that workers keep.
 *
 *   thread 0                                worker 1..N (one loop each)
 *   serve_publish(changeset) ──mailbox──►   replica ─► entries' subscribers ─► dirty bits
 *                                                                   ADS order ◄──┘
 *   serve_adopt(fd) ────────────────────►   connection ─► calls ─► streams
 *   events ◄───────────────────mailbox──    opened, interest, acked, rejected, closed
 *   serve_view(stream, view) ───────────►   the stream's chain of scopes; now it is answered
 *
 * serve knows names, versions and bytes; what a name means to a client is decided above, by
 * answering the `opened` event of a stream with a view. Until then the stream gets nothing.
 * All functions here are called on thread 0; all events are delivered on thread 0.
 * Source: xDS protocol v3 (SotW and incremental ADS), gRFC A27, A46, A53, A57, A88.
 */
/* clang-format on */
#ifndef HEDDLE_SERVE_SERVE_H
#define HEDDLE_SERVE_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"
#include "serve/node.h"
#include "snapshot/changeset.h"

#define SERVE_WORKERS_MAX 32
#define VIEW_SCOPES_MAX 10

/* All limits on what a peer may cost; each is an option (cli/option.def). What a peer is: peers.h
 */
struct serve_limits {
    unsigned streams_per_connection; /* default 100 */
    unsigned streams;                /* in all; 20000 */
    unsigned connections;            /* in all; 20000 */
    unsigned connections_per_peer;   /* 10000 */
    uint32_t request_bytes;          /* one request message; 4 MiB */
    unsigned names_per_type;         /* names subscribed per stream and type; 20000 */
    unsigned name_bytes;             /* one name; 2048 */
    unsigned requests_per_second;    /* per stream, burst of twice that; 1000 */
    unsigned interest_names;         /* on-demand names in all; 50000 */
    unsigned interest_per_peer;      /* the same, of all streams of one address; 10000 */
    uint32_t response_bytes;         /* aim for one response to gRPC clients; 3 MiB (< 4 MiB) */
    uint32_t whole_state_bytes;      /* a SotW LDS or CDS answer, which cannot be split; 64 MiB */
    uint32_t queued_bytes;           /* unsent bytes of a stream before it waits; 1 MiB */
    unsigned node_wait_ms;           /* a stream that says nothing is closed; 10000 */
    unsigned keepalive_ms;           /* HTTP/2 PING when idle; 30000 */
    unsigned keepalive_timeout_ms;   /* 10000 */
};
void serve_limits_default(struct serve_limits *ret_limits);

/* How a stream is named towards thread 0; never reused within a process. */
typedef uint64_t stream_id; /* worker << 48 | counter */

/* What a stream may see. */
struct view {
    unsigned nscopes;
    struct str scopes[VIEW_SCOPES_MAX]; /* most specific first; copied by serve_view() */
    /* For a type with an on-demand scope, the names that clients subscribe to are reported as
     * interest in that scope (first subscriber, last subscriber), because thread 0 makes the
     * resources only then. -1: none, else an index into scopes. A subscribed name of such a type
     * that is not there yet is "not yet answered" rather than "does not exist", unless a limit is
     * reached (demand.c). */
    int on_demand[XDS_TYPE_COUNT];
    uint32_t response_bytes; /* 0: the limits' default */
    /* The client uses what is valid in a response that it rejects (gRFC A46). Envoy does so with
     * listeners and clusters only. */
    bool keeps_valid;
};

enum stream_protocol { STREAM_SOTW, STREAM_DELTA };

struct serve_events {
    void *user;
    /* First request seen. Takes node (free with node_free). Answer with serve_view(). */
    void (*opened)(void *user, stream_id id, struct node *node, struct str peer,
                   enum stream_protocol protocol);
    void (*closed)(void *user, stream_id id);
    /* Counted over all workers' streams: wanted turns true with the first and false after the
     * last subscriber of the worker; thread 0 counts workers. */
    void (*interest)(void *user, enum xds_type type, struct str scope, struct str name,
                     bool wanted);
    /* The client rejected a response. names: the resources of the response that its text speaks
     * of, or all of them when it names none; versions stand beside them. */
    void (*rejected)(void *user, stream_id id, enum xds_type type, const struct resource *const *of,
                     size_t nof, struct str text);
    /* A response with these resources was accepted (sent for streams whose last response of the
     * type had been rejected, so that the rejection can be taken back, or when it holds changed
     * resources and `report_acks` is set). */
    void (*accepted)(void *user, stream_id id, enum xds_type type, const struct resource *const *of,
                     size_t nof);
    /* What was rejected concerns the stream no more: it left the name, or the resource is gone.
     * When the stream ends, all that it rejected is dropped without a word. */
    void (*dropped)(void *user, stream_id id, enum xds_type type, struct str name);
};

struct serve_config {
    unsigned workers; /* 1..SERVE_WORKERS_MAX */
    struct serve_limits limits;
    bool report_acks;
    bool csds; /* ClientStatusDiscoveryService, which tells everybody of all clients (csds.h) */
    struct serve_events events;
};

struct serve;
struct loop;
struct tls_context;

/* Starts the worker threads. loop: thread 0's. */
bool serve_start(struct loop *loop, const struct serve_config *config, struct serve **ret_serve,
                 struct err *err);
/* Sends GOAWAY everywhere, waits up to grace_ms for streams to end, joins the threads, delivers the
 * last events. What is called after that (but serve_free) does nothing. */
void serve_stop(struct serve *serve, unsigned grace_ms);
/* After serve_stop() and after thread 0's loop was released. NULL is fine. */
void serve_free(struct serve *serve);

/* Takes the fd; gives it to the worker with the fewest streams, or closes it when there are too
 * many connections. tls: NULL for plaintext. */
void serve_adopt(struct serve *serve, int fd, const struct sockaddr *peer, struct tls_context *tls);
/* Takes a reference for each worker. Views given after this call see the changeset. */
void serve_publish(struct serve *serve, struct changeset *changeset);
/* Once for a stream. A view is never exchanged for another: a SotW answer must be whole, so what
 * only the old one has would be taken away before what takes its place was accepted. A client whose
 * view changes is refused instead, and opens a new stream. */
void serve_view(struct serve *serve, stream_id id, const struct view *view);
/* Ends a stream with a gRPC status; for nodes that must not be served. */
void serve_refuse(struct serve *serve, stream_id id, int grpc_status, struct str message);

/* --- looking at streams -------------------------------------------------------------------- */
struct stream_type_report {
    bool subscribed; /* a request of this type was seen */
    bool wildcard;
    unsigned names;                 /* subscribed by name */
    unsigned known;                 /* resources the client has, by our account */
    unsigned pending;               /* to be sent, waiting for an ACK, the order, or the socket */
    bool in_flight;                 /* a response is unacknowledged */
    uint64_t sent, acked, rejected; /* responses */
    uint64_t bytes;                 /* of responses */
    uint64_t last_sent_ms, last_acked_ms; /* wall clock; 0: never */
    struct str last_version; /* SotW version_info or delta system_version_info of the last ACK */
    struct str reject_text;  /* last rejection; empty when nothing is rejected any more */
};
struct stream_asked {
    enum xds_type type;
    struct str name;
};
#define STREAM_ASKED_MAX 100 /* of one stream */
struct stream_report {
    stream_id id;
    struct str node_id;
    struct str peer;
    enum stream_protocol protocol;
    uint64_t opened_ms;
    uint64_t seq; /* of the last changeset applied by the worker */
    struct stream_type_report types[XDS_TYPE_COUNT];
    /* the names of on-demand types that it subscribes to, sorted; no more than STREAM_ASKED_MAX */
    const struct stream_asked *asked;
    size_t nasked;
    /* only when asked with `resources`: what the client has by our account, references */
    const struct resource **resources;
    size_t nresources;
};
/* Asks all workers; done is called once on thread 0 with all streams whose node id equals
 * node_id (all when it is empty), sorted by node id, then id. Reports are valid during the call. */
typedef void serve_report_fn(void *user, const struct stream_report *reports, size_t len);
void serve_report(struct serve *serve, struct str node_id, bool resources, serve_report_fn *done,
                  void *user);

/* --- who has acknowledged what --------------------------------------------------------------- */
#define ACKS_BEHIND_MAX 3
/* Of the streams that asked for one of the names, by name or by wildcard, and for which it means
 * something (or means nothing any more, and they must still be told): */
struct acks {
    unsigned streams;
    unsigned acknowledged; /* they have all of the names as they are now */
    unsigned rejected;     /* they said of one that they do not use it */
    unsigned nbehind;      /* some of the others, by node id */
    struct str behind[ACKS_BEHIND_MAX];
};
void acks_add(struct acks *sum, const struct acks *more); /* texts are borrowed */
struct acks_name {
    enum xds_type type;
    struct str name;
};
typedef uint64_t watch_id; /* 0: none */
/* Called once all workers have counted what was published before the watch, then whenever their
 * count is another; not more often than every ACKS_PAUSE_MS (acks_timer.h) for each worker. It may
 * cancel the watch; the texts are valid until then. */
typedef void serve_acks_fn(void *user, const struct acks *acks);
watch_id serve_acks_watch(struct serve *serve, const struct acks_name *names, size_t len,
                          serve_acks_fn *changed, void *user);
void serve_acks_cancel(struct serve *serve, watch_id id); /* 0 and what was cancelled are fine */

#endif
