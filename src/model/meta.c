/* SPDX-License-Identifier: Apache-2.0 */
/* meta: which fields does the metadata of an object have? */
#include "model/object.h"

/* name and namespace belong to the identity: object.c looks at their form. */
static const struct field meta_fields[] = {
    FIELD(STR, "name", struct meta, name),
    FIELD(STR, "namespace", struct meta, ns),
    FIELD(TIME, "creationTimestamp", struct meta, created),
    FIELD(INT64, "generation", struct meta, generation, .fallback = "1"),
    FIELD(STR_MAP, "labels", struct meta, labels, .format = &format_label_key,
          .value_format = &format_label_value),
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
    .open = true,
};
