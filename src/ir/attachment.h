/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attachment: what became of a route's parentRefs and backendRefs (T_ATTACHMENT, one row for each
 * route), and the conditions that follow (T_STATUS). GEP-1294, Gateway API v1.7 RouteStatus.
 */
#ifndef HEDDLE_IR_ATTACHMENT_H
#define HEDDLE_IR_ATTACHMENT_H

#include "engine/engine.h"
#include "ir/condition.h"
#include "model/field.h"
#include "model/route.h"

#define CONTROLLER_NAME "heddle.dev/gateway-controller"

struct attached_parent {
    int32_t index; /* of the parentRef in the spec */
    int condition; /* enum condition_id: C_accepted, or why not */
    struct str message;
    LIST(struct str) ports; /* keys of T_ROUTING this parentRef contributes to */
};

/* One backendRef, resolved. Order: rules, then backendRefs; of mirrors: rules, then filters. */
struct attached_backend {
    int32_t rule, index; /* of the backendRef or filter in the rule */
    struct str cluster;  /* key of T_PORT; empty when it does not resolve */
    int condition;       /* enum condition_id: C_resolved, or why not */
    struct str message;
};

struct attachment {
    struct row row;
    struct str key;  /* of the route */
    int kind;        /* enum kind_id */
    int64_t created; /* with key: the order between routes */
    struct str ns, name;
    LIST(struct attached_parent) parents; /* only those heddle controls */
    LIST(struct attached_backend) backends;
    LIST(struct attached_backend) mirrors; /* RequestMirror filters of rules */
    /* What it adds to each port that it governs (resolve/room.h). */
    int32_t matches;
    int64_t bytes;
};

struct condition {
    int id; /* enum condition_id: type, status and reason */
    struct str message;
};
struct status_parent {
    struct parent_ref ref; /* verbatim */
    LIST(struct condition) conditions;
};
/* Conditions of a route (parents), a policy (ancestors) or another object (conditions). */
struct status {
    struct row row;
    int kind;       /* enum kind_id */
    bool ancestors; /* `parents` are told as such */
    struct str ns, name;
    int64_t generation;
    LIST(struct status_parent) parents;
    LIST(struct condition) conditions;
    LIST(struct str) features; /* supportedFeatures of an XMesh or GatewayClass; sorted */
};

extern const struct schema attachment_schema, status_schema;
bool attachment_equal(const struct row *a, const struct row *b);
bool status_equal(const struct row *a, const struct row *b);

#endif
