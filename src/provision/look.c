/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look: what is due of an object, by what there is and what there should be:
 *
 *   READY ──► look ──┬─ nothing to do ──► AT_REST
 *                    ├─ not yet ────────► HELD (rollout.c) │ WAITING
 *                    └─ a request ──────► IN_FLIGHT (apply.c)
 *
 * Before an object is made, it is asked for: one of that name may be somebody else's, which the
 * watches, by heddle's label, do not tell.
 */
#include "provision/provision_internal.h"

#define LOOKED_MAX 200 /* in one turn of the loop, which others wait for */

/* Whether what is there is what this leader wrote. */
static bool is_intact(const struct thing *thing)
{
    return thing->applied && hash_eq(thing->text_then, hash_bytes(str_from(thing->text))) &&
           hash_eq(thing->fields_then, thing->seen.fields);
}

/* A certificate is not made again for nothing, so that one of another leader is left as it is. */
static void look_at_identity(struct thing *thing)
{
    const struct provision *provision = thing->provision;
    const struct seen *seen = &thing->seen;
    if (provision->ring == NULL) {
        return; /* it is told */
    }
    bool due = !seen->there ||
               identity_is_due(&seen->identity, provision->ring, provision_now_s(provision)) ||
               !str_eq(seen->identity_of, thing->site->blueprint.identity) ||
               !thing_is_of(seen, thing->site) ||
               !str_eq(seen->owner_uid, str_from(thing->site->uid)) ||
               (thing->applied && !is_intact(thing));
    if (due) {
        thing_apply_identity(thing);
    } else {
        thing_wait(thing, PROVISION_IDENTITY_MS);
    }
}

/* An autoscaler begins with one. Where another class had more, so many are needed now. */
static void follow(struct thing *thing)
{
    int32_t before = site_replicas_before(thing->site);
    if (thing->site->autoscaled && !thing->followed && thing->site->stands_ms == 0 &&
        before > thing->seen.replicas) {
        thing->followed = true;
        thing_hand_over(thing, before);
    }
}

static bool has(const struct site *site, enum part part)
{
    return site->things[part] != NULL && site->things[part]->seen.there;
}

static void look_at_deployment(struct thing *thing)
{
    const struct site *site = thing->site;
    if (!has(site, PART_ACCOUNT) || !has(site, PART_IDENTITY)) {
        return; /* its pods could not start; thing_told() comes back to it */
    }
    if (is_intact(thing)) {
        follow(thing);
        return;
    }
    if (!rollout_begin(thing)) {
        return;
    }
    if (site->autoscaled && thing->seen.replicas_ours) {
        thing_hand_over(thing, thing->seen.replicas);
    } else {
        thing_apply(thing);
    }
}

/* Nobody wants it: it goes, unless it goes by itself, or its Gateway is not understood now. */
static void look_at_stray(struct thing *thing)
{
    const struct seen *seen = &thing->seen;
    const struct site *site = site_of_owner(thing);
    bool unwanted = site != NULL && (site->drafted || site->class == PROVISION_OTHERS);
    if (!unwanted || seen->deleting || stand_in_is_needed(thing, site)) {
        return;
    }
    uint64_t now = provision_now_ms(thing->provision);
    uint64_t due = thing->former_of != NULL ? former_due_ms(thing) : now;
    if (due <= now) {
        thing_delete(thing);
    } else if (due < UINT64_MAX) {
        thing_wait(thing, due - now);
    }
}

/* A Service that cannot be changed. */
static void make_anew(struct thing *thing)
{
    if (stand_in_is_due(thing)) {
        stand_in_make(thing);
    } else {
        thing_delete(thing);
    }
}

/* What is not there may need an address that something else still has. */
static void make(struct thing *thing)
{
    if (thing->stand_in != NULL) {
        stand_in_release(thing);
    } else if (thing->part != PART_SERVICE || !site_waits_for_address(thing->site)) {
        thing_apply(thing);
    }
}

static void look_at_wanted(struct thing *thing)
{
    const struct seen *seen = &thing->seen;
    if (!seen->there && !thing->looked) {
        thing_ask(thing);
    } else if (seen->there && !thing_is_of(seen, thing->site)) {
        thing_set_error(thing, false, STR("it is another Gateway's; rename one of the two"));
    } else if (seen->there && seen->deleting) {
        return; /* it is made again when it is gone */
    } else if (seen->there && thing->remake) {
        make_anew(thing);
    } else if (thing->part == PART_IDENTITY) {
        look_at_identity(thing);
    } else if (thing->part == PART_DEPLOYMENT) {
        look_at_deployment(thing);
    } else if (!seen->there) {
        make(thing);
    } else if (!is_intact(thing)) {
        stand_in_forget(thing);
        thing_apply(thing);
    }
}

static void look_at(struct thing *thing)
{
    thing_settle(thing);
    if (!kube_watch_synced(thing->provision->watches[thing->part].watch)) {
        return; /* all are looked at when it is */
    }
    if (thing->text != NULL) {
        look_at_wanted(thing);
    } else {
        look_at_stray(thing);
    }
}

/* Of those that are held one at a time, when nothing else is to be looked at. */
static bool is_any_ready(struct provision *provision)
{
    if (list_empty(&provision->ready) && !list_empty(&provision->held) &&
        provision->rolling < provision->config.rollouts_max) {
        thing_wake(list_entry(provision->held.next, struct thing, link));
    }
    return !list_empty(&provision->ready);
}

void provision_pump(struct provision *provision)
{
    unsigned looked = 0;
    while (is_any_ready(provision) && provision->in_flight < PROVISION_WRITES_MAX) {
        if (looked++ == LOOKED_MAX) {
            provision_wake(provision, provision_now_ms(provision) + 1);
            return;
        }
        look_at(list_entry(provision->ready.next, struct thing, link));
    }
}
