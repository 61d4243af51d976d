/* SPDX-License-Identifier: Apache-2.0 */
/* delta: the incremental protocol: DeltaDiscoveryRequest in, DeltaDiscoveryResponse out. */
#include <stdio.h>

#include "codec/pb.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "serve/stream.h"

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest delta_request;

enum { REQUEST_NODE = 1 };
enum { RESPONSE_SYSTEM_VERSION = 1, RESPONSE_TYPE_URL = 4, RESPONSE_NONCE = 5 };
enum { RESPONSE_CONTROL_PLANE = 7 };

bool delta_decode(struct str bytes, const struct request_known *known, struct request **ret_request,
                  struct err *err)
{
    struct request *r = request_new(bytes);
    struct outline outline;
    outline_read(bytes, &outline);
    const delta_request *m = (const delta_request *)(const void *)request_unpack(
        r, &envoy__service__discovery__v3__delta_discovery_request__descriptor, bytes, &outline,
        known->node ? 1u << REQUEST_NODE : 0, err);
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
    r->names = request_strs(r, m->resource_names_subscribe, m->n_resource_names_subscribe);
    r->nnames = m->n_resource_names_subscribe;
    r->unsubscribe =
        request_strs(r, m->resource_names_unsubscribe, m->n_resource_names_unsubscribe);
    r->nunsubscribe = m->n_resource_names_unsubscribe;
    r->initial = ARENA_ARRAY(&r->arena, m->n_initial_resource_versions, struct request_version);
    r->ninitial = m->n_initial_resource_versions;
    for (size_t i = 0; i < r->ninitial; i++) {
        r->initial[i] = (struct request_version){str_from(m->initial_resource_versions[i]->key),
                                                 str_from(m->initial_resource_versions[i]->value)};
    }
    *ret_request = r;
    return true;
}

static void subscribe(struct stream *stream, struct subscription *sub,
                      const struct request *request)
{
    bool first = !sub->requested;
    bool wildcard = sub->wildcard;
    for (size_t i = 0; i < request->nunsubscribe; i++) {
        if (str_eq(request->unsubscribe[i], STR("*"))) {
            subscription_set_wildcard(sub, false);
        } else {
            stream_remove_name(stream, sub, request->unsubscribe[i]);
        }
    }
    if (first && request->nnames == 0 && xds_type_info(sub->type)->whole_state) {
        subscription_set_wildcard(sub, true); /* the old way to say "*" */
    }
    for (size_t i = 0; i < request->nnames; i++) {
        uint32_t id;
        if (str_eq(request->names[i], STR("*"))) {
            subscription_set_wildcard(sub, true);
        } else if (!stream_add_name(stream, sub, request->names[i], &id)) {
            return;
        }
    }
    for (size_t i = 0; first && i < request->ninitial; i++) {
        subscription_initial(sub, request->initial[i].name, request->initial[i].version);
    }
    if (sub->wildcard && !wildcard && sub->known.count == 0 && sub->dirty.count == 0) {
        sub->forced = true; /* an empty set is an answer, too: the client waits for it */
    }
}

/* Before all else: what comes may take the place of what goes, and a response may be full. */
static void put_removals(struct stream *stream, struct subscription *sub, bool removals)
{
    struct response *response = &stream->env->response;
    bitmap_for_each (id, &sub->moving) {
        if (subscription_goes_first(sub, id)) {
            pb_put_bytes(&response->own, DELTA_REMOVED_RESOURCES,
                         replica_name(sub->replica, sub->type, id));
        }
    }
    bitmap_for_each (id, &sub->removing) {
        if (!removals || response_len(response) > stream->response_bytes) {
            break;
        }
        pb_put_bytes(&response->own, DELTA_REMOVED_RESOURCES,
                     replica_name(sub->replica, sub->type, id));
        subscription_removal_sent(sub, id);
    }
}

static void respond(struct stream *stream, struct subscription *sub, bool removals)
{
    static const struct stream_tail tail = {RESPONSE_TYPE_URL, RESPONSE_NONCE,
                                            RESPONSE_CONTROL_PLANE};
    struct response *response = &stream->env->response;
    response_begin(response);
    subscription_settle_places(sub);
    (void)snprintf(sub->version_sent, sizeof(sub->version_sent), "%llu",
                   (unsigned long long)(sub->replica->seq % 10000000000000000u));
    put_removals(stream, sub, removals);
    stream_put_dirty(stream, sub);
    bitmap_for_each (id, &sub->moving) {
        if (subscription_goes_first(sub, id)) {
            subscription_move_sent(sub, id);
        }
    }
    pb_put_bytes(&response->own, RESPONSE_SYSTEM_VERSION, str_from(sub->version_sent));
    stream_send(stream, sub, &tail);
}

const struct protocol delta_protocol = {delta_decode, subscribe, respond};
