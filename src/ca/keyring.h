/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring: the secrets that all replicas of heddle share: the CA of their serving certificates and
 * the token by which they know each other; the content of the Secret heddle-ca.
 *
 *   ca.crt      every CA that is to be trusted; the first one signs
 *   ca.key      of the first
 *   next.key    of the CA that signs next, the last of ca.crt; absent when there is none
 *   token       what replicas say to each other
 *
 * A CA is replaced in steps, so that nobody meets a certificate whose CA it does not trust yet:
 *
 *   signs ──► the next one is trusted, too ──(KEYRING_OVERLAP_S)──► it signs; the old one is
 *                                              trusted until it ends ──► it is dropped
 *
 * Pure but for random keys; the time is the caller's.
 */
#ifndef HEDDLE_CA_KEYRING_H
#define HEDDLE_CA_KEYRING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/doc.h"
#include "codec/json.h"

#define KEYRING_LIFE_S (365 * 86400)  /* of a CA */
#define KEYRING_RENEW_S (60 * 86400)  /* before its end the next one is made */
#define KEYRING_OVERLAP_S (2 * 86400) /* that the next one is trusted before it signs */
#define KEYRING_AUTHORITIES_MAX 8     /* that are trusted at once */
#define KEYRING_TOKEN_MIN 16          /* bytes */

/* Zeroed is empty: token.len is 0. Texts are in the arena. */
struct keyring {
    struct arena arena;
    struct str bundle; /* PEM: whom to trust */
    struct str cert;   /* the first of the bundle */
    struct str key;
    struct str next_key; /* of the last of the bundle; empty: there is none */
    struct str token;
};

bool keyring_make(int64_t now_s, struct keyring *ret_ring, struct err *err);
/* The `data` of a Secret (base64). False with what is wrong in it. */
bool keyring_read(const struct doc_node *data, struct keyring *ret_ring, struct err *err);
/* Writes the members of a Secret's `data`; what is absent as null (a merge patch takes it out). */
void keyring_write(const struct keyring *ring, struct json *json);
/* Whether the time has come for a step; if so *ret_ring is the ring after it, and *ret_what says
 * what was done. False without err.text: nothing is due. */
bool keyring_advance(const struct keyring *ring, int64_t now_s, struct keyring *ret_ring,
                     const char **ret_what, struct err *err);
bool keyring_equal(const struct keyring *a, const struct keyring *b);
void keyring_release(struct keyring *ring); /* wipes what is secret */
void keyring_wipe(struct str text);         /* of a text that held keys */

#endif
