/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serving: a serving certificate of this replica. It is minted in memory from the keyring that all
 * replicas share, and minted anew at two thirds of its life or when the keyring changes:
 * connections that are open keep what they have, new ones get the new one.
 * Thread 0. Logs.
 */
#ifndef HEDDLE_CA_SERVING_H
#define HEDDLE_CA_SERVING_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "ca/keyring.h"

#define SERVING_LIFE_S (7 * 86400)    /* of a certificate, unless the config says another */
#define SERVING_LOOK_MS (3600 * 1000) /* at most, between two looks at the clock */

struct loop;
struct serving;
struct tls_context;

struct serving_config {
    struct loop *loop;
    const struct str *hosts; /* DNS names and addresses; copied */
    size_t nhosts;
    const char *const *alpn; /* struct tls_options; outlives the serving */
    bool clients;            /* they must show a certificate that a CA of the keyring signed */
    int64_t life_s;          /* 0: SERVING_LIFE_S */
    unsigned look_ms;        /* 0: SERVING_LOOK_MS */
    int64_t (*now_s)(void);  /* since 1970; NULL: the clock */
};
struct serving *serving_new(const struct serving_config *config);
/* What there is to serve with from now on; copied. Nothing happens when it signs as before. */
void serving_keyring(struct serving *serving, const struct keyring *ring);
/* For the next connection; borrowed. NULL while there was no keyring. */
struct tls_context *serving_tls(const struct serving *serving);
uint64_t serving_minted(const struct serving *serving); /* how many certificates so far */
void serving_free(struct serving *serving);             /* NULL is fine */

#endif
