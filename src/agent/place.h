/* SPDX-License-Identifier: Apache-2.0 */
/* place: the region and zone of the pod's node, as heddle knows them. */
#ifndef HEDDLE_AGENT_PLACE_H
#define HEDDLE_AGENT_PLACE_H

#include "agent/inquiry.h"
#include "base/arena.h"
#include "base/buf.h"

/* http://CONTROL/place?node=NODE */
void place_url(struct str control, struct str node, struct buf *out);
/* {"region": …, "zone": …}; what is not said or no text stays empty. */
void place_read(struct str json, struct arena *arena, struct str *ret_region, struct str *ret_zone);

#endif
