/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standing: what is in force of objects that cannot be read (model/fault.h), between replicas. One
 * that starts does not know it; the others may.
 *
 *   {"apiVersion":…,"kind":"HTTPRoute",…}\n      one line for each object: the generation that
 *   {"apiVersion":…,"kind":"Gateway",…}\n        could be read
 *
 * What a dump does not hold as a whole (secrets, rules at fault) is not told.
 */
#ifndef HEDDLE_PIPELINE_STANDING_H
#define HEDDLE_PIPELINE_STANDING_H

#include "pipeline/mesh.h"

/* Whether it is not known what an object now is and whose: it cannot be read, or that which it
 * belongs to (a Gateway to its class, a ListenerSet to its Gateway). */
bool standing_unclear(const struct mesh *mesh, enum kind_id kind, struct str ns, struct str name);
/* How many objects cannot be read of which nothing is in force, as of the last turn. */
size_t standing_missing(const struct mesh *mesh);
void standing_tell(const struct mesh *mesh, struct buf *out);
/* Takes those that are missing. Returns how many they are; they count with the next turn. */
size_t standing_take(struct mesh *mesh, struct str text);

#endif
