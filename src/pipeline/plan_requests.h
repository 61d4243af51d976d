/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_requests: which requests fare differently after a change. A part of plan.h.
 *
 *   before ──the change──► after ──back──► before
 *     │ remembers the rows   │ makes requests from the matches    │ asks what becomes of them now,
 *     │ of T_ROUTING         │ of the rows that differ, of both   │ and tells where the answers
 *     └──────────────────────┘ sides; asks what becomes of them   └ differ
 */
#ifndef HEDDLE_PIPELINE_PLAN_REQUESTS_H
#define HEDDLE_PIPELINE_PLAN_REQUESTS_H

#include "base/vec.h"
#include "codec/json.h"
#include "ir/ir.h"

/* A row of T_ROUTING, or of a Gateway of T_GATEWAY_ROUTING or T_GATEWAY_L4. */
struct plan_routing {
    unsigned table;
    struct str key;
    const struct ir_routing *row; /* a reference */
    bool headless;                /* sidecars do not see it */
};
/* One of T_ENDPOINTS. */
struct plan_endpoints {
    struct str key;
    bool ready; /* some endpoint is */
};
struct plan_ports { /* by table and key; by key */
    VEC(struct plan_routing) routings;
    VEC(struct plan_endpoints) endpoints;
};

struct plan_sample;

struct plan_requests { /* zeroed is empty */
    struct arena arena;
    struct plan_ports before, after;
    VEC(struct plan_sample *) samples; /* those for one match stand together */
    size_t left_out;                   /* matches without a request */
};

void plan_requests_before(struct plan_requests *requests, const struct engine *engine);
void plan_requests_after(struct plan_requests *requests, const struct engine *engine);
/* Writes the members requests, asked, left_out. */
void plan_requests_back(struct plan_requests *requests, const struct engine *engine,
                        struct json *json);
void plan_requests_release(struct plan_requests *requests);

#endif
