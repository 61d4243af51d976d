/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostname: which hostnames does a pattern take?
 *
 * A pattern is a name, "*." and a name (any number of labels in front, but not the bare name), or
 * empty or "*" for all. Letters are compared without regard to case.
 */
#ifndef HEDDLE_MODEL_HOSTNAME_H
#define HEDDLE_MODEL_HOSTNAME_H

#include <stdbool.h>

#include "base/str.h"

bool hostname_is_any(struct str pattern);
bool hostname_is_wildcard(struct str pattern);
/* Whether every name that `inner` takes is taken by `outer` too; inner may be a plain name. */
bool hostname_covers(struct str outer, struct str inner);
/* What both take: the narrower pattern, borrowed from a or b; false when they share no name. */
bool hostname_intersect(struct str a, struct str b, struct str *ret_narrower);
/* < 0 when a goes first: precise names, then longer patterns; equal ones by bytes. */
int hostname_cmp(struct str a, struct str b);

#endif
