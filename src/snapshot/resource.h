/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resource: one xDS resource as every stream gets it: identity, version, bytes. Immutable, shared
 * by all threads.
 *
 * Encoded once, for both protocols. `entry` is an envoy.service.discovery.v3.Resource whose fields
 * stand in this order:
 *
 *   name (3) │ version (1) │ resource (2): Any
 *                          ^ any_at
 *   delta:  DeltaDiscoveryResponse.resources (field 2)  = 0x12 len <entry>
 *   SotW:   DiscoveryResponse.resources      (field 2)  = <entry from any_at to its end>
 *
 * since Resource.resource and DiscoveryResponse.resources happen to have the same field number.
 *
 * Scope: clients differ in what a name means to them (role, namespace, dialect). A resource stands
 * in one scope; a client's view is a chain of scopes, most specific first, and a name means the
 * resource of the first scope of the chain that has it. What does not depend on a dimension stands
 * in a scope that many views share.
 */
#ifndef HEDDLE_SNAPSHOT_RESOURCE_H
#define HEDDLE_SNAPSHOT_RESOURCE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/str.h"
#include "codec/hash.h"
#include "snapshot/type.h"

struct resource {
    _Atomic uint32_t refs;
    enum xds_type type;
    struct str scope; /* these three point into the resource's own memory */
    struct str name;
    struct str follow; /* for a cluster: the ClusterLoadAssignment that must be sent after it every
                          time it is sent (docs/xds.md, "EDS after CDS"); else empty */
    /* Of a listener: a hash of the addresses that it listens on, which no other may have; 0: none.
     * Who makes the resource sets it before anybody else sees it. */
    uint64_t place;
    char version[HASH_TEXT_LEN]; /* hash of the bytes */
    struct hash hash;
    struct blob *entry;
    uint32_t any_at;
};

/* message: the packed resource. One reference. */
struct resource *resource_new(enum xds_type type, struct str scope, struct str name,
                              struct str follow, struct str message);
struct resource *resource_ref(struct resource *resource);
void resource_unref(struct resource *resource);               /* NULL is fine */
struct str resource_message(const struct resource *resource); /* the packed resource in entry */

#endif
