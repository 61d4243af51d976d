/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known: the names of the objects that a watch has told of, so that those that a new list does not
 * have any more can be told as removed. Only names: the objects are with whom they were told to.
 */
#ifndef HEDDLE_KUBE_KNOWN_H
#define HEDDLE_KUBE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"

#define KNOWN_NAME_MAX 1000 /* bytes of namespace and name; Kubernetes has at most 63 + 253 */

struct known_name {
    struct str ns, name;
};

struct known {
    struct map names; /* "ns/name" */
    uint32_t round;   /* of the list that is under way, or was last */
};

void known_release(struct known *known);
void known_begin(struct known *known); /* a list begins */
/* It is there, as of the present list. */
void known_add(struct known *known, struct str ns, struct str name);
bool known_remove(struct known *known, struct str ns, struct str name); /* false: was not there */
/* Takes out those that the present list has not had, or all; they are in the arena, sorted. */
size_t known_take_old(struct known *known, bool all, struct arena *arena,
                      struct known_name **ret_names);

#endif
