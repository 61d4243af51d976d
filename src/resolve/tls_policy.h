/* SPDX-License-Identifier: Apache-2.0 */
/* tls_policy: what a BackendTLSPolicy comes to, for the ports it governs and for its status. */
#ifndef HEDDLE_RESOLVE_TLS_POLICY_H
#define HEDDLE_RESOLVE_TLS_POLICY_H

#include "engine/engine.h"
#include "ir/condition.h"
#include "ir/ir.h"
#include "model/tls_policy.h"

/* Other kinds of targets are other controllers' business. */
bool tls_policy_targets_service(const struct tls_policy_target *target);

/* The policy whose target it is to govern: of those that name the Service "ns/svc" and the same
 * section (empty: none) the oldest; NULL: none does. */
const struct tls_policy *tls_policy_of(struct eval *ev, struct str service, struct str section);

/* By whom the certificates of the backends must be signed. */
struct tls_trust {
    bool system;
    LIST(struct str) authorities; /* keys of T_CONFIGMAP: those that are usable */
    enum condition_id resolved;   /* C_tls_resolved, or why some reference does not resolve */
    struct str message;           /* of it */
    /* Why nobody can be trusted, so that nothing may be sent; C_policy_accepted: somebody can. */
    enum condition_id accepted;
    struct str fault;
};
/* In the scratch arena. */
struct tls_trust tls_policy_trust(struct eval *ev, const struct tls_policy *policy);

#endif
