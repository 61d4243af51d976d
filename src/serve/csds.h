/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csds: ClientStatusDiscoveryService as a management server answers it, on the worker that has the
 * call:
 *
 *   request ─► thread 0 (census.h) ─► every worker: csds_count() ─► thread 0 ─► csds_answer()
 *
 * A call's next request is read when the one before is answered.
 */
#ifndef HEDDLE_SERVE_CSDS_H
#define HEDDLE_SERVE_CSDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/grpc.h"
#include "serve/letter.h"
#include "serve/stream.h"

#define CSDS_CALLS_MAX 16  /* of one worker */
#define CSDS_CALL_MS 60000 /* a call is ended after that */

struct csds {
    struct stream_env *env;
    struct mailbox *events; /* of thread 0 */
    unsigned worker;
    bool on; /* else calls are told that it is off */
    struct list calls;
    unsigned ncalls;
    uint64_t last_id;
};

void csds_init(struct csds *csds, struct stream_env *env, struct mailbox *events, unsigned worker,
               bool on);
/* fetch: one request, one answer. */
void csds_open(struct csds *csds, struct grpc_call *grpc, bool fetch, uint64_t now_ms);
void csds_step(struct csds *csds, uint64_t now_ms); /* ends old calls */
void csds_stop(struct csds *csds);                  /* ends all calls */
/* LETTER_COUNT: the worker's clients, told to thread 0. */
void csds_count(struct csds *csds, const struct letter *letter);
/* LETTER_CENSUS: for the call that asked, if there still is one. */
void csds_answer(struct csds *csds, const struct letter *letter);

/* Of calls that csds_open() got. */
void csds_message(struct grpc_call *grpc, const uint8_t *data, size_t len);
void csds_half_close(struct grpc_call *grpc);
void csds_closed(struct grpc_call *grpc, const char *reason);

#endif
