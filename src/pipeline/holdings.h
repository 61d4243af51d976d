/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdings: which of all resources a client of a view has, once it has asked for what it wants and
 * for all that follows from that (xds/refs.h).
 */
#ifndef HEDDLE_PIPELINE_HOLDINGS_H
#define HEDDLE_PIPELINE_HOLDINGS_H

#include "base/vec.h"
#include "engine/engine.h"
#include "serve/serve.h"
#include "snapshot/resource.h"

struct holding {
    struct resource *resource; /* a reference */
    unsigned rank;             /* of its scope in the view */
    bool wanted;
};

/* By type and name: of a name that several scopes of the view have, the first scope's resource. */
struct holdings {
    VEC(struct holding) items;
};

/* All that the view shows; nothing of it is wanted yet. */
void holdings_init(struct holdings *holdings, const struct engine *engine, const struct view *view);
void holdings_want(struct holdings *holdings, enum xds_type type, struct str name);
void holdings_want_all(struct holdings *holdings, enum xds_type type);
void holdings_release(struct holdings *holdings);

#endif
