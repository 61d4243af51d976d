/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen: what of an object that heddle made counts: whose it is, whether it still is as heddle wrote
 * it, and what it says of the Gateway.
 *
 * The API server notes which fields each writer has set (metadata.managedFields). An edit of a
 * field that heddle set takes it out of heddle's set: as long as the set is the one that was there
 * after heddle wrote, nothing has to be mended. Defaults, status and what others add do not matter.
 * Source: Kubernetes API reference, ManagedFieldsEntry; "Server-Side Apply".
 */
#ifndef HEDDLE_PROVISION_SEEN_H
#define HEDDLE_PROVISION_SEEN_H

#include "codec/doc.h"
#include "codec/hash.h"
#include "ir/gateway.h"
#include "provision/identity.h"
#include "provision/part.h"

/* Zeroed: it is not there. Texts are in the arena. */
struct seen {
    struct arena arena;
    bool there;
    bool deleting;
    struct str version, uid;
    struct str owner, owner_uid;        /* the Gateway that owns it; empty: none does */
    struct str manager, gateway, class; /* labels (part.h) */
    struct hash fields;                 /* that heddle set, as the API server notes them */
    /* of a Service: where it is reached */
    LIST(struct ir_address) addresses;
    /* of a Deployment */
    int32_t available;
    int32_t generation; /* of its spec */
    bool settled;       /* all its pods are of its template and ready, or it has given up */
    bool gave_up;
    struct str trouble; /* why pods are not made: a quota, say; empty: nothing */
    int32_t replicas;   /* that are asked for */
    bool replicas_ours; /* heddle asked for them */
    /* of a Secret */
    struct str identity_of; /* the annotation: for whom it was made */
    struct identity identity;
};

void seen_read(enum part part, const struct doc_node *object, struct seen *ret_seen);
void seen_release(struct seen *seen); /* zeroed afterwards */

#endif
