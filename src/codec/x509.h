/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509: can certificates be read, and does a key belong to them? Texts are PEM, as Secrets and
 * ConfigMaps have them. Trust is left to who speaks TLS with them; validity in time
 * is only told.
 *
 * Of keys and leaves is demanded what Envoy demands (RSA of 2048 bits, the curves P-256, P-384 and
 * P-521, an ECDSA key that may sign, no "must staple"), since it refuses them, and a listener
 * without a certificate cannot be told from one that is late.
 */
#ifndef HEDDLE_CODEC_X509_H
#define HEDDLE_CODEC_X509_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* What is wrong, as words behind a subject ("has no certificate in it"); empty: nothing. Static
 * texts, which never have bytes of the key. */
struct str x509_certificates_fault(struct str text); /* of a chain or a bundle: all must be good */
/* Of a bundle of authorities, which may have revocation lists: all must be good, since Envoy
 * refuses the whole, and with it every certificate that serves beside it. */
struct str x509_authorities_fault(struct str text);
struct str x509_key_fault(struct str key, struct str chain); /* chain: good, its leaf first */

/* When the first and the last certificate of a text end to be valid (notAfter), in seconds since
 * 1970; what is before that counts as then. False: none can be read. */
struct x509_ends {
    int64_t first, last;
};
bool x509_ends(struct str text, struct x509_ends *ret_ends);

#endif
