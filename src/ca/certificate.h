/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate: the X.509 that heddle makes for its own servers and for the gateways that it runs: a
 * CA, and what it signs, as PEM texts. ECDSA P-256. The time is the caller's; only serial numbers
 * and keys are random.
 * Source: RFC 5280 §4.2 (the extensions).
 */
#ifndef HEDDLE_CA_CERTIFICATE_H
#define HEDDLE_CA_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define CERTIFICATE_SKEW_S 3600        /* valid before it was made: clocks differ */
#define CERTIFICATE_PEM_MAX (1u << 16) /* bytes of a text */
#define CERTIFICATE_HOSTS_MAX 16
#define CERTIFICATE_URI_MAX 2048 /* bytes: of a SPIFFE ID */

struct certificate_life {
    int64_t from, to; /* seconds since 1970; the last of them inclusive */
};

/* A self-signed CA that may sign servers and clients, no further CAs. Appends to both buffers;
 * their maximum must leave room. */
bool certificate_authority(struct certificate_life life, struct buf *ret_cert, struct buf *ret_key,
                           struct err *err);

/* A server's certificate, signed by the CA. `hosts`: DNS names and IP addresses. It ends with its
 * CA at the latest. */
bool certificate_sign(struct str ca_cert, struct str ca_key, const struct str *hosts, size_t nhosts,
                      struct certificate_life life, struct buf *ret_cert, struct buf *ret_key,
                      struct err *err);

/* A client's certificate, likewise. Its only name is `uri`, by which the server knows who connects;
 * nobody takes it for a server's, nor a server's for one of these: their key usages differ. */
bool certificate_sign_client(struct str ca_cert, struct str ca_key, struct str uri,
                             struct certificate_life life, struct buf *ret_cert,
                             struct buf *ret_key, struct err *err);

/* Of the first certificate of the text. */
bool certificate_read_life(struct str cert, struct certificate_life *ret_life, struct err *err);
/* Whether the key belongs to the first certificate of the text. */
bool certificate_check_key(struct str cert, struct str key, struct err *err);
/* Takes the first certificate off the front of *rest and appends it to ret_cert. False: there is
 * none (more). */
bool certificate_cut(struct str *rest, struct buf *ret_cert);

#endif
