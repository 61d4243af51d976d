/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part: the objects that heddle makes for one Gateway, and what they and their labels are called.
 *
 *   Gateway a/web of class heddle ──► web-heddle: ServiceAccount, Service, Deployment, …
 *
 * A name has at most 63 bytes and no dots (a Service's is a DNS label), a Gateway's up to 253 with
 * dots: what does not fit is cut, and a hash of the whole tells it from others. So it does where
 * two Gateways would have the same names, `a` of class `b-c` and `a-b` of class `c` (naming.c).
 * Source: GEP-1762 (names and labels of what is made for a Gateway).
 */
#ifndef HEDDLE_PROVISION_PART_H
#define HEDDLE_PROVISION_PART_H

#include "base/arena.h"
#include "base/str.h"

#define PART_NAME_MAX 63
#define PART_RANDOM_MAX 6 /* of a name that the API server completes (generateName) */
#define PART_GATEWAY_LABEL "gateway.networking.k8s.io/gateway-name"
#define PART_CLASS_LABEL "gateway.networking.k8s.io/gateway-class-name"
#define PART_MANAGER_LABEL "app.kubernetes.io/managed-by"
#define PART_MANAGER "heddle" /* also the field manager of server-side apply */

/* In the order in which they are made: what a pod needs comes before it. */
enum part {
    PART_ACCOUNT,
    PART_IDENTITY, /* the Secret with the certificate by which heddle knows the Gateway's Envoys */
    PART_SERVICE,
    PART_DEPLOYMENT,
    PART_BUDGET,
    PART_AUTOSCALER,
    PART_COUNT
};

struct part_info {
    const char *kind;
    const char *group, *version, *plural;
    const char *suffix; /* of its name */
};
const struct part_info *part_info(enum part part);

/* What all objects of a Gateway are called, but for the suffix. */
struct str part_stem(struct arena *arena, struct str gateway, struct str class);
/* Where another Gateway has that: with a hash which no other Gateway of the namespace has. */
struct str part_stem_apart(struct arena *arena, struct str gateway, struct str class);
struct str part_name(struct arena *arena, enum part part, struct str stem);
/* A label's value: the name itself wherever it fits. */
struct str part_label(struct arena *arena, struct str name);
/* "/apis/apps/v1/namespaces/NS/deployments/NAME"; without a name, of all of them */
struct str part_path(struct arena *arena, enum part part, struct str ns, struct str name);

#endif
