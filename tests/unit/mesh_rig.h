/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mesh_rig: a mesh by hand, for tests of the translation core and for fuzz targets.
 *
 *   struct mesh *mesh = rig_mesh();                    proves each turn against a rebuild
 *   rig_apply(mesh, "kind: Service ...");              YAML, one or more documents
 *   rig_open(mesh, 1, "sidecar/default/app", "");      a client: id, node.id, user agent
 *   rig_turn(mesh);
 *   rig_resource(mesh, XDS_RDS, "envoy", "a/b:80")     what there is now, borrowed
 */
#ifndef HEDDLE_TESTS_MESH_RIG_H
#define HEDDLE_TESTS_MESH_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "base/vec.h"
#include "codec/doc.h"
#include "model/object.h"
#include "model/problem.h"
#include "pipeline/graph.h"
#include "pipeline/mesh.h"
#include "xds/row.h"

static inline struct mesh *rig_mesh(void)
{
    const struct mesh_settings settings = {
        .cluster_domain = STR("cluster.local"),
        .trust_domain = STR("cluster.local"),
        .check = true,
    };
    return mesh_new(&settings);
}

/* Puts one document's object; panics where it is not valid. */
static inline void rig_put(struct mesh *mesh, const struct doc *doc)
{
    struct arena arena;
    struct problems problems;
    struct object_result result;
    arena_init(&arena);
    problems_init(&problems, &arena);
    object_read(doc, STR("test.yaml"), &problems, &result);
    if (result.object == NULL) {
        const struct problem *first = problems.len > 0 ? &problems.items[0] : NULL;
        panic("rig: '%.*s' line %u: %.*s: %.*s", STR_FMT(result.ident),
              first != NULL ? first->line : 0, STR_FMT(first != NULL ? first->path : STR_NULL),
              STR_FMT(first != NULL ? first->text : STR("no object")));
    }
    struct str key = object_key(&arena, result.object);
    mesh_put(mesh, result.object, key);
    arena_release(&arena);
}

static inline void rig_apply_str(struct mesh *mesh, struct str yaml)
{
    struct arena arena;
    struct doc *docs;
    size_t len;
    arena_init(&arena);
    doc_parse(&arena, yaml, &docs, &len);
    for (size_t i = 0; i < len; i++) {
        rig_put(mesh, &docs[i]);
    }
    arena_release(&arena);
}

static inline void rig_apply(struct mesh *mesh, const char *yaml)
{
    rig_apply_str(mesh, str_from(yaml));
}

/* The key is that of the table: "ns/name", of routes "HTTPRoute/ns/name". */
static inline void rig_delete(struct mesh *mesh, enum kind_id kind, const char *key)
{
    mesh_remove(mesh, kind, str_from(key));
}

/* metadata: "key=value" words separated by blanks. */
static inline struct node *rig_node(const char *id, const char *user_agent, const char *metadata)
{
    struct node *node = xcalloc(1, sizeof(*node));
    arena_init_sized(&node->arena, 512);
    node->id = arena_str(&node->arena, str_from(id));
    node->user_agent = arena_str(&node->arena, str_from(user_agent));
    node->metadata = ARENA_ARRAY(&node->arena, 8, struct node_pair);
    struct str rest = str_from(metadata);
    while (rest.len > 0 && node->nmetadata < 8) {
        struct str value = str_cut(&rest, ' ');
        struct str key = str_cut(&value, '=');
        if (str_eq(key, STR("zone"))) { /* of the locality */
            node->zone = arena_str(&node->arena, value);
            continue;
        }
        node->metadata[node->nmetadata++] =
            (struct node_pair){arena_str(&node->arena, key), arena_str(&node->arena, value)};
    }
    return node;
}

static inline const struct mesh_client *rig_open_with(struct mesh *mesh, stream_id id,
                                                      const char *node_id, const char *user_agent,
                                                      const char *metadata)
{
    const struct mesh_client *client;
    struct err err;
    if (!mesh_open(mesh, id, rig_node(node_id, user_agent, metadata), &client, &err)) {
        panic("rig: '%s' was refused: %s", node_id, err.text);
    }
    return client;
}

static inline const struct mesh_client *rig_open(struct mesh *mesh, stream_id id,
                                                 const char *node_id, const char *user_agent)
{
    return rig_open_with(mesh, id, node_id, user_agent, "");
}

/* Returns the number of changed resources. */
static inline size_t rig_turn(struct mesh *mesh)
{
    struct changeset *changes = mesh_turn(mesh);
    size_t len = changes != NULL ? changes->len : 0;
    if (changes != NULL) {
        changeset_unref(changes);
    }
    return len;
}

/* --- what there is ------------------------------------------------------------------------- */
struct rig_resources {
    VEC(const struct resource *) all; /* borrowed until the next turn */
};

static inline void rig_collect_row(void *user, struct str key, const struct row *row)
{
    struct rig_resources *list = user;
    const struct resource_row *resources = (const struct resource_row *)row;
    (void)key;
    for (size_t i = 0; i < resources->len; i++) {
        vec_push(&list->all, resources->items[i]);
    }
}

static inline int rig_resource_cmp(const void *a, const void *b)
{
    const struct resource *ra = *(const struct resource *const *)a;
    const struct resource *rb = *(const struct resource *const *)b;
    if (ra->type != rb->type) {
        return ra->type < rb->type ? -1 : 1;
    }
    int order = str_cmp(ra->scope, rb->scope);
    return order != 0 ? order : str_cmp(ra->name, rb->name);
}

/* All resources, by type, scope, name. */
static inline void rig_collect(const struct mesh *mesh, struct rig_resources *ret_list)
{
    *ret_list = (struct rig_resources){.all = {.len = 0}};
    for (unsigned i = 0; i < resource_tables_len; i++) {
        engine_each(mesh_engine(mesh), resource_tables[i], rig_collect_row, ret_list);
    }
    if (ret_list->all.len > 0) {
        qsort(ret_list->all.items, ret_list->all.len, sizeof(*ret_list->all.items),
              rig_resource_cmp);
    }
}

static inline const struct resource *rig_find(const struct rig_resources *list, enum xds_type type,
                                              struct str scope, struct str name)
{
    const struct resource wanted = {.type = type, .scope = scope, .name = name};
    const struct resource *key = &wanted;
    const struct resource **found =
        list->all.len == 0
            ? NULL
            : (const struct resource **)bsearch((const void *)&key, (const void *)list->all.items,
                                                list->all.len, sizeof(*list->all.items),
                                                rig_resource_cmp);
    return found != NULL ? *found : NULL;
}

/* NULL when there is none; borrowed until the next turn. */
static inline const struct resource *rig_resource(const struct mesh *mesh, enum xds_type type,
                                                  const char *scope, const char *name)
{
    struct rig_resources list;
    rig_collect(mesh, &list);
    const struct resource *found = rig_find(&list, type, str_from(scope), str_from(name));
    vec_release(&list.all);
    return found;
}

#endif
