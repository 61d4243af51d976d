/* SPDX-License-Identifier: Apache-2.0 */
/* target: what the heddle process under test says of itself, and what the kernel says of it. */
#ifndef HEDDLE_BENCH_TARGET_H
#define HEDDLE_BENCH_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct target {
    int pid;
    struct sockaddr_storage admin;
    socklen_t admin_len;
};

struct figures {
    uint64_t evaluations; /* from /metrics */
    uint64_t turns;
    uint64_t turn_ns;
    uint64_t pending; /* what is still to be written to the API server */
    uint64_t cpu_ns;  /* of all its threads */
    uint64_t rss_kib;
    uint64_t peak_kib;
};

bool target_read(const struct target *target, struct figures *ret_figures, struct err *err);

#endif
