/* SPDX-License-Identifier: Apache-2.0 */
/* container: the containers that heddle puts into pods, as Kubernetes JSON. Each is the caller's.
 */
#ifndef HEDDLE_INJECT_CONTAINER_H
#define HEDDLE_INJECT_CONTAINER_H

#include "inject/inject.h"
#include "inject/wishes.h"

#define CONTAINER_INTERCEPT "heddle-intercept"
#define CONTAINER_PROXY "heddle-proxy"
#define CONTAINER_AGENT "heddle-agent"
#define CONTAINER_VOLUME "heddle"
/* Where the volume is in the application's containers, and gRPC's bootstrap in it. */
#define CONTAINER_GRPC_DIR "/etc/heddle"
#define CONTAINER_GRPC_BOOTSTRAP CONTAINER_GRPC_DIR "/grpc-bootstrap.json"

struct container_plan {
    const struct inject_settings *settings;
    const struct wishes *wishes;
    unsigned drain_wait_s; /* 0: as long as the agent waits by default */
};

json_t *container_intercept(const struct container_plan *plan);
json_t *container_proxy(const struct container_plan *plan);
json_t *container_agent(const struct container_plan *plan);
/* The hook of the application's containers: they end once nobody sends to them any more. */
json_t *container_pre_stop(void);

#endif
