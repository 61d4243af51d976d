/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changeset: what one turn of the engine changed, as the workers apply it to their replicas.
 * Immutable once published, shared by all threads. A turn is atomic: a worker applies a changeset
 * whole before it sends anything.
 */
#ifndef HEDDLE_SNAPSHOT_CHANGESET_H
#define HEDDLE_SNAPSHOT_CHANGESET_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/resource.h"

struct change {
    struct resource *put;     /* a reference, or NULL for a removal */
    struct resource *removed; /* a reference to what stood there, or NULL */
};

struct changeset {
    _Atomic uint32_t refs;
    uint64_t seq; /* 1, 2, 3 … within one process */
    size_t len;
    struct change *items; /* sorted by type, scope, name */
};

/* Takes the references in items (malloc'ed), and the array. */
struct changeset *changeset_new(uint64_t seq, struct change *items, size_t len);
struct changeset *changeset_ref(struct changeset *cs);
void changeset_unref(struct changeset *cs);

#endif
