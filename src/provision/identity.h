/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity: the certificate by which heddle knows a Gateway's Envoys: the content of its Secret.
 *
 *   tls.crt, tls.key   a client's certificate, its only name spiffe://TRUST-DOMAIN/gateway/NS/NAME
 *   ca.crt             whom the Envoys trust to be heddle
 *
 * It is made anew when two thirds of its life are over and when the CA has changed; the kubelet
 * brings it to the pods. Pure but for random keys; the time is the caller's.
 */
#ifndef HEDDLE_PROVISION_IDENTITY_H
#define HEDDLE_PROVISION_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/keyring.h"
#include "codec/doc.h"
#include "codec/hash.h"

#define IDENTITY_LIFE_S (30 * 86400)

/* What a Secret holds, without its secrets. Zeroed is none. */
struct identity {
    bool whole;              /* a certificate, its key and the CA's */
    int64_t due_s;           /* when the next one is to be made */
    struct hash authorities; /* of ca.crt */
};

struct identity identity_read(const struct doc_node *data);
bool identity_is_due(const struct identity *identity, const struct keyring *ring, int64_t now_s);
/* Writes the object (JSON that begins with '{' and has a member) with `data` besides. It holds a
 * key: wipe it. */
bool identity_make(struct str object, struct str uri, const struct keyring *ring, int64_t now_s,
                   struct buf *ret_object, struct err *err);

#endif
