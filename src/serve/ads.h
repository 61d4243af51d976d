/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ads: AggregatedDiscoveryService, on the worker that has the call: a call becomes a stream, and
 * what the stream says becomes bytes of the call and letters to thread 0.
 *
 *   grpc_call ──► ads_open, ads_message ──► stream.h ──┬──► grpc_send, grpc_finish
 *   letters: VIEW, REFUSE, ASK, changes ──────┘        └──► letters: OPENED, INTEREST, REJECTED, …
 */
#ifndef HEDDLE_SERVE_ADS_H
#define HEDDLE_SERVE_ADS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"
#include "net/grpc.h"
#include "net/loop.h"
#include "serve/acks_timer.h"
#include "serve/letter.h"
#include "serve/stream.h"

struct ads_config {
    struct loop *loop;
    struct mailbox *events; /* of thread 0 */
    struct acks_timer *acks;
    unsigned worker;
    const struct serve_limits *limits;
    bool report_acks;
    _Atomic unsigned *nstreams; /* of all workers ... */
    _Atomic unsigned *names;    /* ... as are on-demand names */
};

struct ads {
    struct ads_config config;
    struct stream_env env;
    struct map calls;    /* by the bytes of their id */
    struct list waiting; /* calls without a request, oldest first */
    struct loop_task pump;
    uint64_t last_id;
    bool stopping;
    bool busy;                /* much was sent, or a stream ended; whoever looks at it clears it */
    VEC(struct piece) pieces; /* scratch */
};

void ads_init(struct ads *ads, const struct ads_config *config); /* of zeroed memory */
void ads_open(struct ads *ads, struct grpc_call *grpc, enum stream_protocol protocol);
void ads_step(struct ads *ads);    /* ends calls that say nothing */
void ads_stop(struct ads *ads);    /* ends all calls, and those that come */
void ads_release(struct ads *ads); /* all calls must be gone */

/* Streams send what follows from the changes soon. */
void ads_apply(struct ads *ads, const struct changeset *changeset);
/* LETTER_VIEW, LETTER_REFUSE: to the stream that it is about, if there still is one. */
void ads_about_stream(struct ads *ads, const struct letter *letter);
/* LETTER_ASK: the streams that are asked for, told to thread 0. */
void ads_report(struct ads *ads, const struct letter *ask);

/* Of calls that ads_open() got. */
void ads_message(struct grpc_call *grpc, const uint8_t *data, size_t len);
void ads_half_close(struct grpc_call *grpc);
void ads_drained(struct grpc_call *grpc);
void ads_closed(struct grpc_call *grpc, const char *reason);

#endif
