/* SPDX-License-Identifier: Apache-2.0 */
/* several: several faults in one text: "one; two; and 3 more". */
#ifndef HEDDLE_RESOLVE_SEVERAL_H
#define HEDDLE_RESOLVE_SEVERAL_H

#include "base/arena.h"

#define SEVERAL_MAX 8 /* that are written out; the rest is counted */

struct several { /* with `arena` alone: none yet */
    struct arena *arena;
    struct str text;
    size_t len;
};

void several_add(struct several *several, struct str what);
struct str several_text(const struct several *several);

#endif
