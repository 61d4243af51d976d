/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: XBackendTrafficPolicy v1alpha1 of Gateway API v1.7's experimental channel: what holds for
 * the traffic to a Service, whichever route sends it there.
 * Source: apisx/v1alpha1/xbackendtrafficpolicy_types.go, GEP-3388, GEP-1619.
 */
#ifndef HEDDLE_MODEL_POLICY_H
#define HEDDLE_MODEL_POLICY_H

#include "model/object.h"
#include "model/route.h"

struct policy_target { /* LocalPolicyTargetReference: in the policy's namespace */
    struct str group;
    struct str kind;
    struct str name;
    uint32_t line;
};

struct retry_constraint {
    struct {
        int32_t percent;     /* 20 */
        int64_t interval_ms; /* 10 s; 1 s to 1 h */
    } budget;
    struct {
        int32_t count;       /* 10 */
        int64_t interval_ms; /* 1 s; to 1 h */
    } min_rate;
};

struct backend_policy {
    struct object object;
    LIST(struct policy_target) targets; /* 1..16 */
    struct retry_constraint *retry;
    struct session_persistence *session;
};

extern const struct schema backend_policy_schema;

#endif
