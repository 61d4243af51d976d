/* SPDX-License-Identifier: Apache-2.0 */
/* node: where is a Node? Its other labels change often, and wake nobody: they are dropped. */
#include "model/node.h"

#define LABEL_REGION "topology.kubernetes.io/region"
#define LABEL_ZONE "topology.kubernetes.io/zone"

static struct str label(const struct node_object *node, struct str key)
{
    for (size_t i = 0; i < node->object.meta.labels.len; i++) {
        if (str_eq(node->object.meta.labels.items[i].key, key)) {
            return node->object.meta.labels.items[i].value;
        }
    }
    return STR_NULL;
}

struct str node_region(const struct node_object *node)
{
    return label(node, STR(LABEL_REGION));
}

struct str node_zone(const struct node_object *node)
{
    return label(node, STR(LABEL_ZONE));
}

static void finish_node(void *obj, struct arena *arena)
{
    struct meta *meta = &((struct node_object *)obj)->object.meta;
    size_t kept = 0;
    (void)arena;
    for (size_t i = 0; i < meta->labels.len; i++) {
        struct str_pair pair = meta->labels.items[i];
        if (str_eq(pair.key, STR(LABEL_REGION)) || str_eq(pair.key, STR(LABEL_ZONE))) {
            meta->labels.items[kept++] = pair;
        }
    }
    meta->labels.len = kept;
}

static const struct field node_fields[] = {
    OBJECT_FIELDS,
    FIELD_KNOWN("spec"),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema node_schema = {.name = "a Node",
                                   .size = sizeof(struct node_object),
                                   .fields = node_fields,
                                   .finish = finish_node,
                                   .open = true};
