/* SPDX-License-Identifier: Apache-2.0 */
/* filters: what the filters, timeouts and retries of a rule come to, as the IR has it. */
#ifndef HEDDLE_RESOLVE_FILTERS_H
#define HEDDLE_RESOLVE_FILTERS_H

#include "ir/attachment.h"
#include "ir/ir.h"
#include "resolve/rule.h"

struct arrival;

/* Fills the members of route that follow from the rule. attachment: where the mirrors of the
 * rule with this index are resolved. */
void filters_of_rule(struct arena *arena, const struct rule_view *rule, size_t index,
                     const struct attachment *attachment, const struct arrival *arrival,
                     struct ir_route *route);
void filters_of_backend(struct arena *arena, const struct backend_ref *ref,
                        struct ir_backend *backend);

/* Why a path modifier cannot be served, or empty. */
struct str path_modifier_unserved(const struct path_modifier *modifier);

#endif
