/* SPDX-License-Identifier: Apache-2.0 */
/* match: the matches of both route kinds, translated to the one form of the IR. */
#ifndef HEDDLE_RESOLVE_MATCH_H
#define HEDDLE_RESOLVE_MATCH_H

#include "base/arena.h"
#include "ir/ir.h"
#include "model/route.h"

/* All texts of ret_match are copied into arena. match NULL: every request. */
void match_from_http(struct arena *arena, const struct http_match *match,
                     struct ir_match *ret_match);
void match_from_grpc(struct arena *arena, const struct grpc_match *match,
                     struct ir_match *ret_match);

#endif
