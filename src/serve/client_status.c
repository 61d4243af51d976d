/* SPDX-License-Identifier: Apache-2.0 */
/* client_status: see client_status.h. */
#include "serve/client_status.h"

#include "codec/pb.h"
#include "envoy/service/status/v3/csds.pb-c.h"

typedef Envoy__Service__Status__V3__ClientStatusRequest status_request;
typedef Envoy__Type__Matcher__V3__NodeMatcher node_matcher;

enum { RESPONSE_CONFIG = 1 };
enum { CLIENT_NODE = 1, CLIENT_RESOURCE = 3 };
enum { RESOURCE_TYPE_URL = 1, RESOURCE_NAME = 2, RESOURCE_VERSION = 3 };
enum { RESOURCE_CONFIG_STATUS = 6, RESOURCE_CLIENT_STATUS = 7, RESOURCE_ERROR = 8 };
enum { ERROR_DETAILS = 3, ERROR_VERSION = 4 };

/* --- who is asked for ------------------------------------------------------------------------ */

static bool is_exact(const node_matcher *matcher)
{
    return matcher->node_id != NULL && matcher->n_node_metadatas == 0 &&
           matcher->node_id->match_pattern_case ==
               ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_EXACT &&
           !matcher->node_id->ignore_case;
}

static bool copy_ids(const status_request *m, struct arena *arena, struct client_filter *ret_filter,
                     struct err *err)
{
    if (m->n_node_matchers > CLIENT_STATUS_MATCHERS_MAX) {
        return err_set(err, "more than %d node_matchers", CLIENT_STATUS_MATCHERS_MAX);
    }
    struct client_filter filter = {ARENA_ARRAY(arena, m->n_node_matchers, struct str), 0};
    for (size_t i = 0; i < m->n_node_matchers; i++) {
        if (!is_exact(m->node_matchers[i])) {
            return err_set(err, "node_matchers[%zu] is not served; use node_id.exact alone", i);
        }
        filter.ids[filter.len++] = arena_str(arena, str_from(m->node_matchers[i]->node_id->exact));
    }
    *ret_filter = filter;
    return true;
}

bool client_filter_decode(struct str bytes, struct arena *arena, struct client_filter *ret_filter,
                          struct err *err)
{
    struct request *request = request_new(bytes);
    const status_request *m = (const status_request *)(const void *)request_unpack(
        request, &envoy__service__status__v3__client_status_request__descriptor, bytes, NULL, 0,
        err);
    bool ok = m != NULL && copy_ids(m, arena, ret_filter, err);
    request_free(request);
    return ok;
}

bool client_filter_takes(const struct client_filter *filter, struct str node_id)
{
    for (size_t i = 0; i < filter->len; i++) {
        if (str_eq(filter->ids[i], node_id)) {
            return true;
        }
    }
    return filter->len == 0;
}

/* --- what is told ---------------------------------------------------------------------------- */

struct state {
    Envoy__Service__Status__V3__ConfigStatus config;
    Envoy__Admin__V3__ClientResourceStatus client;
};

#define STATE(config_, client_)                                                                    \
    ((struct state){ENVOY__SERVICE__STATUS__V3__CONFIG_STATUS__##config_,                          \
                    ENVOY__ADMIN__V3__CLIENT_RESOURCE_STATUS__##client_})

static bool is_refused(const struct subscription *sub, uint32_t id)
{
    return bitmap_test(&sub->refused, id) && !bitmap_test(&sub->dirty, id) &&
           !bitmap_test(&sub->sent, id);
}

static struct state state_of(const struct subscription *sub, uint32_t id, bool exists)
{
    bool known = bitmap_test(&sub->known, id);
    bool waits = sub->on_demand && !bitmap_test(&sub->denied, id); /* it is being made */
    if (!exists) {
        return known   ? STATE(NOT_SENT, ACKED) /* what is not sent is that it is gone */
               : waits ? STATE(NOT_SENT, REQUESTED)
                       : STATE(UNKNOWN, DOES_NOT_EXIST);
    }
    if (bitmap_test(&sub->dirty, id) || !known) {
        return known ? STATE(NOT_SENT, ACKED) : STATE(NOT_SENT, REQUESTED);
    }
    if (bitmap_test(&sub->sent, id)) {
        return STATE(STALE, REQUESTED);
    }
    return is_refused(sub, id) ? STATE(ERROR, NACKED) : STATE(SYNCED, ACKED);
}

static void put_resource(const struct subscription *sub, uint32_t id, struct buf *entry)
{
    const struct resource *r = replica_wanted(sub->replica, sub->slot, sub->type, id);
    struct str version = r != NULL ? str_from(r->version) : STR_NULL;
    struct state state = state_of(sub, id, r != NULL);
    buf_clear(entry);
    pb_put_bytes(entry, RESOURCE_TYPE_URL, xds_type_info(sub->type)->url);
    pb_put_text(entry, RESOURCE_NAME, replica_name(sub->replica, sub->type, id));
    pb_put_bytes(entry, RESOURCE_VERSION, version);
    pb_put_uint(entry, RESOURCE_CONFIG_STATUS, (uint64_t)state.config);
    pb_put_uint(entry, RESOURCE_CLIENT_STATUS, (uint64_t)state.client);
    if (is_refused(sub, id)) {
        struct buf error;
        buf_init(&error, BUF_UNLIMITED);
        pb_put_text(&error, ERROR_DETAILS, str_from(sub->reject_text));
        pb_put_bytes(&error, ERROR_VERSION, version);
        pb_put_bytes(entry, RESOURCE_ERROR, buf_str(&error));
        buf_release(&error);
    }
}

static void put_resources(const struct subscription *sub, struct buf *entry, struct buf *config)
{
    uint32_t end = replica_ids(sub->replica, sub->type);
    for (uint32_t id = 0; id < end && buf_ok(config); id++) {
        if (bitmap_test(&sub->named, id) || bitmap_test(&sub->known, id) ||
            bitmap_test(&sub->dirty, id)) {
            put_resource(sub, id, entry);
            pb_put_bytes(config, CLIENT_RESOURCE, buf_str(entry));
        }
    }
}

void client_status_encode(const struct stream *stream, struct buf *out)
{
    struct buf config;
    struct buf entry;
    buf_init(&config, out->max);
    buf_init(&entry, BUF_UNLIMITED);
    pb_put_bytes(&config, CLIENT_NODE, buf_str(&stream->node));
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        put_resources(&stream->subs[t], &entry, &config);
    }
    if (buf_ok(&config)) {
        pb_put_bytes(out, RESPONSE_CONFIG, buf_str(&config));
    } else {
        out->toobig = true;
    }
    buf_release(&config);
    buf_release(&entry);
}
