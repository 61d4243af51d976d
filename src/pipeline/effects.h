/* SPDX-License-Identifier: Apache-2.0 */
/* effects: what a rule does to a request besides choosing a backend, in words. */
#ifndef HEDDLE_PIPELINE_EFFECTS_H
#define HEDDLE_PIPELINE_EFFECTS_H

#include "base/arena.h"
#include "codec/json.h"
#include "ir/ir.h"
#include "pipeline/view.h"

/* Writes the arrays `in_force`, what this kind of client does for the rule, and `ignored`, what the
 * rule asks for and such a client does not do; neither when it would be empty. */
void effects_tell(const struct engine *engine, const struct ir_route *route,
                  const struct client_class *client, struct arena *arena, struct json *json);

#endif
