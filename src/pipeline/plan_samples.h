/* SPDX-License-Identifier: Apache-2.0 */
/* plan_samples: requests and connections that a routing takes, made up. A part of plan.h. */
#ifndef HEDDLE_PIPELINE_PLAN_SAMPLES_H
#define HEDDLE_PIPELINE_PLAN_SAMPLES_H

#include "engine/engine.h"
#include "pipeline/plan_requests.h"

/* Adds to the samples those of each match, as long as there is room. of_before: the routing is of
 * before the change. */
void plan_samples_of(struct plan_requests *requests, const struct engine *engine,
                     const struct plan_routing *routing, bool of_before);

#endif
