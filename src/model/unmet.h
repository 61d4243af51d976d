/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unmet: conditions of matches that are legal, but that no request meets (HED109), and those that
 * are not looked at, because another one for the same header stands before them (HED110).
 */
#ifndef HEDDLE_MODEL_UNMET_H
#define HEDDLE_MODEL_UNMET_H

#include "model/object.h"

/* object is a struct http_route or grpc_route; node is what it was read from. */
void unmet_http(const struct object *object, const struct doc_node *node,
                struct problems *problems);
void unmet_grpc(const struct object *object, const struct doc_node *node,
                struct problems *problems);

#endif
