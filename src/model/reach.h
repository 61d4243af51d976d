/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach: which rules and matches of a route can never be reached?
 *
 * A match is unreachable when a match of another rule of the same route goes first (by precedence,
 * then by order) and takes every request that it would take. Regular expressions are compared as
 * texts. Each finding is problem HED102 and names both lines.
 */
#ifndef HEDDLE_MODEL_REACH_H
#define HEDDLE_MODEL_REACH_H

#include "model/object.h"

/* object is a struct http_route or grpc_route; node is what it was read from. */
void reach_http(const struct object *object, const struct doc_node *node,
                struct problems *problems);
void reach_grpc(const struct object *object, const struct doc_node *node,
                struct problems *problems);

#endif
