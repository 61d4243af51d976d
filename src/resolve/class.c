/* SPDX-License-Identifier: Apache-2.0 */
/*
 * class: what heddle answers to the GatewayClasses and XMeshes that name it as their controller.
 *
 * "Implementations MUST populate status on all Mesh resources which specify their controller name";
 * supportedFeatures are "sorted in ascending alphabetical order by the Name key" (XMesh).
 * Parameters of a GatewayClass are read here, too, to tell its owner what is wrong with them.
 */
#include "model/class.h"

#include "ir/attachment.h"
#include "ir/feature.h"
#include "ir/graph.h"
#include "resolve/bundle.h"
#include "resolve/parameters.h"
#include "resolve/resolve.h"

#define NO_PARAMETERS STR("heddle has no parameters of a mesh: take 'parametersRef' out")

#define CONDITIONS_MAX 2

static void tell(struct status *row, enum condition_id id, struct str message)
{
    row->conditions.items[row->conditions.len++] =
        (struct condition){(int)id, arena_str(&row->row.arena, message)};
}

static struct status *status_of(const struct class_object *class, enum condition_id id,
                                struct str message)
{
    struct status *row = row_new(sizeof(*row), 512);
    struct arena *arena = &row->row.arena;
    row->kind = (int)class->object.kind;
    row->name = arena_str(arena, class->object.meta.name);
    row->generation = class->object.meta.generation;
    row->conditions.items = ARENA_ARRAY(arena, CONDITIONS_MAX, struct condition);
    tell(row, id, message);
    return row;
}

static void list_features(struct status *row, enum feature_where where)
{
    row->features.items = ARENA_ARRAY(&row->row.arena, FEATURE_COUNT, struct str);
    for (size_t i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_info *info = feature_info((enum feature_id)i);
        if ((info->where & where) != 0) {
            row->features.items[row->features.len++] = str_from(info->name);
        }
    }
}

static const struct class_object *ours(struct eval *ev, unsigned table, struct str key)
{
    const struct class_object *class = (const struct class_object *)eval_get(ev, table, key);
    return class != NULL && str_eq(class->controller, STR(CONTROLLER_NAME)) ? class : NULL;
}

const struct row *resolve_class_status(struct eval *ev, struct str key)
{
    const struct class_object *class = ours(ev, T_CLASS, key);
    if (class == NULL) {
        return NULL;
    }
    struct str fault = parameters_of_class(ev, class);
    struct status *row =
        fault.len > 0
            ? status_of(class, C_class_parameters, fault)
            : status_of(class, C_class_accepted, STR("Gateways of the class are served by heddle"));
    struct condition version;
    if (bundle_judge(ev, &version)) {
        tell(row, (enum condition_id)version.id, version.message);
    }
    list_features(row, FEATURE_IN_GATEWAY);
    return &row->row;
}

const struct row *resolve_mesh_status(struct eval *ev, struct str key)
{
    const struct class_object *mesh = ours(ev, T_MESH, key);
    if (mesh == NULL) {
        return NULL;
    }
    if (mesh->parameters != NULL) {
        struct status *row = status_of(mesh, C_mesh_parameters, NO_PARAMETERS);
        return &row->row;
    }
    struct status *row = status_of(mesh, C_mesh_accepted, STR("the mesh is served by heddle"));
    list_features(row, FEATURE_IN_MESH);
    return &row->row;
}
