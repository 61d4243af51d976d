/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ack: what a client says of the response it got. xDS protocol, "ACK/NACK": error_detail decides,
 * not the version; an answer to what is in flight no more is stale and says nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "serve/stream.h"

/* Envoy prints the whole rejected configuration between two names. */
#define NACK_SEARCH_MAX 16384

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* Does a name go on at `at`? Signs between the parts of names (those of a gateway's clusters among
 * them: "ns/svc:80#h2", "mesh|ns/svc:80") belong to it when another name byte follows. */
static bool name_goes_on(struct str text, size_t at)
{
    if (at >= text.len) {
        return false;
    }
    char c = text.ptr[at];
    bool joint = c == '.' || c == ':' || c == '/' || c == '#';
    return is_name_byte(c) || (joint && at + 1 < text.len && is_name_byte(text.ptr[at + 1]));
}

bool reject_text_names(struct str text, struct str name)
{
    for (size_t at = 0; name.len > 0 && at + name.len <= text.len;) {
        const char *hit = memmem(text.ptr + at, text.len - at, name.ptr, name.len);
        if (hit == NULL) {
            return false;
        }
        at = (size_t)(hit - text.ptr);
        char before = at > 0 ? text.ptr[at - 1] : ' ';
        bool starts = !(is_name_byte(before) || before == '/' || before == '.' || before == '|');
        if (starts && !name_goes_on(text, at + name.len)) {
            return true;
        }
        at++;
    }
    return false;
}

/* A SotW answer of whole state holds all that the client has, changed or not. */
static bool is_whole(const struct subscription *sub)
{
    return sub->protocol == STREAM_SOTW && xds_type_info(sub->type)->whole_state;
}

/* The resources of the answered response, as far as they have not changed since, into env->of:
 * those that were new in it, or all that the text names. False: there are none, changed or not. */
static bool collect(struct stream *stream, const struct subscription *sub, struct str text,
                    bool only_named)
{
    struct stream_env *env = stream->env;
    vec_clear(&env->of);
    bool all = only_named && is_whole(sub);
    bool any = false;
    bitmap_for_each (id, all ? &sub->known : &sub->sent) {
        if ((!all && !subscription_in_answer(sub, id)) ||
            (only_named && !reject_text_names(text, replica_name(sub->replica, sub->type, id)))) {
            continue;
        }
        struct resource *resource = replica_wanted(sub->replica, sub->slot, sub->type, id);
        any = true;
        if (resource != NULL && !bitmap_test(&sub->dirty, id)) {
            vec_push(&env->of, resource);
        }
    }
    return any;
}

/* Is the resource among those that the client accepts with the response it answers? */
static bool is_answered(const struct subscription *sub, uint32_t id)
{
    return (is_whole(sub) || subscription_in_answer(sub, id)) && !bitmap_test(&sub->dirty, id);
}

/* Rejections are taken back one by one: a response may be accepted that has nothing to do with
 * what was rejected. */
static void take_back(struct stream *stream, struct subscription *sub)
{
    struct stream_env *env = stream->env;
    bitmap_for_each (id, &sub->refused) {
        struct resource *resource = replica_wanted(sub->replica, sub->slot, sub->type, id);
        if (resource == NULL || !is_answered(sub, id)) {
            continue; /* what is gone is dropped when the client was told */
        }
        if (!subscription_in_answer(sub, id)) {
            vec_push(&env->of, resource);
        }
        (void)bitmap_clear(&sub->refused, id);
    }
}

static void on_ack(struct stream *stream, struct subscription *sub)
{
    struct stream_env *env = stream->env;
    sub->nacked++;
    sub->last_acked_ms = clock_wall_ms();
    memcpy(sub->version_acked, sub->version_sent, sizeof(sub->version_acked));
    metric_add((enum metric_id)(M_xds_acks_sds + sub->type), 1);
    if (sub->rejected || sub->refused.count > 0 || env->report_acks) {
        (void)collect(stream, sub, STR_NULL, false);
        take_back(stream, sub);
        if (sub->rejected || env->of.len > 0) {
            env->ops->accepted(stream, sub->type, env->of.items, env->of.len);
        }
    }
    sub->rejected = false;
    if (sub->refused.count == 0) {
        free(sub->reject_text);
        sub->reject_text = NULL;
    }
}

