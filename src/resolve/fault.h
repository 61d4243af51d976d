/* SPDX-License-Identifier: Apache-2.0 */
/* fault: what is said of objects that the API server took and heddle cannot read (model/fault.h).
 */
#ifndef HEDDLE_RESOLVE_FAULT_H
#define HEDDLE_RESOLVE_FAULT_H

#include "ir/attachment.h"
#include "model/fault.h"

/* NULL: it is read. key: of the object's table. */
const struct fault *fault_of(struct eval *ev, enum kind_id kind, struct str key);
/* "spec.x: … (generation 3 stays in force)"; standing: what is in force of the object, or NULL. */
struct str fault_message(struct arena *arena, const struct fault *fault,
                         const struct object *standing);
/* The status of a route or policy: each Service or Gateway of ours that it names as parent or
 * target is told. NULL: it names none. */
const struct row *fault_status(struct eval *ev, const struct fault *fault,
                               const struct object *standing);

#endif
