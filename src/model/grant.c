/* SPDX-License-Identifier: Apache-2.0 */
/* grant: which fields does a ReferenceGrant have? */
#include "model/grant.h"

#define GRANT_ITEMS_MAX 16

static const struct field from_fields[] = {
    FIELD(STR, "group", struct grant_from, group, .required = true, .format = &format_group),
    FIELD(STR, "kind", struct grant_from, kind, .required = true, .format = &format_kind),
    FIELD(STR, "namespace", struct grant_from, ns, .required = true, .format = &format_label),
    FIELD_END,
};
static const struct schema from_schema = {
    .name = "an item of 'from'", .size = sizeof(struct grant_from), .fields = from_fields};

static const struct field to_fields[] = {
    FIELD(STR, "group", struct grant_to, group, .required = true, .format = &format_group),
    FIELD(STR, "kind", struct grant_to, kind, .required = true, .format = &format_kind),
    FIELD(STR, "name", struct grant_to, name, .format = &format_object_name),
    FIELD_END,
};
static const struct schema to_schema = {
    .name = "an item of 'to'", .size = sizeof(struct grant_to), .fields = to_fields};

static const struct field spec_fields[] = {
    FIELD(LIST, "from", struct reference_grant, from, .required = true, .schema = &from_schema,
          .min = 1, .max = GRANT_ITEMS_MAX),
    FIELD(LIST, "to", struct reference_grant, to, .required = true, .schema = &to_schema, .min = 1,
          .max = GRANT_ITEMS_MAX),
    FIELD_END,
};
static const struct schema spec_schema = {.name = "a ReferenceGrant's spec", .fields = spec_fields};

static const struct field grant_fields[] = {
    OBJECT_FIELDS,
    FIELD_FLAT("spec", &spec_schema, .required = true),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema reference_grant_schema = {
    .name = "a ReferenceGrant", .size = sizeof(struct reference_grant), .fields = grant_fields};
