/* SPDX-License-Identifier: Apache-2.0 */
/* meta: which fields does the metadata of an object have? */
#include "model/object.h"

static void check_meta(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct meta *meta = obj;
    const struct doc_node *labels = doc_get(node, STR("labels"));
    for (size_t i = 0; i < meta->labels.len; i++) {
        const struct str_pair *label = &meta->labels.items[i];
        if (format_is_label_value(label->value)) {
            continue;
        }
        if (problems->len > PROBLEMS_MAX) {
            break; /* nothing more would be listed, and each costs a search */
        }
        const struct doc_node *value = doc_get(labels, label->key);
        problems_report(
            problems, PROBLEM_bad_format, value->line, value->column,
            arena_printf(problems->arena, "%.*s.labels.%.*s", STR_FMT(path), STR_FMT(label->key)),
            STR("use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both "
                "ends"),
            "'%.*s' is not a label value", STR_FMT(problem_quote(problems->arena, label->value)));
    }
}

/* name and namespace belong to the identity: object.c looks at their form. */
static const struct field meta_fields[] = {
    FIELD(STR, "name", struct meta, name),
    FIELD(STR, "namespace", struct meta, ns),
    FIELD(TIME, "creationTimestamp", struct meta, created),
    FIELD(INT64, "generation", struct meta, generation, .fallback = "1"),
    FIELD(STR_MAP, "labels", struct meta, labels, .format = &format_label_key),
    /* heddle reads none yet, so a change of one (kubectl writes its own) wakes nobody */
    FIELD(STR_MAP, "annotations", struct meta, annotations, .format = &format_annotation_key,
          .silent = true),
    FIELD_KNOWN("deletionGracePeriodSeconds"),
    FIELD_KNOWN("deletionTimestamp"),
    FIELD_KNOWN("finalizers"),
    FIELD_KNOWN("generateName"),
    FIELD_KNOWN("managedFields"),
    FIELD_KNOWN("ownerReferences"),
    FIELD_KNOWN("resourceVersion"),
    FIELD_KNOWN("selfLink"),
    FIELD_KNOWN("uid"),
    FIELD_END,
};

const struct schema meta_schema = {
    .name = "metadata",
    .size = sizeof(struct meta),
    .fields = meta_fields,
    .check = check_meta,
    .open = true,
};
