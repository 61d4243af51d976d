/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: one thread that serves streams: a loop, a gRPC server on it, a replica, a mailbox.
 *
 *   worker_start ─► [thread: letters in, letters out] ─► LETTER_STOP ─► worker_join
 *
 * Everything but worker_post() is called on thread 0 before the thread runs or after it ended.
 */
#ifndef HEDDLE_SERVE_WORKER_H
#define HEDDLE_SERVE_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "serve/letter.h"
#include "serve/serve.h"

struct worker;

struct worker_config {
    unsigned index;
    struct serve_limits limits;
    bool report_acks;
    bool csds;
    struct mailbox *events;     /* of thread 0 */
    _Atomic unsigned *nstreams; /* of all workers ... */
    _Atomic unsigned *names;    /* ... as are on-demand names */
};

bool worker_start(const struct worker_config *config, struct worker **ret_worker, struct err *err);
void worker_post(struct worker *worker, struct letter *letter); /* any thread; takes the letter */
void worker_join(struct worker *worker);                        /* after LETTER_STOP; frees it */

#endif
