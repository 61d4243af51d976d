/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provision: makes what runs a cluster's Gateways, keeps it as it should be, and tells where each
 * Gateway is.
 *
 *   Gateway, its IR row ──► blueprint ─┐                     ┌─ as it should be
 *   watches of what is there ──► seen ─┼─► waiting ──► look ─┼─ apply (server-side) │ delete
 *   lease ──► lead, CA ──► keyring ────┘      ▲              └──────────┬
 *                │                            └── backoff with jitter ◄─┘
 *                └──────────► placed(): addresses, Envoys that serve, what was refused
 *
 * Level-triggered: what counts is the difference between what is and what should be. Only the
 * leader writes; every replica knows where the Gateways are. Objects that heddle did not make are
 * never touched. What belongs to a Gateway that was deleted goes by its ownerReference; what a
 * Gateway is no longer to have, the leader deletes.
 * Thread 0. Logs.
 */
#ifndef HEDDLE_PROVISION_PROVISION_H
#define HEDDLE_PROVISION_PROVISION_H

#include "ca/keyring.h"
#include "kube/kube.h"
#include "provision/blueprint.h"

#define PROVISION_WRITES_MAX 8    /* in flight */
#define PROVISION_ROLLOUTS_MAX 10 /* of Gateways whose pods a new version replaces, at a time */
#define PROVISION_BACKOFF_MS 250
#define PROVISION_BACKOFF_MAX_MS 60000
#define PROVISION_CALM_MS 300000     /* after which somebody who undid a write is forgotten */
#define PROVISION_ADDRESS_MS 30000   /* so long a load balancer may take to give what was asked */
#define PROVISION_LINGER_MS 120000   /* so long what a Gateway had before outlives its successor */
#define PROVISION_IDENTITY_MS 600000 /* between two looks whether certificates are due */

struct provision;

enum provision_class {
    PROVISION_UNKNOWN, /* the GatewayClass is not there: nothing is made and nothing deleted */
    PROVISION_OURS,
    PROVISION_OTHERS /* another controller's */
};
struct provision_gateway {
    enum provision_class class;
    const struct gateway *gateway;
    const struct ir_gateway *ir; /* when ours; may be not accepted: then all stays as it is */
};

struct provision_config {
    struct kube *kube;
    struct provision_settings settings;
    unsigned address_ms;    /* 0: PROVISION_ADDRESS_MS */
    unsigned linger_ms;     /* 0: PROVISION_LINGER_MS */
    unsigned rollouts_max;  /* 0: PROVISION_ROLLOUTS_MAX */
    int64_t (*now_s)(void); /* since 1970; NULL: the clock */
    /* What is known of a Gateway. False: it is not there (yet). Borrowed during the call. */
    bool (*find)(void *user, struct str key, struct provision_gateway *ret_gateway);
    /* Where it is. Takes the reference; NULL: no longer ours. Not before all that is there is
     * known: what has yet to be read would seem to be gone. */
    void (*placed)(void *user, struct str key, struct placed_row *row);
    void (*synced)(void *user); /* it is known; once. NULL is fine */
    void *user;
};

struct provision *provision_new(const struct provision_config *config);
void provision_free(struct provision *provision); /* the loop must still turn; NULL is fine */
bool provision_synced(const struct provision *provision); /* all that is there is known */

/* What the API server has; before provision_changed(). */
void provision_seen(struct provision *provision, struct str ns, struct str name, struct str uid);
void provision_gone(struct provision *provision, struct str ns, struct str name);
/* What is to be made for a Gateway ("ns/name") may be something else now. */
void provision_changed(struct provision *provision, struct str key);
/* Whom certificates are signed by; until then there are none, and no pods. Borrowed until the next
 * call. */
void provision_keyring(struct provision *provision, const struct keyring *ring);
void provision_lead(struct provision *provision, bool leads);

#endif
