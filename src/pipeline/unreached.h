/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unreached: rules of HTTPRoutes and GRPCRoutes all of whose requests rules of other routes take:
 * of equal matches the oldest route has the requests. What rules of one route do to one another is
 * told from the route alone (model/reach.h).
 *
 * At a Gateway only rules of one hostname are held against each other: that a more specific
 * hostname goes first is what hostnames are for.
 */
#ifndef HEDDLE_PIPELINE_UNREACHED_H
#define HEDDLE_PIPELINE_UNREACHED_H

#include "engine/engine.h"
#include "ir/ir.h"

struct unreached {                  /* all borrowed */
    struct str rule;                /* "HTTPRoute/ns/name/0" */
    struct str taker;               /* likewise: of the first that takes some */
    const struct ir_routing *where; /* a Service port, or a domain of a Gateway; NULL: wherever the
                                       route is attached */
    size_t more;                    /* where it is, too */
};

typedef void unreached_fn(void *user, const struct unreached *unreached);

/* In the order of rules, as texts. Each once. */
void unreached_each(const struct engine *engine, unreached_fn *visit, void *user);

#endif
