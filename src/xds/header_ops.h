/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header_ops: two steps of header operations as one.
 *
 * The filters of a backendRef come after those of its rule, and see what these did. Envoy does it
 * the other way about: those of the weighted cluster first, then those of the route, whatever
 * most_specific_header_mutations_wins says. So where a backendRef has filters, the operations of
 * the rule move into every weighted cluster.
 */
#ifndef HEDDLE_XDS_HEADER_OPS_H
#define HEDDLE_XDS_HEADER_OPS_H

#include "base/arena.h"
#include "ir/ir.h"

/* What `first` and `then` come to, for an executor that removes, then sets, then adds. Either may
 * be NULL; texts are shared with them. */
const struct ir_header_ops *xds_header_ops_join(struct arena *arena,
                                                const struct ir_header_ops *first,
                                                const struct ir_header_ops *then);

#endif
