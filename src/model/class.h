/* SPDX-License-Identifier: Apache-2.0 */
/*
 * class: GatewayClass v1 and XMesh v1alpha1: by which controller Gateways, or the mesh, are served.
 * Both are cluster scoped, say `controllerName`, and are answered with what that controller can do.
 * Source: apis/v1/gatewayclass_types.go, apisx/v1alpha1/xmesh_types.go.
 */
#ifndef HEDDLE_MODEL_CLASS_H
#define HEDDLE_MODEL_CLASS_H

#include "model/object.h"

struct class_parameters { /* a ConfigMap, or what heddle does not know */
    struct str group;
    struct str kind;
    struct str ns;
    struct str name;
};

struct class_object {
    struct object object;
    struct str controller;
    struct class_parameters *parameters; /* NULL: none */
};

extern const struct schema gateway_class_schema;
extern const struct schema mesh_schema;

#endif
