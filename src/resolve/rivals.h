/* SPDX-License-Identifier: Apache-2.0 */
/* rivals: which routes lost a listener to a route of another kind. */
#ifndef HEDDLE_RESOLVE_RIVALS_H
#define HEDDLE_RESOLVE_RIVALS_H

#include "engine/engine.h"

/* Key of the route that has the listener instead of `route`; empty: nobody has. Borrowed. */
struct str rivals_winner(struct eval *ev, struct str listener, struct str route);

#endif
