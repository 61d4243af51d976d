/* SPDX-License-Identifier: Apache-2.0 */
/* subscription: see subscription.h. */
#include "serve/subscription.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

void hash_sum_add(struct hash *sum, const struct resource *resource)
{
    if (resource != NULL) {
        sum->high += resource->hash.high;
        sum->low += resource->hash.low;
    }
}

void hash_sum_remove(struct hash *sum, const struct resource *resource)
{
    if (resource != NULL) {
        sum->high -= resource->hash.high;
        sum->low -= resource->hash.low;
    }
}

static struct resource *wanted(const struct subscription *sub, uint32_t id)
{
    return replica_wanted(sub->replica, sub->slot, sub->type, id);
}

static void know(struct subscription *sub, uint32_t id)
{
    if (bitmap_set(&sub->known, id)) {
        replica_hold(sub->replica, sub->type, id);
    }
}

static void begin_removal(struct subscription *sub, uint32_t id)
{
    if (bitmap_set(&sub->removing, id)) {
        replica_removal_begin(sub->replica, sub->type, id);
    }
}

static void end_removal(struct subscription *sub, uint32_t id)
{
    if (bitmap_test(&sub->removing, id)) {
        bitmap_drop(&sub->removing, id);
        replica_removal_end(sub->replica, sub->type, id);
    }
}

static void end_owed(struct subscription *sub, uint32_t id)
{
    if (bitmap_test(&sub->owed, id)) {
        bitmap_drop(&sub->owed, id);
        replica_drop(sub->replica, sub->type, id);
    }
}

/* A client that asks for clusters only is owed all their assignments, and hears nothing of those
 * that go. So they are looked for when they may be half of what is owed. */
static void forget_gone(struct subscription *sub)
{
    if (sub->owed.count <= 2 * sub->owed_kept + OWED_SLACK) {
        return;
    }
    bitmap_for_each (id, &sub->owed) {
        if (replica_visible(sub->replica, sub->slot, sub->type, id) == NULL) {
            end_owed(sub, id);
        }
    }
    sub->owed_kept = sub->owed.count;
}

/* An answer to what is in flight says nothing of the next owner of the id. */
static void disown(struct subscription *sub, uint32_t id)
{
    for (size_t i = 0; i < sub->unanswered.len; i++) {
        if (sub->unanswered.items[i].id == id) {
            sub->unanswered.items[i].id = REPLICA_NONE;
        }
    }
}

static void end_refused(struct subscription *sub, uint32_t id)
{
    if (bitmap_test(&sub->refused, id)) {
        bitmap_drop(&sub->refused, id);
        sub->dropped(sub->user, sub, id);
    }
}

/* The client has it no more, as far as we are concerned. */
static void forget(struct subscription *sub, uint32_t id)
{
    bitmap_drop(&sub->dirty, id);
    bitmap_drop(&sub->moving, id);
    bitmap_drop(&sub->sent, id);
    disown(sub, id);
    end_refused(sub, id);
    end_removal(sub, id);
    end_owed(sub, id);
    if (bitmap_test(&sub->known, id)) {
        bitmap_drop(&sub->known, id);
        replica_drop(sub->replica, sub->type, id);
    }
}

/* SotW has no way to take one RDS or EDS resource away: it goes with what names it. */
static bool can_remove(const struct subscription *sub)
{
    return sub->protocol == STREAM_DELTA || xds_type_info(sub->type)->whole_state;
}

static void lose(struct subscription *sub, uint32_t id)
{
    bitmap_drop(&sub->dirty, id);
    bitmap_drop(&sub->moving, id);
    end_owed(sub, id);
    if (!bitmap_test(&sub->known, id)) {
        end_refused(sub, id); /* it has gone in order to come back at another place */
        return;
    }
    if (can_remove(sub)) {
        begin_removal(sub, id);
    } else {
        forget(sub, id);
    }
}

static void gain(struct subscription *sub, uint32_t id)
{
    end_removal(sub, id);
    bitmap_drop(&sub->awaited, id);
    (void)bitmap_set(&sub->dirty, id);
}

void subscription_init(struct subscription *sub, struct replica *replica, enum xds_type type,
                       enum stream_protocol protocol, subscription_dropped_fn *dropped, void *user)
{
    *sub = (struct subscription){.replica = replica,
                                 .slot = REPLICA_NONE,
                                 .type = type,
                                 .sending = REPLICA_NONE,
                                 .protocol = protocol,
                                 .dropped = dropped,
                                 .user = user};
}

