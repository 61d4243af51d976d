/* SPDX-License-Identifier: Apache-2.0 */
/* feature: what of the Gateway API heddle serves, in the mesh and at Gateways, by the API's names.
 */
#ifndef HEDDLE_IR_FEATURE_H
#define HEDDLE_IR_FEATURE_H

enum feature_id { /* in the order of the names */
#define FEATURE(name, where, meaning) FEATURE_##name,
#include "ir/feature.def"
#undef FEATURE
                  FEATURE_COUNT
};

enum feature_where { FEATURE_IN_MESH = 1, FEATURE_IN_GATEWAY = 2, FEATURE_IN_BOTH = 3 };

struct feature_info {
    const char *name;
    enum feature_where where;
    const char *meaning;
};
const struct feature_info *feature_info(enum feature_id id);

#endif
