/* SPDX-License-Identifier: Apache-2.0 */
/* report: a stream's account of itself, for people. Called on the worker. */
#include <stdlib.h>

#include "base/panic.h"
#include "serve/stream.h"

static struct stream_type_report report_type(const struct subscription *sub)
{
    return (struct stream_type_report){
        .subscribed = sub->requested,
        .wildcard = sub->wildcard,
        .names = sub->named.count,
        .known = sub->known.count,
        .pending = sub->dirty.count + sub->removing.count,
        .in_flight = sub->in_flight,
        .sent = sub->nsent,
        .acked = sub->nacked,
        .rejected = sub->nrejected,
        .bytes = sub->bytes,
        .last_sent_ms = sub->last_sent_ms,
        .last_acked_ms = sub->last_acked_ms,
        .last_version = str_from(sub->version_acked),
        .reject_text =
            sub->rejected || sub->refused.count > 0 ? str_from(sub->reject_text) : STR_NULL,
    };
}

/* What the client has, except what has changed since it was sent: the old bytes are not kept. */
static void report_resources(const struct stream *stream, struct stream_report *report)
{
    size_t max = 0;
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        max += stream->subs[t].known.count;
    }
    report->resources = xmalloc(max * sizeof(const struct resource *));
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        const struct subscription *sub = &stream->subs[t];
        bitmap_for_each (id, &sub->known) {
            struct resource *r = replica_last(sub->replica, sub->slot, sub->type, id);
            if (r != NULL && !bitmap_test(&sub->dirty, id)) {
                report->resources[report->nresources++] = resource_ref(r);
            }
        }
    }
}

static int compare_asked(const void *a, const void *b)
{
    const struct stream_asked *aa = a;
    const struct stream_asked *ab = b;
    int order = (aa->type > ab->type) - (aa->type < ab->type);
    return order != 0 ? order : str_cmp(aa->name, ab->name);
}

static void report_asked(const struct stream *stream, struct arena *arena,
                         struct stream_report *report)
{
    size_t max = 0;
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        max += stream->subs[t].on_demand ? stream->subs[t].named.count : 0;
    }
    max = max < STREAM_ASKED_MAX ? max : STREAM_ASKED_MAX;
    struct stream_asked *asked = ARENA_ARRAY(arena, max, struct stream_asked);
    size_t len = 0;
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        const struct subscription *sub = &stream->subs[t];
        bitmap_for_each (id, &sub->named) {
            if (sub->on_demand && len < max) {
                struct str name = replica_name(sub->replica, sub->type, id);
                asked[len++] = (struct stream_asked){sub->type, arena_str(arena, name)};
            }
        }
    }
    qsort(asked, len, sizeof(*asked), compare_asked);
    report->asked = asked;
    report->nasked = len;
}

void stream_report_fill(const struct stream *stream, bool resources, struct arena *arena,
                        struct stream_report *ret_report)
{
    ret_report->node_id = str_from(stream->node_id);
    ret_report->protocol = stream->kind;
    ret_report->seq = stream->env->replica.seq;
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        ret_report->types[t] = report_type(&stream->subs[t]);
    }
    report_asked(stream, arena, ret_report);
    if (resources) {
        report_resources(stream, ret_report);
    }
}
