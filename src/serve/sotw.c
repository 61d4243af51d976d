/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sotw: the state-of-the-world protocol: DiscoveryRequest in, DiscoveryResponse out.
 *
 * LDS and CDS answers hold all that is subscribed, since omission means deletion; RDS and EDS
 * answers hold what is new. version_info is a hash over what the subscription gets.
 */
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "codec/pb.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "serve/stream.h"

typedef Envoy__Service__Discovery__V3__DiscoveryRequest sotw_request;

enum { REQUEST_NODE = 2, REQUEST_NAMES = 3, REQUEST_TYPE_URL = 4 };
enum { RESPONSE_VERSION_INFO = 1, RESPONSE_TYPE_URL = 4, RESPONSE_NONCE = 5 };
enum { RESPONSE_CONTROL_PLANE = 6 };

static const struct stream_tail response_tail = {RESPONSE_TYPE_URL, RESPONSE_NONCE,
                                                 RESPONSE_CONTROL_PLANE};

/* Finds what the request repeats, and the hash of its names. Returns the fields to leave out. */
static uint32_t find_repeated(struct str bytes, const struct outline *outline,
                              const struct request_known *known, struct hash *ret_names)
{
    uint32_t fields = known->node ? 1u << REQUEST_NODE : 0;
    if (outline->len == 0) {
        *ret_names = hash_bytes(bytes); /* like no others: the request has a nonce of its own */
        return fields;
    }
    enum xds_type type;
    *ret_names = outline_hash(outline, REQUEST_NAMES);
    if (xds_type_from_url(outline_last(outline, REQUEST_TYPE_URL), &type) &&
        hash_eq(*ret_names, known->names[type])) {
        fields |= 1u << REQUEST_NAMES;
    }
    return fields;
}

bool sotw_decode(struct str bytes, const struct request_known *known, struct request **ret_request,
                 struct err *err)
{
    struct request *r = request_new(bytes);
    struct outline outline;
    outline_read(bytes, &outline);
    uint32_t left_out = find_repeated(bytes, &outline, known, &r->names_hash);
    const sotw_request *m = (const sotw_request *)(const void *)request_unpack(
        r, &envoy__service__discovery__v3__discovery_request__descriptor, bytes, &outline, left_out,
        err);
    if (m == NULL) {
        request_free(r);
        return false;
    }
    if (!known->node && m->node != NULL) {
        r->node = node_decode(&m->node->base);
    }
    request_set_type(r, m->type_url);
    r->nonce = str_from(m->response_nonce);
    r->rejects = m->error_detail != NULL;
    r->error_text = r->rejects ? str_from(m->error_detail->message) : STR_NULL;
    r->names = request_strs(r, m->resource_names, m->n_resource_names);
    r->nnames = m->n_resource_names;
    *ret_request = r;
    return true;
}

/* --- requests -------------------------------------------------------------------------------- */

/* Unsubscribes what is named now but is not in env->listed. */
static void remove_unlisted(struct stream *stream, struct subscription *sub)
{
    bitmap_for_each (id, &sub->named) {
        if (!bitmap_test(&stream->env->listed, id)) {
            stream_remove_name(stream, sub, replica_name(sub->replica, sub->type, id));
        }
    }
}

static void set_names(struct stream *stream, struct subscription *sub,
                      const struct request *request)
{
    struct bitmap *listed = &stream->env->listed;
    bool wildcard = false;
    bitmap_clear_all(listed);
    for (size_t i = 0; i < request->nnames; i++) {
        if (str_eq(request->names[i], STR("*"))) {
            wildcard = true;
            continue;
        }
        uint32_t id;
        if (!stream_add_name(stream, sub, request->names[i], &id)) {
            return;
        }
        (void)bitmap_set(listed, id);
    }
    remove_unlisted(stream, sub);
    if (wildcard && !sub->wildcard) {
        sub->forced = true; /* answered even when there is nothing */
    }
    subscription_set_wildcard(sub, wildcard);
}

