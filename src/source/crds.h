/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crds: which of the Gateway API's CRDs a cluster has, and of which release (ir/bundle.h): one
 * kube_watch for each, by its name, so that heddle needs no right to see others; of metadata alone,
 * since the schemas are megabytes.
 * Nothing waits for these: a heddle that may not read them serves as it does with them.
 * Thread 0.
 */
#ifndef HEDDLE_SOURCE_CRDS_H
#define HEDDLE_SOURCE_CRDS_H

#include "ir/bundle.h"
#include "kube/kube.h"

struct crds;

struct crds_events {
    void *user;
    /* Takes the reference. Also called for what is equal to before. name: the row's key. */
    void (*told)(void *user, struct str name, struct bundle_row *row);
};

struct crds *crds_start(struct kube *kube, const struct crds_events *events);
void crds_stop(struct crds *crds); /* nothing is told any more; NULL is fine */

#endif
