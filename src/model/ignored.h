/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ignored: fields that are legal, and that heddle takes and does not act on (HED118), since the
 * rest of the object means something without them. Where it would not, the field is not ignored:
 * then a condition says that it is not served.
 */
#ifndef HEDDLE_MODEL_IGNORED_H
#define HEDDLE_MODEL_IGNORED_H

#include "model/object.h"

/* node is what the object was read from. */
void ignored_report(enum kind_id kind, const struct doc_node *node, struct problems *problems);

#endif