static void subscribe(struct stream *stream, struct subscription *sub,
                      const struct request *request)
{
    bool first = !sub->requested;
    struct hash *known = &stream->known.names[sub->type];
    bool same = hash_eq(request->names_hash, *known);
    *known = request->names_hash;
    if (request->nnames == 0 && first && xds_type_info(sub->type)->whole_state) {
        sub->legacy = true; /* no names from the start: all of them, until some are named */
        sub->forced = true;
        subscription_set_wildcard(sub, true);
    } else if ((first || !same) && !(sub->legacy && request->nnames == 0)) {
        sub->legacy = false;
        set_names(stream, sub, request);
    }
}

/* --- responses ------------------------------------------------------------------------------- */

static void put_version(struct subscription *sub, struct response *response,
                        const char version[HASH_TEXT_LEN])
{
    memcpy(sub->version_sent, version, HASH_TEXT_LEN);
    pb_put_bytes(&response->own, RESPONSE_VERSION_INFO, str_from(version));
}

/* Everything subscribed into the response, but what moves. What is to be removed stays until
 * `removals`. */
static struct hash put_whole(struct stream *stream, const struct subscription *sub, bool removals)
{
    struct response *response = &stream->env->response;
    struct hash sum = {0, 0};
    uint32_t end = replica_ids(sub->replica, sub->type);
    for (uint32_t id = 0; id < end; id++) {
        if (!sub->wildcard) {
            id = bitmap_next(&sub->named, id);
            if (id == BITMAP_END) {
                break;
            }
        }
        if (subscription_goes_first(sub, id)) {
            continue;
        }
        bool kept = !removals && bitmap_test(&sub->removing, id);
        const struct resource *resource =
            kept ? replica_last(sub->replica, sub->slot, sub->type, id)
                 : replica_wanted(sub->replica, sub->slot, sub->type, id);
        if (resource != NULL) {
            hash_sum_add(&sum, resource);
            response_put_sotw(response, resource);
        }
    }
    return sum;
}

/* Accounts all that is due as sent, whether it was or not. */
static void settle_whole(struct stream *stream, struct subscription *sub, bool removals, bool sent)
{
    bitmap_for_each (id, &sub->dirty) {
        const struct resource *resource = replica_wanted(sub->replica, sub->slot, sub->type, id);
        if (!sent) {
            subscription_unsent(sub, id);
        } else if (subscription_goes_first(sub, id)) {
            subscription_move_sent(sub, id);
        } else {
            stream_sent_put(stream, sub, id, resource);
        }
    }
    bitmap_for_each (id, &sub->removing) {
        if (!removals) {
            break;
        }
        subscription_removal_sent(sub, id);
    }
}

static void refuse_whole(struct stream *stream, struct subscription *sub, bool removals)
{
    uint32_t max = stream->env->limits.whole_state_bytes;
    metric_add(M_xds_refused_whole_state, 1);
    log_at(LOG_WARN, "serve", "answer is too big to send", KV_TEXT("node", stream->node_id),
           KV_TEXT("type", xds_type_info(sub->type)->name),
           KV_INT("bytes", stream->env->response.bytes), KV_INT("whole_state_bytes", max));
    settle_whole(stream, sub, removals, false);
    sub->forced = false;
}

static void respond_whole(struct stream *stream, struct subscription *sub, bool removals)
{
    struct response *response = &stream->env->response;
    char version[HASH_TEXT_LEN];
    subscription_settle_places(sub);
    hash_text(put_whole(stream, sub, removals), version);
    if (response->bytes > stream->env->limits.whole_state_bytes) {
        refuse_whole(stream, sub, removals);
        return;
    }
    bool equal = str_eq(str_from(version), str_from(sub->version_sent));
    if (equal && !sub->forced && sub->nsent > 0) {
        settle_whole(stream, sub, removals, false); /* changed there and back again */
        return;
    }
    settle_whole(stream, sub, removals, true);
    put_version(sub, response, version);
    stream_send(stream, sub, &response_tail);
}

static void respond(struct stream *stream, struct subscription *sub, bool removals)
{
    struct response *response = &stream->env->response;
    response_begin(response);
    if (xds_type_info(sub->type)->whole_state) {
        respond_whole(stream, sub, removals);
        return;
    }
    char version[HASH_TEXT_LEN];
    hash_text(sub->sum, version);
    stream_put_dirty(stream, sub);
    put_version(sub, response, version);
    stream_send(stream, sub, &response_tail);
}

const struct protocol sotw_protocol = {sotw_decode, subscribe, respond};