/* Of a rejected response, what was refused before and is not spoken of this time is in use. */
static void take_back_unnamed(struct stream *stream, struct subscription *sub, struct str text)
{
    struct stream_env *env = stream->env;
    vec_clear(&env->of);
    bitmap_for_each (id, &sub->refused) {
        struct resource *resource = replica_wanted(sub->replica, sub->slot, sub->type, id);
        if (resource != NULL && is_answered(sub, id) && !reject_text_names(text, resource->name)) {
            vec_push(&env->of, resource);
            (void)bitmap_clear(&sub->refused, id);
        }
    }
    if (env->of.len > 0) {
        env->ops->accepted(stream, sub->type, env->of.items, env->of.len);
    }
}

/* What was refused may have found its place taken by another resource of the response, which has
 * left it by now: who comes back may have any older version of what changed while it was away
 * (else subscription.h, "Places"). It is sent once more when some of what was sent was taken: so
 * each time with less. */
static void try_again(const struct stream *stream, struct subscription *sub)
{
    const struct stream_env *env = stream->env;
    size_t refused = 0;
    for (size_t i = 0; i < env->of.len; i++) {
        refused +=
            bitmap_test(&sub->sent, replica_find(sub->replica, sub->type, env->of.items[i]->name));
    }
    for (size_t i = 0; i < env->of.len && refused < sub->sent.count; i++) {
        const struct resource *resource = env->of.items[i];
        uint32_t id = replica_find(sub->replica, sub->type, resource->name);
        if (resource->place != 0 && bitmap_test(&sub->sent, id)) {
            (void)bitmap_set(&sub->dirty, id);
            sub->forced = true; /* it is the same whole state */
        }
    }
}

static void on_nack(struct stream *stream, struct subscription *sub, uint64_t nonce,
                    struct str text)
{
    struct stream_env *env = stream->env;
    struct str searched = str_sub(text, 0, NACK_SEARCH_MAX);
    bool told_all = searched.len == text.len;
    text = str_sub(text, 0, STREAM_NACK_TEXT_MAX);
    sub->nrejected++;
    sub->rejected = true;
    free(sub->reject_text);
    sub->reject_text = str_dup(text);
    metric_add((enum metric_id)(M_xds_nacks_sds + sub->type), 1);
    log_at(LOG_WARN, "serve", "client rejected a response", KV_TEXT("node", stream->node_id),
           KV_TEXT("type", xds_type_info(sub->type)->name), KV_INT("nonce", nonce),
           KV("text", text));
    bool names_some = collect(stream, sub, searched, true);
    if (!names_some) {
        (void)collect(stream, sub, searched, false);
    }
    for (size_t i = 0; i < env->of.len; i++) {
        (void)bitmap_set(&sub->refused,
                         replica_find(sub->replica, sub->type, env->of.items[i]->name));
    }
    env->ops->rejected(stream, sub->type, env->of.items, env->of.len, text);
    if (names_some && told_all) {
        try_again(stream, sub);
    }
    if (names_some && told_all && stream->keeps_valid) {
        take_back_unnamed(stream, sub, searched);
    }
}

bool stream_acknowledge(struct stream *stream, struct subscription *sub,
                        const struct request *request)
{
    uint64_t nonce;
    if (!str_to_u64(request->nonce, &nonce) || !subscription_answer(sub, nonce, request->rejects)) {
        return false;
    }
    if (request->rejects) {
        on_nack(stream, sub, nonce, request->error_text);
    } else {
        on_ack(stream, sub);
    }
    subscription_answered(sub);
    return true;
}
