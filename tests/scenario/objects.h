/* SPDX-License-Identifier: Apache-2.0 */
/* objects: YAML of a scenario into the mesh. `why` gets the reason of a failure. */
#ifndef HEDDLE_TESTS_OBJECTS_H
#define HEDDLE_TESTS_OBJECTS_H

#include "pipeline/mesh.h"

/* The text of a file whose name is relative to the folder of `beside`; NULL: it cannot be read. */
char *read_beside(const char *beside, struct str name);
void objects_put(struct mesh *mesh, struct str yaml, char *why, size_t max);
bool objects_remove(struct mesh *mesh, struct str kind, struct str key);
/* Puts the objects one by one, from the last to the first, and takes them away from the first to
 * the last; calls `settle` after each. */
void objects_each_step(struct mesh *mesh, struct str yaml, char *why, size_t max,
                       void (*settle)(void *user), void *user);

#endif
