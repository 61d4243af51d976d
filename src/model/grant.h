/* SPDX-License-Identifier: Apache-2.0 */
/* grant: ReferenceGrant. From and to lists are OR-ed; the grant stands in the target's namespace.
 */
#ifndef HEDDLE_MODEL_GRANT_H
#define HEDDLE_MODEL_GRANT_H

#include "model/object.h"

struct grant_from {
    struct str group, kind, ns;
};
struct grant_to {
    struct str group, kind;
    struct str name; /* empty: every object of the kind */
};
struct reference_grant {
    struct object object;
    LIST(struct grant_from) from;
    LIST(struct grant_to) to;
};

extern const struct schema reference_grant_schema;

#endif
