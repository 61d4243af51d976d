/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509: can certificates be read, and does a key belong to them? Texts are PEM, as Secrets and
 * ConfigMaps have them. Validity in time and trust are left to who speaks TLS with them.
 *
 * Of keys is demanded what Envoy demands (RSA of 2048 bits, the curves P-256, P-384 and P-521),
 * since it refuses a whole response for one that it does not take.
 */
#ifndef HEDDLE_CODEC_X509_H
#define HEDDLE_CODEC_X509_H

#include "base/str.h"

/* What is wrong, as words behind a subject ("has no certificate in it"); empty: nothing. Static
 * texts, which never have bytes of the key. */
struct str x509_certificates_fault(struct str text); /* of a chain or a bundle: all must be good */
struct str x509_key_fault(struct str key, struct str chain); /* chain: good, its leaf first */

#endif
