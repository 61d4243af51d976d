/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster: the objects of a Kubernetes cluster, as the API server tells of them: one kube_watch for
 * each kind of model/kind.def.
 *
 *   kube_watch ──► doc tree ──► object_read_stored ──► put     or, where it cannot be read, fault
 *                     └────────► seen (whole: status, resourceVersion, uid)
 *
 * Nothing is kept here: who is told keeps what it needs, and drops what is equal. Complete once
 * every kind is listed or the cluster has no such kind; a kind that comes later is read then.
 * Thread 0.
 */
#ifndef HEDDLE_SOURCE_CLUSTER_H
#define HEDDLE_SOURCE_CLUSTER_H

#include <stdbool.h>

#include "kube/watch.h"
#include "model/fault.h"
#include "model/object.h"

struct cluster;

struct cluster_events {
    void *user;
    /* Take the reference. Also called for what is equal to before. key: of the object's table. */
    void (*put)(void *user, struct object *object, struct str key);
    /* An object that cannot be read; what was put of it before is not taken back. */
    void (*fault)(void *user, struct fault *fault, struct str key);
    void (*removed)(void *user, enum kind_id kind, struct str key);
    /* Of every object of every kind, before put or fault, the document as it is; valid during the
     * call. ns is empty of cluster kinds. Both may be NULL. */
    void (*seen)(void *user, enum kind_id kind, struct str ns, struct str name,
                 const struct doc_node *object);
    void (*gone)(void *user, enum kind_id kind, struct str ns, struct str name);
    /* What could be read at once is told: time for a turn, when cluster_synced(). */
    void (*batch)(void *user);
};

struct cluster *cluster_start(struct kube *kube, const struct cluster_events *events);
/* Every kind is listed, or missing. Stays so once it was. */
bool cluster_synced(const struct cluster *cluster);
size_t cluster_kinds_missing(const struct cluster *cluster); /* whose CRD is not installed */
/* Nothing is told any more; NULL is fine. */
void cluster_stop(struct cluster *cluster);

#endif