void subscription_release(struct subscription *sub)
{
    if (sub->slot != REPLICA_NONE) {
        replica_set_wildcard(sub->replica, sub->slot, sub->type, false);
    }
    struct bitmap *held[] = {&sub->removing, &sub->owed, &sub->known};
    for (unsigned i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        for (uint32_t id = bitmap_next(held[i], 0); id != BITMAP_END;
             id = bitmap_next(held[i], id + 1)) {
            if (held[i] == &sub->removing) {
                replica_removal_end(sub->replica, sub->type, id);
            } else {
                replica_drop(sub->replica, sub->type, id);
            }
        }
        bitmap_release(held[i]);
    }
    bitmap_for_each (id, &sub->named) {
        replica_unsubscribe(sub->replica, sub->slot, sub->type, id);
    }
    bitmap_release(&sub->named);
    bitmap_release(&sub->dirty);
    bitmap_release(&sub->moving);
    bitmap_release(&sub->sent);
    bitmap_release(&sub->leaving);
    bitmap_release(&sub->refused);
    bitmap_release(&sub->awaited);
    bitmap_release(&sub->denied);
    bitmap_release(&sub->answered);
    vec_release(&sub->unanswered);
    free(sub->reject_text);
    sub->reject_text = NULL;
}

static void add_delta(struct subscription *sub, uint32_t id, const struct resource *now)
{
    if (now != NULL) {
        gain(sub, id); /* a re-subscription is answered, changed or not */
    } else if (!sub->on_demand && !bitmap_test(&sub->removing, id)) {
        (void)bitmap_set(&sub->dirty, id); /* does not exist */
    }
}

bool subscription_add(struct subscription *sub, struct str name, uint32_t *ret_id)
{
    uint32_t id = replica_intern(sub->replica, sub->type, name);
    *ret_id = id;
    const struct resource *was = wanted(sub, id);
    bool newly = bitmap_set(&sub->named, id);
    if (newly) {
        replica_subscribe(sub->replica, sub->slot, sub->type, id);
    }
    const struct resource *now = wanted(sub, id);
    if (was != now) {
        hash_sum_remove(&sub->sum, was);
        hash_sum_add(&sub->sum, now);
    }
    if (sub->protocol == STREAM_DELTA) {
        add_delta(sub, id, now);
    } else if (newly && now != NULL) {
        gain(sub, id);
        sub->forced = true; /* who adds a name gets an answer with it */
    } else if (newly && sub->on_demand && xds_type_info(sub->type)->whole_state) {
        (void)bitmap_set(&sub->awaited, id);
    }
    replica_drop(sub->replica, sub->type, id);
    return newly;
}

static void remove_id(struct subscription *sub, uint32_t id)
{
    replica_hold(sub->replica, sub->type, id);
    const struct resource *was = wanted(sub, id);
    bitmap_drop(&sub->named, id);
    bitmap_drop(&sub->awaited, id);
    replica_unsubscribe(sub->replica, sub->slot, sub->type, id);
    const struct resource *now = wanted(sub, id);
    if (was != now) {
        hash_sum_remove(&sub->sum, was);
        hash_sum_add(&sub->sum, now);
    }
    if (!sub->wildcard) {
        forget(sub, id);
    } else if (now == NULL) {
        lose(sub, id);
    } else if (sub->protocol == STREAM_DELTA || now != was) {
        gain(sub, id); /* xDS protocol: the wildcard still holds it, and the client must be told */
    }
    replica_drop(sub->replica, sub->type, id);
}

void subscription_deny(struct subscription *sub, uint32_t id)
{
    if (wanted(sub, id) != NULL) {
        return; /* made for others */
    }
    if (sub->protocol == STREAM_DELTA) {
        (void)bitmap_set(&sub->dirty, id);
    } else {
        bitmap_drop(&sub->awaited, id);
        sub->forced = true;
    }
}

bool subscription_remove(struct subscription *sub, struct str name)
{
    uint32_t id = replica_find(sub->replica, sub->type, name);
    if (id == REPLICA_NONE || !bitmap_test(&sub->named, id)) {
        return false;
    }
    remove_id(sub, id);
    return true;
}

void subscription_set_wildcard(struct subscription *sub, bool on)
{
    if (sub->wildcard == on) {
        return;
    }
    if (on) {
        replica_set_wildcard(sub->replica, sub->slot, sub->type, true);
    }
    sub->wildcard = on;
    uint32_t ids = replica_ids(sub->replica, sub->type);
    for (uint32_t id = 0; id < ids; id++) {
        if (!replica_exists(sub->replica, sub->type, id) || bitmap_test(&sub->named, id)) {
            continue; /* a name of its own stands as it did */
        }
        const struct resource *now = wanted(sub, id);
        if (!on) {
            hash_sum_remove(&sub->sum, now);
            forget(sub, id);
        } else if (now != NULL) {
            hash_sum_add(&sub->sum, now);
            gain(sub, id);
        }
    }
    if (!on) {
        replica_set_wildcard(sub->replica, sub->slot, sub->type, false);
    }
}

