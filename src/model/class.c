/* SPDX-License-Identifier: Apache-2.0 */
/* class: which fields do a GatewayClass and an XMesh have? */
#include "model/class.h"

static const struct field parameters_fields[] = {
    FIELD(STR, "group", struct class_parameters, group, .required = true, .format = &format_group),
    FIELD(STR, "kind", struct class_parameters, kind, .required = true, .format = &format_kind),
    FIELD(STR, "name", struct class_parameters, name, .required = true,
          .format = &format_object_name),
    FIELD(STR, "namespace", struct class_parameters, ns, .format = &format_label),
    FIELD_END,
};
static const struct schema parameters_schema = {.name = "a parametersRef",
                                                .size = sizeof(struct class_parameters),
                                                .fields = parameters_fields};

static const struct field spec_fields[] = {
    FIELD(STR, "controllerName", struct class_object, controller, .required = true,
          .format = &format_object_name),
    FIELD(PTR, "parametersRef", struct class_object, parameters, .schema = &parameters_schema),
    FIELD_KNOWN("description"),
    FIELD_END,
};
static const struct schema class_spec_schema = {.name = "a GatewayClass's spec",
                                                .fields = spec_fields};
static const struct schema mesh_spec_schema = {.name = "an XMesh's spec", .fields = spec_fields};

#define CLASS_FIELDS(spec)                                                                         \
    OBJECT_FIELDS, FIELD_FLAT("spec", &(spec), .required = true), FIELD_KNOWN("status"), FIELD_END

static const struct field gateway_class_fields[] = {CLASS_FIELDS(class_spec_schema)};
const struct schema gateway_class_schema = {
    .name = "a GatewayClass", .size = sizeof(struct class_object), .fields = gateway_class_fields};

static const struct field mesh_fields[] = {CLASS_FIELDS(mesh_spec_schema)};
const struct schema mesh_schema = {
    .name = "an XMesh", .size = sizeof(struct class_object), .fields = mesh_fields};
