/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls: the server side of TLS over memory, without sockets.
 *
 * A tls_context is what certificates and options come to: immutable, shared between threads by
 * reference count. Reload is: make a new one, swap the owner's pointer, unref the old one;
 * connections that run keep theirs. A `struct tls` is one connection's state on one loop.
 * TLS 1.2 or newer.
 */
#ifndef HEDDLE_NET_TLS_H
#define HEDDLE_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define TLS_RECORD_MAX 16384 /* bytes of plain text in one record */
#define TLS_ALPN_MAX 8       /* protocols offered */

struct tls;
struct tls_context;

struct tls_options {
    const char *cert_file;      /* PEM, leaf first, then intermediates */
    const char *key_file;       /* PEM, without a passphrase */
    const char *client_ca_file; /* PEM; NULL: clients need no certificate, else they must have */
    /* Protocols in order of preference, NULL ends, e.g. {"h2", NULL}. A client that offers ALPN
     * but none of these is refused. NULL: ALPN is not looked at. */
    const char *const *alpn;
    /* Instead of cert_file and key_file, and of client_ca_file: the PEM texts themselves. */
    struct str cert, key;
    struct str client_ca;
};

/* One reference; NULL and err (with the file's name, if it is a file) on failure. Any thread. */
struct tls_context *tls_context_new(const struct tls_options *options, struct err *err);
struct tls_context *tls_context_ref(struct tls_context *context);
void tls_context_unref(struct tls_context *context); /* NULL is fine */

struct tls *tls_new(struct tls_context *context); /* takes its own reference */
void tls_free(struct tls *tls);                   /* NULL is fine */

/* Takes bytes from the wire. Never fails; what is wrong shows in tls_read(). */
void tls_feed(struct tls *tls, const uint8_t *data, size_t len);

enum tls_result {
    TLS_DATA,   /* *ret_len bytes of plain text are there */
    TLS_AGAIN,  /* more bytes from the wire are needed */
    TLS_CLOSED, /* the peer said goodbye */
    TLS_FAILED, /* see err; the connection is lost */
};

/* Runs the handshake and reads. After every call there may be output (tls_output). */
enum tls_result tls_read(struct tls *tls, uint8_t *ret_data, size_t size, size_t *ret_len,
                         struct err *err);
/* Encrypts; only after the handshake. */
bool tls_write(struct tls *tls, const uint8_t *data, size_t len, struct err *err);
void tls_goodbye(struct tls *tls); /* adds close_notify to the output */
/* What is to be sent on the wire; borrowed until tls_output_sent(), which drops all of it. */
struct str tls_output(const struct tls *tls);
void tls_output_sent(struct tls *tls);

bool tls_ready(const struct tls *tls); /* the handshake is done */
/* Appends the first URI name of the client's verified certificate (a SPIFFE id); false: none. */
bool tls_peer_uri(const struct tls *tls, struct buf *ret_uri);

#endif
