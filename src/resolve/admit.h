/* SPDX-License-Identifier: Apache-2.0 */
/* admit: what of other namespaces is let in, by a `from`, and by ReferenceGrants. */
#ifndef HEDDLE_RESOLVE_ADMIT_H
#define HEDDLE_RESOLVE_ADMIT_H

#include "engine/engine.h"
#include "model/gateway.h"

/* from: enum from_namespaces, of something in the namespace `home`; ns: where the other one is. */
bool admit_namespace(struct eval *ev, int from, const struct label_selector *selector,
                     struct str home, struct str ns);

/* A reference from one namespace to an object of another. */
struct reference {
    struct str from_group, from_kind, from_ns;
    struct str group, kind, ns, name;
};
/* Whether both are of one namespace, or a ReferenceGrant of the object's allows it. */
bool admit_reference(struct eval *ev, const struct reference *reference);

#endif
