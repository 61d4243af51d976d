/* SPDX-License-Identifier: Apache-2.0 */
/* sets: the ListenerSets of a Gateway. */
#ifndef HEDDLE_RESOLVE_SETS_H
#define HEDDLE_RESOLVE_SETS_H

#include "resolve/listener.h"

/* The key of the Gateway that it names as its parent; empty: it names something else. */
struct str set_parent(struct arena *arena, const struct listener_set *set);
/* Fills `sets` of the row, and the sources: the Gateway, then the ListenerSets that it allows. */
void sets_collect(struct judging *judging, struct str key);
/* What becomes of each, once the listeners are judged. blocked: the Gateway is not accepted for
 * reasons of its own. */
void sets_conclude(struct judging *judging, bool blocked);

#endif
