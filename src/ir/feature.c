/* SPDX-License-Identifier: Apache-2.0 */
/* feature: the table of features. */
#include "ir/feature.h"

#include "base/panic.h"

static const struct feature_info infos[FEATURE_COUNT] = {
#define FEATURE(name, where, meaning) [FEATURE_##name] = {#name, FEATURE_IN_##where, meaning},
#include "ir/feature.def"
#undef FEATURE
};

const struct feature_info *feature_info(enum feature_id id)
{
    ASSERT((unsigned)id < FEATURE_COUNT);
    return &infos[id];
}
