/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demand: on-demand names: what a stream wants of thread 0, within the limits of its peer and of
 * all.
 *
 * A name beyond a limit is denied: nobody makes a resource for it, and the client hears that it
 * does not exist. Ending the stream would take from the client all else that it has. The name stays
 * subscribed, and is asked for again when there is room.
 */
#include "base/log.h"
#include "base/metric.h"
#include "serve/stream.h"

/* The scope in which thread 0 makes resources for names of the type; NULL: none. */
static const struct replica_scope *demand_scope(const struct stream *stream, enum xds_type type)
{
    return stream->env->replica.slots.items[stream->slot].on_demand[type];
}

static bool take_place(_Atomic unsigned *taken, unsigned max)
{
    if (atomic_fetch_add(taken, 1) < max) {
        return true;
    }
    atomic_fetch_sub(taken, 1);
    return false;
}

/* False: a limit is reached, which ret_limit counts. */
static bool want(struct stream *stream, const struct subscription *sub, uint32_t id,
                 enum metric_id *ret_limit)
{
    struct stream_env *env = stream->env;
    struct str scope = demand_scope(stream, sub->type)->name;
    struct str name = replica_name(&env->replica, sub->type, id);
    *ret_limit = M_xds_refused_interest_per_peer;
    if (!take_place(stream->peer_names, env->limits.interest_per_peer)) {
        return false;
    }
    if (!interest_add(&env->interest, sub->type, scope, name)) {
        return true; /* another stream of the worker wants it, too */
    }
    *ret_limit = M_xds_refused_interest;
    if (!take_place(env->names, env->limits.interest_names)) {
        (void)interest_remove(&env->interest, sub->type, scope, name);
        atomic_fetch_sub(stream->peer_names, 1);
        return false;
    }
    metric_add(M_xds_on_demand_names, 1);
    env->ops->interest(env, sub->type, scope, name, true);
    return true;
}

static void want_no_more(struct stream *stream, struct subscription *sub, uint32_t id)
{
    struct stream_env *env = stream->env;
    struct str scope = demand_scope(stream, sub->type)->name;
    struct str name = replica_name(&env->replica, sub->type, id);
    atomic_fetch_sub(stream->peer_names, 1);
    if (interest_remove(&env->interest, sub->type, scope, name)) {
        atomic_fetch_sub(env->names, 1);
        metric_add(M_xds_on_demand_names, -1);
        env->ops->interest(env, sub->type, scope, name, false);
    }
}

static void grant(struct stream_env *env, struct subscription *sub, uint32_t id)
{
    env->ndenied--;
    if (bitmap_clear(&sub->denied, id) && sub->denied.count == 0) {
        bitmap_release(&sub->denied);
    }
}

static void deny(struct stream *stream, struct subscription *sub, uint32_t id, enum metric_id limit)
{
    bool all = limit == M_xds_refused_interest;
    metric_add(limit, 1);
    log_at(LOG_WARN, "serve", "no room for the name that a client asks for",
           KV_TEXT("node", stream->node_id), KV("name", replica_name(sub->replica, sub->type, id)),
           KV_TEXT("limit", all ? "interest_names" : "interest_per_peer"),
           KV_INT("max", all ? stream->env->limits.interest_names
                             : stream->env->limits.interest_per_peer));
    (void)bitmap_set(&sub->denied, id);
    stream->env->ndenied++;
}

void demand_add(struct stream *stream, struct subscription *sub, uint32_t id, bool newly)
{
    enum metric_id limit;
    if (!sub->on_demand) {
        return;
    }
    if (newly && !want(stream, sub, id, &limit)) {
        deny(stream, sub, id, limit);
    }
    if (bitmap_test(&sub->denied, id)) {
        subscription_deny(sub, id);
    }
}

void demand_remove(struct stream *stream, struct subscription *sub, uint32_t id)
{
    if (!sub->on_demand) {
        return;
    }
    if (bitmap_test(&sub->denied, id)) {
        grant(stream->env, sub, id);
    } else {
        want_no_more(stream, sub, id);
    }
}

void demand_remove_all(struct stream *stream)
{
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        bitmap_for_each (id, &stream->subs[t].named) {
            demand_remove(stream, &stream->subs[t], id);
        }
    }
}

/* False: there is no room for anybody. */
static bool ask_again(struct stream *stream)
{
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        struct subscription *sub = &stream->subs[t];
        bitmap_for_each (id, &sub->denied) {
            enum metric_id limit;
            if (!want(stream, sub, id, &limit)) {
                return limit != M_xds_refused_interest;
            }
            grant(stream->env, sub, id);
        }
    }
    return true;
}

void streams_ask_again(struct stream_env *env)
{
    for (size_t i = 0; env->ndenied > 0 && i < env->by_slot.len; i++) {
        struct stream *stream = env->by_slot.items[i];
        if (stream != NULL && !ask_again(stream)) {
            return;
        }
    }
}
