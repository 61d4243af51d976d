/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle: of which release of the Gateway API the cluster's CRDs are, as an input row for each CRD
 * of a kind that heddle reads (T_BUNDLE). A release's CRDs are told by the annotation
 * `gateway.networking.k8s.io/bundle-version`. Without a cluster there are no such rows.
 */
#ifndef HEDDLE_IR_BUNDLE_H
#define HEDDLE_IR_BUNDLE_H

#include "engine/engine.h"
#include "model/object.h"

#define BUNDLE_ANNOTATION "gateway.networking.k8s.io/bundle-version"
#define BUNDLE_VERSION_MAX 64 /* what is longer is no version */

struct bundle_row {
    struct row row;
    bool there;         /* the CRD is installed */
    struct str version; /* "v1.7.0"; empty: it does not say so */
};

/* "httproutes.gateway.networking.k8s.io": the name of the CRD, and the row's key. Empty: the kind
 * is none of the Gateway API's. */
struct str bundle_crd(struct arena *arena, enum kind_id kind);
/* One reference. */
struct bundle_row *bundle_new(bool there, struct str version);
bool bundle_equal(const struct row *a, const struct row *b);

#endif
