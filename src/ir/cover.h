/* SPDX-License-Identifier: Apache-2.0 */
/* cover: whether one match takes every request that another takes. */
#ifndef HEDDLE_IR_COVER_H
#define HEDDLE_IR_COVER_H

#include "ir/ir.h"

/* Errs to "no": expressions are compared as texts (but see model/paths.h). */
bool ir_match_covers(const struct ir_match *outer, const struct ir_match *inner);

#endif
