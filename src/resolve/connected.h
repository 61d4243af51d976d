/* SPDX-License-Identifier: Apache-2.0 */
/* connected: whether clients that have a scope (ir/client.h) are connected, to whichever replica.
 * For status; what a client is sent is made for those that are connected here (T_VIEW). */
#ifndef HEDDLE_RESOLVE_CONNECTED_H
#define HEDDLE_RESOLVE_CONNECTED_H

#include "engine/engine.h"

bool is_connected(struct eval *ev, struct str scope);

#endif
