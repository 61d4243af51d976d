/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease: which one of several processes leads. Whoever holds the Lease does; it is renewed while
 * it can be, and taken over when its holder has let it expire.
 *
 * A holder that cannot renew stops leading before others may take over, by its own clock alone
 * (LEASE_RENEW_MS < LEASE_DURATION_MS): there are never two that lead. The clocks of machines are
 * not compared: a Lease counts as expired when it did not change for its duration as watched here.
 * Only the spec is written, and only over the version that was read. Rights: get, create, patch.
 * Thread 0. Logs.
 * Source: coordination.k8s.io/v1 Lease; the reasoning of client-go's leaderelection.
 */
#ifndef HEDDLE_KUBE_LEASE_H
#define HEDDLE_KUBE_LEASE_H

#include <stdbool.h>

#include "kube/kube.h"

#define LEASE_DURATION_MS 10000
#define LEASE_RENEW_MS 7000 /* a holder that has not renewed for so long leads no more */
#define LEASE_RETRY_MS 2000
#define LEASE_ANSWER_MS 3000 /* to wait for the API server */

struct lease;

/* Times in ms; 0: as above. */
struct lease_times {
    unsigned duration, renew, retry;
};

struct lease_config {
    struct kube *kube;
    struct loop *loop;
    struct str ns, name;
    struct str identity;                     /* of this process: the pod's name */
    void (*changed)(void *user, bool leads); /* told when it turns */
    void *user;
    struct lease_times times; /* for tests */
};

struct lease *lease_start(const struct lease_config *config);
bool lease_leads(const struct lease *lease);
/* NULL is fine (done() is not called). Leads no more (changed() is not told), and gives the Lease
 * back when it is held (the next one need not wait), as far as grace_ms allow; then `done` (may be
 * NULL). The kube stays until then.
 */
void lease_stop(struct lease *lease, unsigned grace_ms, void (*done)(void *user), void *user);

#endif
