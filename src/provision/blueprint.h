/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blueprint: which objects a Gateway is to have, as the API server is asked to have them. A pure
 * function of the Gateway, of what follows from it and of settings; equal input, equal bytes.
 *
 * Nothing in the pods depends on listeners or routes, which come over xDS: no change of these
 * restarts a pod. Only what heddle cares for is said, so that others (autoscaler, load balancer)
 * keep what is theirs: the objects are applied (server-side apply), not replaced.
 * Source: GEP-1867 (infrastructure), GEP-1762; Pod Security Standards, "restricted".
 */
#ifndef HEDDLE_PROVISION_BLUEPRINT_H
#define HEDDLE_PROVISION_BLUEPRINT_H

#include "base/arena.h"
#include "ir/gateway.h"
#include "model/gateway.h"
#include "provision/part.h"

#define BLUEPRINT_XDS_PORT 15011    /* of Service heddle: with TLS, client certificates demanded */
#define BLUEPRINT_AGENTS_PORT 15012 /* of Service heddle */
#define BLUEPRINT_CONTAINER "gateway"                       /* what runs in the pods */
#define BLUEPRINT_IDENTITY_ANNOTATION "heddle.dev/identity" /* of the Secret: who it makes one */

struct provision_settings {
    struct str image; /* of heddle and Envoy */
    struct str ns;    /* heddle's own */
    struct str cluster_domain;
    struct str trust_domain;
};

struct blueprint_question {
    const struct provision_settings *settings;
    const struct gateway *gateway;
    const struct ir_gateway *ir; /* accepted */
    struct str uid;              /* of the Gateway: its owner */
    struct str stem;             /* what its objects are called (part.h) */
};

struct blueprint {
    struct str stem;
    struct str identity;         /* the URI of the certificate */
    struct str part[PART_COUNT]; /* JSON; empty: it is not to be there */
};

/* Texts are in the arena. The Secret lacks its data, which is no function of these (identity.h). */
void blueprint_make(struct arena *arena, const struct blueprint_question *question,
                    struct blueprint *ret_blueprint);

/* What a Service is asked to have of the addresses that a Gateway wants; empty: none. A Service has
 * one. */
struct str blueprint_address(const struct ir_gateway *ir);

#endif
