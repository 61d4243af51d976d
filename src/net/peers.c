/* SPDX-License-Identifier: Apache-2.0 */
/* peers: see peers.h. */
#include "net/peers.h"

#include <stdlib.h>

#include "base/panic.h"

struct peer *peers_enter(struct peers *peers, const struct sockaddr_storage *addr, size_t max)
{
    char key[ADDR_TEXT_MAX];
    addr_peer_text(addr, key);
    struct peer *peer = map_get(&peers->by_key, str_from(key));
    if (peer != NULL ? peer->conns >= max : max == 0) {
        return NULL;
    }
    if (peer == NULL) {
        peer = xcalloc(1, sizeof(*peer));
        addr_peer_text(addr, peer->key);
        (void)map_put(&peers->by_key, str_from(peer->key), peer);
    }
    peer->conns++;
    peers->conns++;
    return peer;
}

void peers_leave(struct peers *peers, struct peer *peer)
{
    ASSERT(peer->conns > 0 && peers->conns > 0);
    peers->conns--;
    if (--peer->conns == 0) {
        ASSERT(peer->names == 0);
        (void)map_remove(&peers->by_key, str_from(peer->key));
        free(peer);
    }
}

void peers_release(struct peers *peers)
{
    for (size_t i = map_next(&peers->by_key, 0); i < peers->by_key.cap;
         i = map_next(&peers->by_key, i + 1)) {
        free(peers->by_key.slots[i].value);
    }
    map_release(&peers->by_key);
}
