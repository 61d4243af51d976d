/* SPDX-License-Identifier: Apache-2.0 */
/* rivals: HTTPRoutes and GRPCRoutes that want the same hostname of a listener. */
#include "resolve/resolve.h"

const struct row *resolve_rivals(struct eval *ev, struct str key)
{
    (void)ev;
    (void)key;
    return NULL;
}
