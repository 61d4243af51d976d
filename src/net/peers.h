/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers: what each remote address costs, so that none can take what is there for all.
 *
 * A peer is an address, for IPv6 a /64 (net/addr.h), and not what a node calls itself: a client can
 * have as many names as it likes, or another one's, but not another's address. Clients behind one
 * address share its limits.
 *
 * The thread that accepts makes a peer with its first connection and frees it with its last; in
 * between, workers of xDS count in `names`.
 */
#ifndef HEDDLE_NET_PEERS_H
#define HEDDLE_NET_PEERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/map.h"
#include "net/addr.h"

struct peer {
    char key[ADDR_TEXT_MAX];
    size_t conns;           /* of the thread that accepts */
    _Atomic unsigned names; /* on-demand names of all its streams */
};

struct peers {
    struct map by_key;
    size_t conns; /* of all */
};

void peers_release(struct peers *peers);
/* One more connection, or one less. NULL: the peer has `max` of them already. */
struct peer *peers_enter(struct peers *peers, const struct sockaddr_storage *addr, size_t max);
void peers_leave(struct peers *peers, struct peer *peer);

#endif
