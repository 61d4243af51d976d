/* SPDX-License-Identifier: Apache-2.0 */
/* policy: which XBackendTrafficPolicy holds for a Service, and what follows from it. */
#ifndef HEDDLE_RESOLVE_POLICY_H
#define HEDDLE_RESOLVE_POLICY_H

#include "engine/engine.h"
#include "ir/ir.h"
#include "model/policy.h"

/* Other kinds of targets are other controllers' business. */
bool policy_targets_service(const struct policy_target *target);

/* The oldest that targets the Service "ns/svc"; NULL: none does. */
const struct backend_policy *policy_of(struct eval *ev, struct str service);

struct ir_retry_budget *policy_budget(struct arena *arena, const struct retry_constraint *from);

/* Gives the backends of all routes that have no session of their own those of their policies. */
void policy_sessions(struct eval *ev, struct ir_routing *routing);

#endif
