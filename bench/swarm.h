/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm: all clients of a run, on one thread and one epoll.
 *
 * A turn first reads from every socket that is ready, noting the time of each read, and only then
 * looks at what was read: what a client does with a response must not delay the clock of the next.
 */
#ifndef HEDDLE_BENCH_SWARM_H
#define HEDDLE_BENCH_SWARM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "stream.h"

struct swarm {
    int epoll;
    struct sockaddr_storage server;
    socklen_t server_len;
    struct catalog catalog;
    struct stream *streams; /* sidecars first */
    unsigned nstreams;
    uint8_t *bytes; /* what one turn has read */
};

void swarm_init(struct swarm *swarm, const struct sockaddr_storage *server, socklen_t server_len,
                unsigned nstreams);
void swarm_free(struct swarm *swarm);
bool swarm_connect(struct swarm *swarm, struct stream *stream, struct err *err);
/* Serves what is ready, waits at most timeout_ms for the first. False when a stream has failed. */
bool swarm_turn(struct swarm *swarm, int timeout_ms, bool *ret_idle, struct err *err);
/* Turns until all of `done` streams say so, or `limit_ms` are over (which is an error). */
typedef bool swarm_done_fn(const struct stream *stream, void *user);
bool swarm_until(struct swarm *swarm, swarm_done_fn *done, void *user, unsigned limit_ms,
                 struct err *err);
/* Turns until nothing has come for quiet_ms. */
bool swarm_quiet(struct swarm *swarm, unsigned quiet_ms, struct err *err);
/* From now on nothing is read from the stream. */
void swarm_mute(struct swarm *swarm, struct stream *stream);
void swarm_reset_tallies(struct swarm *swarm);

#endif
