/* SPDX-License-Identifier: Apache-2.0 */
/* govern: which of the routes that are attached to one Service port have a say. */
#ifndef HEDDLE_RESOLVE_GOVERN_H
#define HEDDLE_RESOLVE_GOVERN_H

#include "engine/engine.h"
#include "model/object.h"

/* "Only a single route type should be applied" (GEP-1294, Route types): whether routes of kind a
 * displace those of kind b on one port. */
bool govern_displaces(enum kind_id a, enum kind_id b);
/* Whether routes of the kind know nothing but connections. */
bool govern_of_connections(enum kind_id kind);
/* The kind that is applied, of the members of a group of X_ATTACHED; KIND_COUNT: none. */
enum kind_id govern_kind(struct row_span attached);

#endif
