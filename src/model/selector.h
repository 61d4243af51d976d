/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selector: which labels meet a LabelSelector (apimachinery, meta/v1). An empty one is met by all.
 */
#ifndef HEDDLE_MODEL_SELECTOR_H
#define HEDDLE_MODEL_SELECTOR_H

#include "model/field.h"

enum selector_operator { SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_DOES_NOT_EXIST };

struct selector_requirement {
    struct str key;
    int operator; /* enum selector_operator */
    LIST(struct str) values;
};
struct label_selector {
    LIST(struct str_pair) labels; /* matchLabels */
    LIST(struct selector_requirement) expressions;
};

extern const struct schema label_selector_schema;
/* labels: sorted by key, as in struct meta. NULL is met by nothing. */
bool selector_meets(const struct label_selector *selector, const struct str_pair *labels,
                    size_t len);

#endif
