/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollout: a new version of heddle replaces the pods of all Gateways, of few at a time: they cost
 * a pod more each, their Envoys ask heddle for all they need, and a version that does not work
 * stops with the first few.
 *
 * Only what a leader finds there and writes for the first time is counted: what somebody changes at
 * his Gateway later waits for nobody. A Deployment that has given up (progressDeadlineSeconds)
 * counts as one that is done.
 */
#include "provision/provision_internal.h"

bool rollout_begin(struct thing *thing)
{
    struct provision *provision = thing->provision;
    if (thing->applied || thing->rolling || !thing->seen.there) {
        return true;
    }
    if (provision->rolling >= provision->config.rollouts_max) {
        thing_hold(thing);
        return false;
    }
    thing->rolling = true;
    thing->generation_then = thing->seen.generation;
    provision->rolling++;
    return true;
}

/* A write that made no difference replaces nothing. */
void rollout_look(struct thing *thing)
{
    if (thing->applied &&
        (thing->seen.settled || thing->seen.generation == thing->generation_then)) {
        rollout_end(thing);
    }
}

void rollout_end(struct thing *thing)
{
    struct provision *provision = thing->provision;
    if (thing->rolling) {
        thing->rolling = false;
        provision->rolling--;
        provision_wake(provision, provision_now_ms(provision));
    }
}
