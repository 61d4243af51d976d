/* SPDX-License-Identifier: Apache-2.0 */
/* selector: LabelSelectors. */
#include "model/selector.h"

static const char *const operator_names[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};

static const struct field requirement_fields[] = {
    FIELD(STR, "key", struct selector_requirement, key, .required = true),
    FIELD(ENUM, "operator", struct selector_requirement, operator, .required = true,
          .names = operator_names),
    FIELD(STR_LIST, "values", struct selector_requirement, values),
    FIELD_END,
};
static const struct schema requirement_schema = {.name = "a requirement",
                                                 .size = sizeof(struct selector_requirement),
                                                 .fields = requirement_fields};

static const struct field selector_fields[] = {
    FIELD(STR_MAP, "matchLabels", struct label_selector, labels),
    FIELD(LIST, "matchExpressions", struct label_selector, expressions,
          .schema = &requirement_schema),
    FIELD_END,
};
const struct schema label_selector_schema = {
    .name = "a selector", .size = sizeof(struct label_selector), .fields = selector_fields};
