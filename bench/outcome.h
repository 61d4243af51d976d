/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outcome: what a number of changes did to the clients, by class, and to heddle.
 *
 * A client is concerned by a change when the change alters bytes that it subscribes to; all others
 * are strangers to it and must not hear of it.
 */
#ifndef HEDDLE_BENCH_OUTCOME_H
#define HEDDLE_BENCH_OUTCOME_H

#include <stdio.h>

#include "samples.h"
#include "stream.h"
#include "target.h"

/* Least, greatest and sum of a count. */
struct range {
    uint64_t min, max, sum, n;
};

struct class_outcome {
    unsigned streams;
    struct samples latency; /* event to receipt */
    struct range messages;  /* per concerned stream and change */
    struct range resources;
    struct range payload; /* bytes of response messages */
    struct range bytes;   /* read from the socket: framing and what else HTTP/2 says */
    uint64_t repeats;     /* resources that came with equal bytes */
    uint64_t unasked;     /* resources that were not subscribed to */
    uint64_t removed;
    uint64_t stranger_messages;
    uint64_t stranger_bytes;
};

struct outcome {
    struct class_outcome classes[CLASS_COUNT];
    struct range evaluations; /* per change */
    struct range turns;
    struct range turn_us;
    struct range cpu_us;    /* of heddle */
    struct range client_us; /* of all clients */
    struct samples floor;
    struct figures last; /* after the last change */
};

void range_add(struct range *range, uint64_t value);
/* Counts what the stream got since its tally was reset; kind: where the news is expected. */
void outcome_add_stream(struct outcome *outcome, const struct stream *stream, bool concerned,
                        enum kind kind, uint64_t event_ns);
void outcome_add_figures(struct outcome *outcome, const struct figures *before,
                         const struct figures *after);
/* Writes members of a JSON object, each after a comma. */
void outcome_write(struct outcome *outcome, FILE *out);
void outcome_release(struct outcome *outcome);

#endif
