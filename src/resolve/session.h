/* SPDX-License-Identifier: Apache-2.0 */
/* session: what sessionPersistence, of a rule or of a policy, comes to. */
#ifndef HEDDLE_RESOLVE_SESSION_H
#define HEDDLE_RESOLVE_SESSION_H

#include "ir/ir.h"
#include "model/route.h"

/* owner: of whom it is; a cookie without a name is called after it. */
struct ir_session *session_make(struct arena *arena, const struct session_persistence *from,
                                struct str owner);

/* Whether its absoluteTimeout cannot be kept: Envoy ends a session with its cookie's age, and has
 * no clock for others. */
bool session_outlives(const struct session_persistence *from);

#endif
