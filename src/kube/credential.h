/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential: who one is at the API server, now.
 *
 *   files (token, CA, certificate) ── read again when they changed ──┐
 *   a program ── run again when its credential expires ──────────────┼──► credential_get()
 *   texts of the kubeconfig ─────────────────────────────────────────┘
 *
 * Thread 0. Does not log.
 */
#ifndef HEDDLE_KUBE_CREDENTIAL_H
#define HEDDLE_KUBE_CREDENTIAL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define CREDENTIAL_CHECK_MS 60000 /* between two looks at the files */
#define CREDENTIAL_RETRY_MS 5000  /* before a program runs again that failed, or was in vain */
#define CREDENTIAL_EARLY_S 10     /* before it expires, a credential counts as expired */

struct credential;
struct httpc_trust;
struct kube_config;
struct loop;

enum credential_state { CREDENTIAL_READY, CREDENTIAL_PENDING, CREDENTIAL_FAILED };

/* Borrowed until the next call of credential_get() or credential_refused(). */
struct credential_view {
    struct str bearer, basic;
    struct httpc_trust *trust;
    unsigned generation;
};

/* The config stays. False: a file that it names cannot be read. */
bool credential_new(struct loop *loop, const struct kube_config *config,
                    struct credential **ret_credential, struct err *err);
void credential_free(struct credential *credential); /* NULL is fine */
/* PENDING: a program runs; settled() is called when it has ended, then ask again. FAILED: why. */
enum credential_state credential_get(struct credential *credential,
                                     struct credential_view *ret_view, struct err *err);
void credential_on_settled(struct credential *credential, void (*settled)(void *user), void *user);
/* The API server refused (401) what credential_get() said in that generation. True: there is, or
 * may be, another one by now. */
bool credential_refused(struct credential *credential, unsigned generation);

#endif
