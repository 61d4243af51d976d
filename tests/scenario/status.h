/* SPDX-License-Identifier: Apache-2.0 */
/* status: is a condition there? */
#ifndef HEDDLE_TESTS_STATUS_H
#define HEDDLE_TESTS_STATUS_H

#include "pipeline/mesh.h"

/* wanted: "Type", "Type=True" or "Type=True/Reason"; text: a part of the message, or empty. Of
 * any parentRef of a route. False, and what there is instead, when there is none. */
bool status_check(const struct mesh *mesh, struct str kind, struct str key, struct str wanted,
                  struct str text, char *why, size_t max);

#endif
