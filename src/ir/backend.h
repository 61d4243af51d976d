/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend: the part of the IR (ir.h) that says what stands behind a Service port.
 *
 *   ir_cluster   how to talk to its endpoints
 *   ir_places    the places from which they look different
 *   ir_endpoints where they are, by locality
 */
#ifndef HEDDLE_IR_BACKEND_H
#define HEDDLE_IR_BACKEND_H

#include "engine/engine.h"
#include "model/field.h"

struct ir_retry_budget { /* how many retries may be under way, of all clients of a proxy */
    int32_t percent;     /* of the requests of the last interval */
    int64_t interval_ms;
    int64_t min_concurrency; /* always allowed; > 0 */
};

struct ir_cluster {
    struct row row;
    struct str name; /* "ns/svc:port" */
    struct str ns, service;
    int protocol;                         /* enum ir_protocol */
    struct ir_retry_budget *retry_budget; /* NULL: no limit */
};

/* Beside the endpoints for everybody. */
struct ir_places {
    struct row row;
    LIST(struct str) keys; /* of T_ENDPOINTS: "ns/svc:port@zone/ZONE", "ns/svc:port@node/NODE" */
};

struct ir_endpoint {
    struct str address;
    int32_t port;
    struct str other; /* its address of the other family; empty: none */
    int32_t other_port;
    bool draining; /* for sessions that it has, not for new traffic */
};
struct ir_locality {
    struct str zone;  /* empty when unknown */
    struct str part;  /* tells it from the same zone at another priority; else empty */
    int32_t priority; /* from 0, without gaps: the next is used where all before it fail */
    LIST(struct ir_endpoint) endpoints; /* by address, port; no duplicates in all localities */
};
struct ir_endpoints {
    struct row row;
    struct str name;
    bool udp; /* of a Gateway's UDPRoutes, which ask for no endpoints by this name */
    LIST(struct ir_locality) localities; /* by priority, zone */
};

extern const struct schema ir_cluster_schema, ir_places_schema, ir_endpoints_schema;
bool ir_cluster_equal(const struct row *a, const struct row *b);
bool ir_places_equal(const struct row *a, const struct row *b);
bool ir_endpoints_equal(const struct row *a, const struct row *b);

#endif
