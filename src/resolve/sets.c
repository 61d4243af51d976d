/* SPDX-License-Identifier: Apache-2.0 */
/* sets: ListenerSets by their Gateway. */
#include "resolve/resolve.h"

void resolve_sets_of_gateway(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}

int resolve_sets_order(const struct row *a, const struct row *b)
{
    (void)a;
    (void)b;
    return 0;
}
