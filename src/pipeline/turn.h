/* SPDX-License-Identifier: Apache-2.0 */
/* turn: what a run of the engine changed, as one changeset. */
#ifndef HEDDLE_PIPELINE_TURN_H
#define HEDDLE_PIPELINE_TURN_H

#include "engine/engine.h"
#include "snapshot/changeset.h"

/* NULL when no resource changed; else with one reference. */
struct changeset *turn_changeset(const struct engine *engine, uint64_t seq);

#endif
