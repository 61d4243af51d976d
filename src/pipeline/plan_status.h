/* SPDX-License-Identifier: Apache-2.0 */
/* plan_status: which conditions a run of the engine changed. A part of plan.h. */
#ifndef HEDDLE_PIPELINE_PLAN_STATUS_H
#define HEDDLE_PIPELINE_PLAN_STATUS_H

#include "codec/json.h"
#include "engine/engine.h"

/* The member "status", from the changes of the last run. */
void plan_status_dump(const struct engine *engine, struct json *json);

#endif
