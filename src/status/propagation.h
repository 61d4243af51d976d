/* SPDX-License-Identifier: Apache-2.0 */
/*
 * propagation: how far what an object's generation made has come to the clients that it concerns
 * (design §10.3). Who counts is told here as a hook, since that is above this layer.
 */
#ifndef HEDDLE_STATUS_PROPAGATION_H
#define HEDDLE_STATUS_PROPAGATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/object.h"

struct propagated {
    uint64_t clients;      /* concerned, of all replicas */
    uint64_t acknowledged; /* of those */
    bool settled;          /* all had acknowledged it once: true as long as the generation is */
    uint64_t since_ms;     /* wall clock: when `settled` turned; 0: now */
};

struct propagation {
    void *user;
    /* False: nothing is to be said of the object. NULL: of none. */
    bool (*of)(void *user, enum kind_id kind, struct str ns, struct str name, int64_t generation,
               struct propagated *ret_propagated);
};

#endif
