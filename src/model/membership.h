/* SPDX-License-Identifier: Apache-2.0 */
/* membership: the label that brings pods into the mesh, and its values. */
#ifndef HEDDLE_MODEL_MEMBERSHIP_H
#define HEDDLE_MODEL_MEMBERSHIP_H

#include "model/object.h"

#define MEMBERSHIP_LABEL "heddle.dev/inject"
#define MEMBERSHIP_CSM_LABEL "mesh.cloud.google.com/csm-injection" /* where the first is absent */
#define MEMBERSHIP_REMEDY "write sidecar, proxyless or disabled"

enum membership { MEMBERSHIP_SIDECAR, MEMBERSHIP_PROXYLESS, MEMBERSHIP_DISABLED, MEMBERSHIP_NONE };
enum membership membership_of(struct str value); /* NONE: it is no value of the label */

/* Reports values that mean nothing (HED119) in a Namespace or Pod, or in the template of pods that
 * an object of another kind has. */
void membership_review(const struct doc_node *object, struct problems *problems);

#endif
