/* SPDX-License-Identifier: Apache-2.0 */
/*
 * applied: what the API server fills in of an object that is applied as it stands in a file. A plan
 * of a cluster compares with what is there, and must not take for a change what is only not
 * written.
 */
#ifndef HEDDLE_MODEL_APPLIED_H
#define HEDDLE_MODEL_APPLIED_H

#include "model/object.h"

/* before: what is there, or NULL; now: seconds since 1970. The object is not published yet. */
void applied_fill(struct object *object, const struct object *before, int64_t now);

#endif
