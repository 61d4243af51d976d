/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper: the keyring in the Secret heddle-ca: made when there is none, followed, and led through
 * its life by the replica that leads.
 *
 *   watch ──► Secret ──► keyring ──► changed()
 *     │ none                 ▲
 *     └──► create ── 409: another replica was first ── its Secret comes by the watch
 *                            │
 *   leader, once an hour: keyring_advance() ──► patch with resourceVersion
 *
 * Who deletes the Secret gets a new CA and a new token. A Secret that makes no sense changes
 * nothing and is told in the log.
 * Thread 0. Logs.
 */
#ifndef HEDDLE_CA_KEEPER_H
#define HEDDLE_CA_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/keyring.h"
#include "kube/kube.h"

#define KEEPER_SECRET "heddle-ca"
#define KEEPER_LOOK_MS (3600u * 1000) /* between two looks whether a step is due */

struct keeper;

struct keeper_config {
    struct kube *kube;
    struct str ns;
    int64_t (*now_s)(void); /* since 1970; NULL: the clock */
    void (*changed)(void *user, const struct keyring *ring);
    void *user;
};
struct keeper *keeper_start(const struct keeper_config *config);
/* NULL until one was read. Valid until the next changed(). */
const struct keyring *keeper_ring(const struct keeper *keeper);
/* Whether this replica leads the keyring through its life. */
void keeper_lead(struct keeper *keeper, bool leads);
void keeper_stop(struct keeper *keeper); /* nothing is told any more; NULL is fine */

#endif
