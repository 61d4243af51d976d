/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drain: whether a pod is still sent new requests, as far as heddle has a say: what EndpointSlices
 * say of it, and what the endpoints that are made of them do (resolve/endpoints.c).
 */
#ifndef HEDDLE_PIPELINE_DRAIN_H
#define HEDDLE_PIPELINE_DRAIN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/vec.h"
#include "engine/engine.h"

struct drain_pod {
    struct str ns, name; /* a slice's targetRef */
    struct str address;  /* or this address; either may be empty, not both */
};

enum drain_state {
    DRAIN_OUT,    /* it gets no new requests */
    DRAIN_LAST,   /* it ends, but nothing else is ready: it gets them until something is */
    DRAIN_LISTED, /* it is ready: that it ends is not known yet */
};

/* The Service ports that the pod serves or has served since this was first asked: keys of T_PORT,
 * which are the names of their EDS resources. */
struct drain {
    struct arena arena;
    struct drain_pod pod;
    VEC(struct str) services; /* "ns/svc" */
    VEC(struct str) ports;
};

void drain_init(struct drain *drain, const struct drain_pod *pod); /* copies the texts */
void drain_release(struct drain *drain);
/* Who lists it now: all slices are read, which is done once; later each that changes is shown. */
void drain_find(struct drain *drain, const struct engine *engine);
/* Whether the slice says anything of the pod's namespace, so that a look is due. */
bool drain_show(struct drain *drain, const struct row *slice);
/* Where it stands now with those. Ports that it had before are kept. */
enum drain_state drain_look(struct drain *drain, const struct engine *engine);

#endif
