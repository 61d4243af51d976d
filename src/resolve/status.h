/* SPDX-License-Identifier: Apache-2.0 */
/* status: what the conditions of routes and of Services have in common. */
#ifndef HEDDLE_RESOLVE_STATUS_H
#define HEDDLE_RESOLVE_STATUS_H

#include "engine/engine.h"
#include "snapshot/type.h"

/* Several faults in one text: "one; two; and 3 more". */
struct faults {
    struct arena *arena;
    struct str text;
    size_t len;
};
void faults_add(struct faults *faults, struct str what);
struct str faults_text(const struct faults *faults);

/* What clients say against a resource; key: its name, of a consumer's with "@client-ns". False:
 * nothing. */
bool status_rejected(struct eval *ev, struct arena *arena, enum xds_type type, struct str key,
                     struct str *ret_message);
/* The same of the clusters of a Service port, whatever they are called (upstream_name). */
bool status_rejected_port(struct eval *ev, struct arena *arena, struct str port, struct str scope,
                          struct str *ret_message);
/* The same of one scope alone (empty: any): resources of several Gateways have one name. */
bool status_rejected_in(struct eval *ev, struct arena *arena, enum xds_type type, struct str key,
                        struct str scope, struct str *ret_message);

#endif
