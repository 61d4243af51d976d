/* SPDX-License-Identifier: Apache-2.0 */
/* parameters: what GatewayClass and Gateway ask of the data plane (ir/parameter.def). */
#ifndef HEDDLE_RESOLVE_PARAMETERS_H
#define HEDDLE_RESOLVE_PARAMETERS_H

#include "engine/engine.h"
#include "ir/gateway.h"

/* The defaults. */
struct ir_parameters *parameters_new(struct arena *arena);
/* What the ConfigMap says that ref names goes over what stands there. ref: NULL is fine; ns: of the
 * object that refers, unless ref has one. Returns every fault, in scratch memory; empty: none. */
struct str parameters_read(struct eval *ev, const struct class_parameters *ref, struct str ns,
                           struct arena *arena, struct ir_parameters *parameters);
/* What is wrong with those of a class by itself. */
struct str parameters_of_class(struct eval *ev, const struct class_object *class);
/* What is wrong with them together. */
struct str parameters_clash(struct arena *arena, const struct ir_parameters *parameters);

#endif
