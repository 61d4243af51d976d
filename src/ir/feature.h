/* SPDX-License-Identifier: Apache-2.0 */
/* feature: what of the Gateway API heddle serves in the mesh, by the API's names for it. */
#ifndef HEDDLE_IR_FEATURE_H
#define HEDDLE_IR_FEATURE_H

enum feature_id { /* in the order of the names */
#define FEATURE(name, meaning) FEATURE_##name,
#include "ir/feature.def"
#undef FEATURE
                  FEATURE_COUNT
};

struct feature_info {
    const char *name;
    const char *meaning;
};
const struct feature_info *feature_info(enum feature_id id);

#endif
