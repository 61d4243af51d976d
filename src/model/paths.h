/* SPDX-License-Identifier: Apache-2.0 */
/* paths: the set of paths that a condition takes, and whether another takes all of them, too. */
#ifndef HEDDLE_MODEL_PATHS_H
#define HEDDLE_MODEL_PATHS_H

#include "base/str.h"

enum paths_form {
    PATHS_ONE,       /* this path */
    PATHS_ELEMENTS,  /* the path and what is below it; a final '/' does not count */
    PATHS_BYTES,     /* what begins with these bytes */
    PATHS_EXPRESSION /* what the expression matches as a whole */
};

struct paths {
    int form; /* enum paths_form */
    struct str text;
};

/* Errs to "no": of expressions only those are understood that end in ".*" and are plain before. */
bool paths_cover(struct paths outer, struct paths inner);

#endif
