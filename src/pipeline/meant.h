/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meant: what was probably meant by a reference that does not resolve, as a remedy: names that
 * almost match, the same name in another namespace, a targetPort in place of a port. Empty when
 * nothing is near. In the arena.
 */
#ifndef HEDDLE_PIPELINE_MEANT_H
#define HEDDLE_PIPELINE_MEANT_H

#include "base/arena.h"
#include "engine/engine.h"
#include "model/route.h"
#include "model/service.h"

struct str meant_service(const struct engine *engine, struct str ns, struct str name,
                         struct arena *arena);
/* Of another kind, by its table; ns is empty where the kind has no namespaces. */
struct str meant_object(const struct engine *engine, unsigned table, struct str ns, struct str name,
                        struct arena *arena);
/* A port of the Service by number or, where that is empty, by its name. */
struct str meant_port(const struct service *service, int32_t number, struct str name,
                      struct arena *arena);
/* Of a reference that is to be one to a Service, but is of another group or kind. */
struct str meant_kind(struct str group, struct str kind, struct arena *arena);
/* Of a backend of the route: the Service, its port or the kind. */
struct str meant_backend(const struct engine *engine, const struct route *route,
                         const struct object_ref *ref, struct arena *arena);
/* The ReferenceGrant that a backend of the route lacks. */
struct str meant_grant(const struct route *route, struct arena *arena);

#endif
