/* SPDX-License-Identifier: Apache-2.0 */
/* condition: the table of conditions. */
#include "ir/condition.h"

#include "base/panic.h"

static const struct condition_info infos[CONDITION_COUNT] = {
#define CONDITION(id, object, type, status, reason, meaning)                                       \
    [C_##id] = {object, type, status, reason, meaning},
#include "ir/condition.def"
#undef CONDITION
};

const struct condition_info *condition_info(enum condition_id id)
{
    ASSERT((unsigned)id < CONDITION_COUNT);
    return &infos[id];
}
