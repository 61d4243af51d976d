/* SPDX-License-Identifier: Apache-2.0 */
/* cors: what a CORS filter allows, as the IR has it. */
#ifndef HEDDLE_RESOLVE_CORS_H
#define HEDDLE_RESOLVE_CORS_H

#include "base/arena.h"
#include "ir/ir.h"
#include "model/route.h"

struct ir_cors *cors_from_filter(struct arena *arena, const struct cors_filter *filter);

#endif
