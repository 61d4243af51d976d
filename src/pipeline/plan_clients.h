/* SPDX-License-Identifier: Apache-2.0 */
/* plan_clients: what connected clients would be sent. A part of plan.h. */
#ifndef HEDDLE_PIPELINE_PLAN_CLIENTS_H
#define HEDDLE_PIPELINE_PLAN_CLIENTS_H

#include "base/map.h"
#include "codec/json.h"
#include "pipeline/holdings.h"
#include "pipeline/mesh.h"

struct plan_client {
    struct str node;
    struct plan_group *group;
};

/* Clients that have the same. */
struct plan_group {
    struct view view;
    bool proxyless;
    bool sotw;
    const struct str *listeners; /* of proxyless clients */
    size_t nlisteners;
    struct holdings before;
    uint64_t bytes;
    size_t resources; /* sent */
    size_t removed;   /* named as removed */
};

struct plan_clients { /* zeroed is empty */
    struct arena arena;
    VEC(struct plan_client) items;
    VEC(struct plan_group *) groups;
    struct map by_key; /* of groups */
};

void plan_clients_add(struct plan_clients *clients, const struct mesh_client *client,
                      enum stream_protocol protocol, const struct str *listeners,
                      size_t nlisteners);
void plan_clients_before(struct plan_clients *clients, const struct engine *engine);
void plan_clients_after(struct plan_clients *clients, const struct engine *engine);
void plan_clients_dump(struct plan_clients *clients, struct json *json);
void plan_clients_release(struct plan_clients *clients);

#endif