void subscription_initial(struct subscription *sub, struct str name, struct str version)
{
    uint32_t id = replica_find(sub->replica, sub->type, name);
    bool named = id != REPLICA_NONE && bitmap_test(&sub->named, id);
    if (!named && !sub->wildcard) {
        return;
    }
    const struct resource *now = id != REPLICA_NONE ? wanted(sub, id) : NULL;
    if (now != NULL) {
        know(sub, id);
        if (str_eq(version, str_from(now->version)) && !bitmap_test(&sub->owed, id)) {
            bitmap_drop(&sub->dirty, id);
        }
    } else if (!named || !sub->on_demand) {
        id = replica_intern(sub->replica, sub->type, name);
        bitmap_drop(&sub->dirty, id);
        know(sub, id);
        begin_removal(sub, id);
        replica_drop(sub->replica, sub->type, id);
    }
}

/* Does the client have it, perhaps, at another place? Of what was to be taken away and has come
 * back only this is known, that it had one. */
static bool leaves_place(const struct subscription *sub, uint32_t id, const struct resource *before,
                         const struct resource *after)
{
    return bitmap_test(&sub->known, id) && can_remove(sub) &&
           (before != NULL ? before->place : 0) != after->place;
}

void subscription_changed(struct subscription *sub, uint32_t id, const struct resource *before,
                          const struct resource *after)
{
    hash_sum_remove(&sub->sum, before);
    hash_sum_add(&sub->sum, after);
    if (after != NULL) {
        gain(sub, id);
        if (leaves_place(sub, id, before, after)) {
            (void)bitmap_set(&sub->moving, id);
        }
        return;
    }
    lose(sub, id);
    if (sub->protocol == STREAM_DELTA && !sub->on_demand && bitmap_test(&sub->named, id) &&
        !bitmap_test(&sub->known, id)) {
        (void)bitmap_set(&sub->dirty, id); /* gone before it was sent: does not exist */
    }
}

void subscription_follow(struct subscription *sub, struct str name)
{
    uint32_t id = replica_find(sub->replica, sub->type, name);
    if (id == REPLICA_NONE || sub->slot == REPLICA_NONE) {
        return;
    }
    if (wanted(sub, id) != NULL) {
        (void)bitmap_set(&sub->dirty, id);
        sub->forced = true;
    } else if (replica_visible(sub->replica, sub->slot, sub->type, id) != NULL &&
               bitmap_set(&sub->owed, id)) {
        replica_hold(sub->replica, sub->type, id);
        forget_gone(sub);
    }
}

/* Does anybody come to a place beside the only one that moves? */
static bool has_newcomer(const struct subscription *sub)
{
    bitmap_for_each (id, &sub->dirty) {
        const struct resource *resource = wanted(sub, id);
        if (!bitmap_test(&sub->known, id) && resource != NULL && resource->place != 0) {
            return true;
        }
    }
    return false;
}

void subscription_settle_places(struct subscription *sub)
{
    sub->in_place = sub->moving.count == 1 && !has_newcomer(sub);
}

bool subscription_goes_first(const struct subscription *sub, uint32_t id)
{
    return !sub->in_place && bitmap_test(&sub->moving, id);
}

void subscription_put_sent(struct subscription *sub, uint32_t id)
{
    ASSERT(!subscription_goes_first(sub, id));
    bitmap_drop(&sub->moving, id);
    bitmap_drop(&sub->dirty, id);
    know(sub, id);
    end_owed(sub, id);
    (void)bitmap_set(&sub->sent, id);
    sub->sending = id;
}

void subscription_removal_sent(struct subscription *sub, uint32_t id)
{
    forget(sub, id);
    (void)bitmap_set(&sub->leaving, id);
}

void subscription_move_sent(struct subscription *sub, uint32_t id)
{
    bitmap_drop(&sub->moving, id);
    bitmap_drop(&sub->known, id);
    replica_drop(sub->replica, sub->type, id);
}

void subscription_unsent(struct subscription *sub, uint32_t id)
{
    bitmap_drop(&sub->dirty, id);
    bitmap_drop(&sub->moving, id);
}

bool subscription_settled(const struct subscription *sub)
{
    return !sub->requested || (sub->dirty.count == 0 && sub->removing.count == 0 && !sub->forced &&
                               !sub->in_flight && !sub->rejected && sub->refused.count == 0);
}
