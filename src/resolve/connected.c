/* SPDX-License-Identifier: Apache-2.0 */
/* connected: see connected.h. */
#include "resolve/connected.h"

#include "ir/client.h"
#include "ir/graph.h"
#include "resolve/resolve.h"

void resolve_scopes_elsewhere(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    group_emit(emit, ((const struct view_row *)row)->scope);
}

bool is_connected(struct eval *ev, struct str scope)
{
    return eval_get(ev, T_VIEW, scope) != NULL || eval_group(ev, X_SCOPES_ELSEWHERE, scope).len > 0;
}
