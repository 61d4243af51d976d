/* SPDX-License-Identifier: Apache-2.0 */
/* selector: see selector.h. Each requirement must be met. */
#include "model/selector.h"

#include "model/route_schema.h"

static const char *const operator_names[] = {
    [SELECTOR_IN] = "In",
    [SELECTOR_NOT_IN] = "NotIn",
    [SELECTOR_EXISTS] = "Exists",
    [SELECTOR_DOES_NOT_EXIST] = "DoesNotExist",
    NULL,
};

static bool compares(int type)
{
    return type == SELECTOR_IN || type == SELECTOR_NOT_IN;
}

/* The CRDs leave this to whoever reads the selector: apimachinery refuses the rest. */
static void check_requirement(const void *obj, const struct doc_node *node,
                              struct problems *problems, struct str path)
{
    const struct selector_requirement *requirement = obj;
    const char *name = operator_names[requirement->operator];
    if (compares(requirement->operator) && requirement->values.len == 0) {
        route_report(node, "values", problems, path, "list the values to compare with",
                     "operator '%s' has no values", name);
    } else if (!compares(requirement->operator) && requirement->values.len > 0) {
        route_report(node, "values", problems, path, "remove 'values'",
                     "operator '%s' compares with no values", name);
    }
}

static const struct field requirement_fields[] = {
    FIELD(STR, "key", struct selector_requirement, key, .required = true,
          .format = &format_label_key),
    FIELD(ENUM, "operator", struct selector_requirement, operator, .required = true,
          .names = operator_names),
    FIELD(STR_LIST, "values", struct selector_requirement, values, .format = &format_label_value),
    FIELD_END,
};
static const struct schema requirement_schema = {.name = "a requirement",
                                                 .size = sizeof(struct selector_requirement),
                                                 .fields = requirement_fields,
                                                 .check = check_requirement};

static const struct field selector_fields[] = {
    FIELD(STR_MAP, "matchLabels", struct label_selector, labels, .format = &format_label_key,
          .value_format = &format_label_value),
    FIELD(LIST, "matchExpressions", struct label_selector, expressions,
          .schema = &requirement_schema),
    FIELD_END,
};
const struct schema label_selector_schema = {
    .name = "a selector", .size = sizeof(struct label_selector), .fields = selector_fields};

/* NULL when there is no such label. */
static const struct str_pair *find(const struct str_pair *labels, size_t len, struct str key)
{
    size_t low = 0, high = len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(labels[middle].key, key);
        if (order == 0) {
            return &labels[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

static bool has_value(const struct selector_requirement *requirement, struct str value)
{
    size_t i = 0;
    while (i < requirement->values.len && !str_eq(requirement->values.items[i], value)) {
        i++;
    }
    return i < requirement->values.len;
}

static bool is_met(const struct selector_requirement *requirement, const struct str_pair *label)
{
    switch (requirement->operator) {
    case SELECTOR_IN:
        return label != NULL && has_value(requirement, label->value);
    case SELECTOR_NOT_IN:
        return label == NULL || !has_value(requirement, label->value);
    case SELECTOR_EXISTS:
        return label != NULL;
    default:
        return label == NULL;
    }
}

bool selector_meets(const struct label_selector *selector, const struct str_pair *labels,
                    size_t len)
{
    if (selector == NULL) {
        return false;
    }
    for (size_t i = 0; i < selector->labels.len; i++) {
        const struct str_pair *wanted = &selector->labels.items[i];
        const struct str_pair *label = find(labels, len, wanted->key);
        if (label == NULL || !str_eq(label->value, wanted->value)) {
            return false;
        }
    }
    for (size_t i = 0; i < selector->expressions.len; i++) {
        const struct selector_requirement *requirement = &selector->expressions.items[i];
        if (!is_met(requirement, find(labels, len, requirement->key))) {
            return false;
        }
    }
    return true;
}
