/* SPDX-License-Identifier: Apache-2.0 */
/* condition: every condition that heddle sets, declared once in condition.def. */
#ifndef HEDDLE_IR_CONDITION_H
#define HEDDLE_IR_CONDITION_H

#include <stdbool.h>

enum condition_id {
#define CONDITION(id, object, type, status, reason, meaning) C_##id,
#include "ir/condition.def"
#undef CONDITION
    CONDITION_COUNT
};

struct condition_info {
    const char *object;
    const char *type;
    bool status;
    const char *reason;
    const char *meaning;
};

const struct condition_info *condition_info(enum condition_id id);

#endif
