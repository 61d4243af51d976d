/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node: a Node of Kubernetes, of which only its place counts: clients cannot know their zone,
 * heddle tells it them (`GET /place?node=NAME` of the agents' API).
 */
#ifndef HEDDLE_MODEL_NODE_H
#define HEDDLE_MODEL_NODE_H

#include "model/object.h"

struct node_object {
    struct object object; /* of the labels, only those of the place are kept */
};
struct str node_region(const struct node_object *node); /* empty: not said */
struct str node_zone(const struct node_object *node);

extern const struct schema node_schema;

#endif
