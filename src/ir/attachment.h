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

/* A hostname of the route that meets one of a listener. */
struct attached_host {
    struct str hostname; /* the route's, in lower case; "*": it has none */
    struct str domain;   /* what both stand for: the more specific of the two; "*": anything */
};
/* A listener of a Gateway that a parentRef attaches to. */
struct attached_listener {
    struct str key;                   /* ir_listener.key */
    struct str entry;                 /* entry_name(), of UDP with "/udp" */
    int protocol;                     /* enum ir_listener_protocol */
    bool passthrough;                 /* of TLS: as the listener says */
    LIST(struct attached_host) hosts; /* one "*", "*" where the protocol has no names */
};

struct attached_parent {
    int32_t index; /* of the parentRef in the spec */
    int condition; /* enum condition_id: C_accepted, or why not */
    struct str message;
    struct str gateway; /* "NS/NAME" of the Gateway, also of a ListenerSet's; empty: a Service */
    LIST(struct str) ports; /* keys of T_ROUTING this parentRef contributes to: of a Service */
    LIST(struct attached_listener)
    listeners; /* of a Gateway: those that admit the route, served
                  or not */
};

/* Whether BackendTLSPolicies matter to what comes in by it. Not to TLS that passes through, nor in
 * the mesh. */
bool attached_may_speak_tls(const struct attached_parent *parent);

/* One backendRef, resolved. Order: rules, then backendRefs; of mirrors: rules, then filters. */
struct attached_backend {
    int32_t rule, index; /* of the backendRef or filter in the rule */
    struct str cluster;  /* key of T_PORT; empty when it does not resolve */
    int condition;       /* enum condition_id: C_resolved, or why not */
    struct str message;
    /* Not empty: a Gateway may not send there, for want of a ReferenceGrant. The mesh may (cluster
     * is what it is). */
    struct str ungranted;
    /* Not empty: only a Gateway may send there, since the port is TLS, of which a BackendTLSPolicy
     * tells Gateways alone. */
    struct str encrypted;
};

/* Whether a Gateway, or else the mesh, sends there: C_resolved, or why not, with the message, which
 * is borrowed. */
enum condition_id attached_backend_state(const struct attached_backend *backend, bool gateway,
                                         struct str *ret_message);

struct attachment {
    struct row row;
    struct str key;  /* of the route */
    int kind;        /* enum kind_id */
    int64_t created; /* with key: the order between routes */
    struct str ns, name;
    LIST(struct attached_parent) parents; /* only those heddle controls */
    LIST(struct attached_backend) backends;
    LIST(struct attached_backend) mirrors; /* RequestMirror filters of rules */
    LIST(struct str) names;                /* of a TLSRoute that governs ports: its hostnames */
    bool unserved; /* not one of its rules is served: no parent accepts it */
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
struct status_kind { /* RouteGroupKind */
    struct str group, kind;
};
struct status_listener {
    struct str name;
    int32_t attached;               /* routes */
    LIST(struct status_kind) kinds; /* supportedKinds */
    LIST(struct condition) conditions;
};
struct status_address {
    struct str type, value;
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
    LIST(struct status_listener) listeners; /* of a Gateway or ListenerSet */
    LIST(struct status_address) addresses;  /* of a Gateway */
    int32_t attached_sets;                  /* of a Gateway: attachedListenerSets */
    /* Ancestors, "ns/name", for which the API has no room. */
    LIST(struct str) untold;
};

extern const struct schema condition_schema, attachment_schema, status_schema;
bool attachment_equal(const struct row *a, const struct row *b);
bool status_equal(const struct row *a, const struct row *b);

#endif
