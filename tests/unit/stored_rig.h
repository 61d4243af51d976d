/* SPDX-License-Identifier: Apache-2.0 */
/* stored_rig: objects as the API server has them, which heddle may be unable to read. */
#ifndef HEDDLE_TESTS_STORED_RIG_H
#define HEDDLE_TESTS_STORED_RIG_H

#include "mesh_rig.h"

#include "model/fault.h"

/* A document of YAML as such an object; NULL: it cannot be read, see problems. */
static inline struct object *stored_read(struct arena *arena, enum kind_id kind, struct str yaml,
                                         struct problems *problems,
                                         const struct doc_node **ret_node)
{
    struct doc *docs;
    size_t len;
    doc_parse(arena, yaml, &docs, &len);
    if (len != 1 || docs[0].root == NULL) {
        panic("rig: no document: %.*s", STR_FMT(yaml));
    }
    problems_init(problems, arena);
    *ret_node = docs[0].root;
    return object_read_stored(kind, docs[0].root, problems);
}

/* Puts it, or its fault. */
static inline void stored_apply_str(struct mesh *mesh, enum kind_id kind, struct str yaml)
{
    struct arena arena;
    struct problems problems;
    const struct doc_node *node;
    arena_init(&arena);
    struct object *object = stored_read(&arena, kind, yaml, &problems, &node);
    const struct doc_node *meta = doc_get(node, STR("metadata"));
    const struct doc_node *ns = doc_get(meta, STR("namespace"));
    struct str key = object_key_of(&arena, kind, ns != NULL ? ns->text : STR_NULL,
                                   doc_get(meta, STR("name"))->text);
    if (object != NULL) {
        mesh_put(mesh, object, key);
    } else {
        mesh_put_fault(mesh, fault_new(kind, node, &problems), key);
    }
    arena_release(&arena);
}

static inline void stored_apply(struct mesh *mesh, enum kind_id kind, const char *yaml)
{
    stored_apply_str(mesh, kind, str_from(yaml));
}

#endif
