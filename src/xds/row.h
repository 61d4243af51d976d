/* SPDX-License-Identifier: Apache-2.0 */
/* row: the rows of rank 6 and 7: encoded fragments, and finished resources. */
#ifndef HEDDLE_XDS_ROW_H
#define HEDDLE_XDS_ROW_H

#include <protobuf-c/protobuf-c.h>

#include "engine/engine.h"
#include "snapshot/resource.h"

/* An encoded piece of a resource. */
struct fragment_row {
    struct row row;
    struct str bytes;
    /* Reasons that clients are to be told through the names of clusters without endpoints
     * (docs/xds.md, "Reasons"): each needs a Cluster and a ClusterLoadAssignment. */
    struct str *reasons;
    size_t nreasons;
    bool takes_all; /* a virtual host: some route of it takes every request */
};

/* What one key of a resource table yields: usually one resource. */
struct resource_row {
    struct row row;
    struct resource **items; /* references */
    size_t len;
};

bool fragment_equal(const struct row *a, const struct row *b);
bool resource_row_equal(const struct row *a, const struct row *b);
void resource_row_release(struct row *row);

/* An empty row with room for `room` resources. */
struct resource_row *resource_row_new(size_t room);
/* Appends a resource made from a message. */
void resource_row_add(struct resource_row *row, enum xds_type type, struct str scope,
                      struct str name, struct str follow, const ProtobufCMessage *message);
void resource_row_add_bytes(struct resource_row *row, enum xds_type type, struct str scope,
                            struct str name, struct str follow, struct str message);
/* "base" or "base@ns", in the arena. */
struct str scope_of(struct arena *arena, struct str base, struct str client_ns);

#endif
