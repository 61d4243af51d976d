/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: the state of one ADS stream, without any idea of sockets or threads.
 *
 *   bytes ─► stream_receive ─► request ─► [held until there is a view] ─► ack │ subscribe
 *                                                                               │
 *   replica ─► subscription_changed ─────────────────────────► dirty bits ◄─────┘
 *                                                                  │ streams_pump
 *   ops->send ◄── response ◄── sotw / delta ◄── ads_order_next ◄───┘
 *
 * At most one response of a type is unacknowledged, and one that holds a resource; what changes
 * meanwhile sets bits. (Of a type whose resources go alone there may be UNANSWERED_MAX.) Output
 * goes through stream_ops, so that tests and fuzz targets drive a stream by hand.
 */
#ifndef HEDDLE_SERVE_STREAM_H
#define HEDDLE_SERVE_STREAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "serve/interest.h"
#include "serve/request.h"
#include "serve/response.h"
#include "serve/serve.h"
#include "serve/subscription.h"
#include "snapshot/replica.h"

#define STREAM_HELD_MAX 64        /* requests that wait for the view */
#define STREAM_NACK_TEXT_MAX 2048 /* bytes kept of what a client says of a rejection */

/* The gRPC statuses with which a stream may be ended here. */
enum stream_status { STREAM_INVALID_ARGUMENT = 3, STREAM_RESOURCE_EXHAUSTED = 8 };

struct stream;
struct stream_env;

struct stream_ops {
    /* False: it could not be queued; the stream is ended. */
    bool (*send)(struct stream *stream, const struct response *response);
    size_t (*queued)(const struct stream *stream);            /* bytes unsent */
    void (*opened)(struct stream *stream, struct node *node); /* takes node */
    void (*interest)(struct stream_env *env, enum xds_type type, struct str scope, struct str name,
                     bool wanted);
    void (*rejected)(struct stream *stream, enum xds_type type, struct resource *const *of,
                     size_t nof, struct str text);
    void (*accepted)(struct stream *stream, enum xds_type type, struct resource *const *of,
                     size_t nof);
    void (*dropped)(struct stream *stream, enum xds_type type, struct str name);
    void (*end)(struct stream *stream, enum stream_status status, struct str text);
};

/* What the streams of one worker share. */
struct stream_env {
    struct replica replica;
    struct serve_limits limits;
    bool report_acks;
    bool keep_nodes; /* for client_status.h */
    const struct stream_ops *ops;
    void *user;        /* of ops */
    struct list ready; /* streams that may have something to send */
    VEC(struct stream *) by_slot;
    struct interest interest;
    _Atomic unsigned *names;   /* on-demand names of all workers */
    size_t ndenied;            /* subscriptions' `denied` in all */
    struct response response;  /* scratch */
    struct bitmap listed;      /* scratch */
    VEC(struct resource *) of; /* scratch */
};

struct protocol {
    request_decode_fn *decode;
    void (*subscribe)(struct stream *stream, struct subscription *sub,
                      const struct request *request);
    /* Sends what is due, or finds that it is not. */
    void (*respond)(struct stream *stream, struct subscription *sub, bool removals);
};
extern const struct protocol sotw_protocol;
extern const struct protocol delta_protocol;

struct stream {
    struct stream_env *env;
    const struct protocol *protocol;
    enum stream_protocol kind;
    void *user;                   /* of ops */
    _Atomic unsigned *peer_names; /* on-demand names of all streams of the peer */
    uint32_t slot;                /* REPLICA_NONE until there is a view */
    struct request_known known;
    bool ended;
    bool stalled;     /* waits for the transport */
    bool keeps_valid; /* struct view */
    uint32_t response_bytes;
    uint64_t last_nonce;
    uint64_t request_due_ns; /* rate limit: when the bucket is full again */
    struct list ready;
    struct list held;
    unsigned nheld;
    size_t held_bytes;
    char *node_id;   /* NULL until the first request */
    struct buf node; /* packed; empty unless env->keep_nodes */
    struct subscription subs[XDS_TYPE_COUNT];
};

void stream_env_init(struct stream_env *env, const struct serve_limits *limits,
                     const struct stream_ops *ops, _Atomic unsigned *names, void *user);
void stream_env_release(struct stream_env *env); /* all streams must be gone */
/* Applies a changeset; streams_pump() sends what follows from it. */
void stream_env_apply(struct stream_env *env, const struct changeset *changeset);
/* Lets every ready stream send what it may. */
void streams_pump(struct stream_env *env);
/* Asks again for the names that were denied, as far as there is room now (demand.c). */
void streams_ask_again(struct stream_env *env);

struct stream *stream_new(struct stream_env *env, enum stream_protocol protocol,
                          _Atomic unsigned *peer_names, void *user);
void stream_free(struct stream *stream);
void stream_receive(struct stream *stream, struct str bytes);
void stream_set_view(struct stream *stream, const struct view *view); /* once */
/* The transport may take more; true: the stream waited for that. */
bool stream_drained(struct stream *stream);
/* Texts are borrowed, but for those of `asked`, which is in the arena. */
void stream_report_fill(const struct stream *stream, bool resources, struct arena *arena,
                        struct stream_report *ret_report);

/* --- for the protocols ----------------------------------------------------------------------- */
/* One name more or less; false when the stream was ended over a limit. */
bool stream_add_name(struct stream *stream, struct subscription *sub, struct str name,
                     uint32_t *ret_id);
void stream_remove_name(struct stream *stream, struct subscription *sub, struct str name);
/* Puts dirty resources into env->response, as many as may go into one; not those that move. */
void stream_put_dirty(struct stream *stream, struct subscription *sub);
/* Notes that the resource is in the response, and that its assignment has to follow. */
void stream_sent_put(struct stream *stream, struct subscription *sub, uint32_t id,
                     const struct resource *resource);
/* Sends env->response, which holds all but type_url, nonce and control_plane; their field numbers
 * differ between the protocols. */
enum { DELTA_REMOVED_RESOURCES = 6 };
struct stream_tail {
    uint32_t type_url;
    uint32_t nonce;
    uint32_t control_plane;
};
void stream_send(struct stream *stream, struct subscription *sub, const struct stream_tail *tail);
void stream_end(struct stream *stream, enum stream_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- on-demand names (demand.c) --------------------------------------------------------------- */
/* Of other types these do nothing. `newly`: the id was not named before. */
void demand_add(struct stream *stream, struct subscription *sub, uint32_t id, bool newly);
void demand_remove(struct stream *stream, struct subscription *sub, uint32_t id);
void demand_remove_all(struct stream *stream);

/* --- acknowledgement (ack.c) ----------------------------------------------------------------- */
/* What the request says of the response it answers. False: it answers none in flight; stale nonces
 * say nothing. */
bool stream_acknowledge(struct stream *stream, struct subscription *sub,
                        const struct request *request);
/* Does the text speak of this resource? Whole names only: "a:80" is not in "a:8080". */
bool reject_text_names(struct str text, struct str name);

#endif
