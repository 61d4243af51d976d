/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slices: what all EndpointSlices of a Service say of one of its ports, as one list in which every
 * address stands once.
 */
#ifndef HEDDLE_RESOLVE_SLICES_H
#define HEDDLE_RESOLVE_SLICES_H

#include "engine/engine.h"
#include "ir/ir.h"
#include "model/service.h"

struct served { /* borrowed from the slices */
    struct str address;
    int32_t port;
    struct str other; /* the same pod's address of the other family; empty: none */
    int32_t other_port;
    const struct endpoint *endpoint;
    bool ready;       /* false: it terminates, but still serves */
    int32_t priority; /* 0 */
};

/* The port of that name and protocol (enum ip_protocol); 0: none, or it has no number. */
int32_t slice_port(const struct endpoint_slice *slice, struct str name, int protocol);

/* By address and port, in the arena. */
struct served *slices_served(struct arena *arena, const struct ir_port *port,
                             struct row_span slices, size_t *ret_len);

#endif
