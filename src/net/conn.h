/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn: one TCP connection on one loop, plain or TLS.
 *
 *            on_data <── decrypt <── read buffer of the loop <── socket
 *   conn_write(chain) ──> queued ──(encrypt)──> wire ──writev──> socket
 *
 * A write goes to the socket at once when nothing waits; plain text is not copied. The rest waits
 * in two chains: `queued` (not yet encrypted) and `wire` (given to the loop). When together they
 * reach queue_max, conn_writable() is false and the upper layer must not write until on_drain; so
 * the most that can wait is queue_max and one write.
 *
 * Life: conn_new() owns the fd; conn_close() (or the peer, or a timeout) begins the end;
 * on_closed() comes exactly once, never from inside a conn_ call, and is the last callback: the
 * conn is freed right after it.
 */
#ifndef HEDDLE_NET_CONN_H
#define HEDDLE_NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "net/transport.h"

#define CONN_QUEUE_MAX (256 * 1024) /* default for queue_max */
#define CONN_HANDSHAKE_TIMEOUT_MS 10000
#define CONN_FLUSH_TIMEOUT_MS 5000 /* CLOSE_AFTER_FLUSH waits no longer than this */
#define CONN_IOV_MAX 1024          /* pieces in one writev(): as many as Linux takes */
#define CONN_TLS_BATCH (64 * 1024) /* bytes encrypted ahead of the socket */
#define CONN_REASON_MAX 160        /* of a close reason, with its NUL */

struct chain;
struct conn;
struct loop;
struct tls_context;

struct conn_options {
    size_t queue_max;              /* bytes; 0: CONN_QUEUE_MAX. Drained is a quarter of it */
    uint32_t handshake_timeout_ms; /* TLS handshake and first byte; 0: the default above */
    uint32_t idle_timeout_ms;      /* no byte in either direction; 0: none */
};

struct conn_events {
    void (*on_data)(void *user, const uint8_t *data, size_t len);
    void (*on_drain)(void *user); /* writable again, after it was not */
    /* `reason` in words, e.g. "closed by peer"; borrowed */
    void (*on_closed)(void *user, const char *reason);
};

/* `tls` NULL: plain text; else a reference is taken. `options` NULL: all defaults. `events` must
 * outlive the conn. Never fails: what is wrong with the fd comes as on_closed. */
struct conn *conn_new(struct loop *loop, int fd, const struct sockaddr_storage *peer,
                      struct tls_context *tls, const struct conn_options *options,
                      const struct conn_events *events, void *user);
/* Takes all bytes of the chain, which is empty afterwards. Dropped when closing. */
void conn_write(struct conn *conn, struct chain *chain);
bool conn_writable(const struct conn *conn);
size_t conn_queued(const struct conn *conn); /* bytes not yet taken by the kernel */
void conn_pause(struct conn *conn);          /* reads no more ... */
void conn_resume(struct conn *conn);         /* ... until here */
void conn_close(struct conn *conn, enum close_mode mode, const char *reason);

struct transport conn_transport(struct conn *conn);
const struct sockaddr_storage *conn_peer(const struct conn *conn);
/* See tls_peer_uri(); false on plain text. */
bool conn_peer_uri(const struct conn *conn, struct buf *ret_uri);

#endif
