/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport: what a protocol session needs from whatever carries its bytes.
 *
 * A conn (net/conn.h) is one; tests and fuzz targets bring their own, without sockets. The other
 * direction is plain calls by whoever owns both: X_feed(data), X_drained() and, as the very last
 * one and never from inside a call of the session, X_lost(reason).
 */
#ifndef HEDDLE_NET_TRANSPORT_H
#define HEDDLE_NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

struct chain;

enum close_mode {
    CLOSE_NOW,         /* what is queued is dropped */
    CLOSE_AFTER_FLUSH, /* what is queued is written first, within CONN_FLUSH_TIMEOUT_MS */
};

struct transport_ops {
    /* Takes all bytes of the chain, which is empty afterwards. Ignored after close. */
    void (*write)(void *carrier, struct chain *chain);
    /* False: enough is queued; write no more until told X_drained(). */
    bool (*writable)(const void *carrier);
    /* Delivers no data until told otherwise; NULL: not possible, data keeps coming. */
    void (*pause)(void *carrier, bool on);
    /* The reason is copied. The first call wins. */
    void (*close)(void *carrier, enum close_mode mode, const char *reason);
};

struct transport {
    const struct transport_ops *ops;
    void *carrier;
};

#endif
