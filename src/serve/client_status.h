/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_status: the messages of ClientStatusDiscoveryService (envoy.service.status.v3): which
 * clients are asked for, and what is told of one.
 *
 * Told are a client's node (without metadata) and, of each resource that it asked for or has, type,
 * name, version, state, and the words of a rejection. Contents are not: `heddle dump` has them.
 */
#ifndef HEDDLE_SERVE_CLIENT_STATUS_H
#define HEDDLE_SERVE_CLIENT_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "serve/stream.h"

#define CLIENT_STATUS_MATCHERS_MAX 100 /* of one request */

struct client_filter {
    struct str *ids; /* of nodes */
    size_t len;      /* 0: all clients */
};

/* ClientStatusRequest, with pb_guard() before. Texts live in the arena. */
bool client_filter_decode(struct str bytes, struct arena *arena, struct client_filter *ret_filter,
                          struct err *err);
bool client_filter_takes(const struct client_filter *filter, struct str node_id);
/* Appends the stream's ClientConfig as a field of ClientStatusResponse. The stream has a view. */
void client_status_encode(const struct stream *stream, struct buf *out);

#endif
