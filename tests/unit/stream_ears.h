/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_ears: the receiving half of stream_rig.h: what clients hear, as short texts, and what the
 * streams tell thread 0.
 */
#ifndef HEDDLE_TESTS_STREAM_EARS_H
#define HEDDLE_TESTS_STREAM_EARS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/panic.h"
#include "codec/pb.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "serve/stream.h"

#define RIG_NAMES_MAX 8192
#define RIG_TEXT_MAX 256

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest rig_delta_request;
typedef Envoy__Service__Discovery__V3__DiscoveryRequest rig_sotw_request;

struct rig {
    struct stream_env env;
    VEC(struct resource *) now; /* what is published or about to be */
    VEC(struct change) pending;
    uint64_t seq;
    unsigned opened;
    char interest[4096]; /* "+cds a" or "-cds a", one a line */
    char events[4096];   /* "rejected cds a b" or "accepted cds a", "dropped cds a" */
    bool no_view;        /* the view is given by hand */
    struct view view;
    _Atomic unsigned names, peer_names;
};

struct client {
    struct rig *rig;
    struct stream *stream;
    VEC(char *) heard;
    size_t next; /* heard before this one were looked at */
    char nonce[XDS_TYPE_COUNT][24];
    char version[XDS_TYPE_COUNT][24];
    char names[XDS_TYPE_COUNT][RIG_TEXT_MAX];
    size_t bytes;    /* of the last response */
    size_t messages; /* received */
    size_t queued;   /* pretended bytes in the transport */
    bool wordless;   /* counts only */
    bool said_node;
    int status; /* 0: the stream goes on */
    char end_text[RIG_TEXT_MAX];
};

static inline void rig_append(char *text, size_t max, const char *part)
{
    size_t len = strlen(text);
    (void)snprintf(text + len, max - len, "%s", part);
}

static inline int rig_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Renders "type a b -c" from names that are freed. */
static inline char *rig_render(const char *type, char **names, size_t len)
{
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    qsort(names, len, sizeof(*names), rig_compare);
    buf_add_text(&out, type);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < len; i++) {
            if ((names[i][0] == '-') == (pass == 1)) {
                buf_printf(&out, " %s", names[i]);
            }
        }
    }
    for (size_t i = 0; i < len; i++) {
        free(names[i]);
    }
    size_t ignored;
    return buf_steal(&out, &ignored);
}

/* Messages of the rig are "<name>|<body>". */
static inline char *rig_name_of(const Google__Protobuf__Any *any)
{
    const char *bar = memchr(any->value.data, '|', any->value.len);
    ASSERT(bar != NULL);
    return str_dup(
        str_span((const char *)any->value.data, (size_t)(bar - (const char *)any->value.data)));
}

static inline enum xds_type rig_hear_delta(struct client *c, const uint8_t *bytes, size_t len,
                                           char **names, size_t *ret_len)
{
    Envoy__Service__Discovery__V3__DeltaDiscoveryResponse *m =
        envoy__service__discovery__v3__delta_discovery_response__unpack(NULL, len, bytes);
    enum xds_type type = XDS_CDS;
    ASSERT(m != NULL && xds_type_from_url(str_from(m->type_url), &type));
    ASSERT(m->n_resources + m->n_removed_resources <= RIG_NAMES_MAX);
    for (size_t i = 0; i < m->n_resources; i++) {
        char *name = rig_name_of(m->resources[i]->resource);
        ASSERT(strcmp(name, m->resources[i]->name) == 0 && strlen(m->resources[i]->version) == 16);
        ASSERT(strcmp(m->resources[i]->resource->type_url, m->type_url) == 0);
        names[(*ret_len)++] = name;
    }
    for (size_t i = 0; i < m->n_removed_resources; i++) {
        char name[RIG_TEXT_MAX];
        (void)snprintf(name, sizeof(name), "-%s", m->removed_resources[i]);
        names[(*ret_len)++] = xstrdup(name);
    }
    (void)snprintf(c->nonce[type], sizeof(c->nonce[type]), "%s", m->nonce);
    ASSERT(strcmp(m->control_plane->identifier, "heddle") == 0);
    envoy__service__discovery__v3__delta_discovery_response__free_unpacked(m, NULL);
    return type;
}

static inline enum xds_type rig_hear_sotw(struct client *c, const uint8_t *bytes, size_t len,
                                          char **names, size_t *ret_len)
{
    Envoy__Service__Discovery__V3__DiscoveryResponse *m =
        envoy__service__discovery__v3__discovery_response__unpack(NULL, len, bytes);
    enum xds_type type = XDS_CDS;
    ASSERT(m != NULL && xds_type_from_url(str_from(m->type_url), &type));
    ASSERT(m->n_resources <= RIG_NAMES_MAX);
    for (size_t i = 0; i < m->n_resources; i++) {
        names[(*ret_len)++] = rig_name_of(m->resources[i]);
        ASSERT(strcmp(m->resources[i]->type_url, m->type_url) == 0);
    }
    (void)snprintf(c->nonce[type], sizeof(c->nonce[type]), "%s", m->nonce);
    (void)snprintf(c->version[type], sizeof(c->version[type]), "%s", m->version_info);
    ASSERT(strcmp(m->control_plane->identifier, "heddle") == 0);
    envoy__service__discovery__v3__discovery_response__free_unpacked(m, NULL);
    return type;
}

static inline bool rig_send(struct stream *stream, const struct response *response)
{
    static char *names[RIG_NAMES_MAX];
    struct client *c = stream->user;
    struct buf all;
    size_t len = 0;
    c->messages++;
    c->bytes = response->bytes;
    if (c->wordless) {
        (void)snprintf(c->nonce[0], sizeof(c->nonce[0]), "%llu",
                       (unsigned long long)stream->last_nonce);
        return true;
    }
    buf_init(&all, BUF_UNLIMITED);
    for (size_t i = 0; i < response->pieces.len; i++) {
        buf_add_str(&all, response->pieces.items[i].bytes);
    }
    ASSERT(all.len == response->bytes);
    enum xds_type type = stream->kind == STREAM_DELTA
                             ? rig_hear_delta(c, all.data, all.len, names, &len)
                             : rig_hear_sotw(c, all.data, all.len, names, &len);
    vec_push(&c->heard, rig_render(xds_type_info(type)->name, names, len));
    buf_release(&all);
    return true;
}

static inline size_t rig_queued(const struct stream *stream)
{
    return ((const struct client *)stream->user)->queued;
}

static inline void rig_opened(struct stream *stream, struct node *node)
{
    struct rig *rig = ((struct client *)stream->user)->rig;
    rig->opened++;
    node_free(node);
    if (!rig->no_view) {
        stream_set_view(stream, &rig->view);
    }
}

static inline void rig_interest(struct stream_env *env, enum xds_type type, struct str scope,
                                struct str name, bool wanted)
{
    struct rig *rig = env->user;
    char line[RIG_TEXT_MAX];
    (void)scope;
    (void)snprintf(line, sizeof(line), "%c%s %.*s\n", wanted ? '+' : '-', xds_type_info(type)->name,
                   STR_FMT(name));
    rig_append(rig->interest, sizeof(rig->interest), line);
}

static inline void rig_event(struct stream *stream, const char *what, enum xds_type type,
                             struct resource *const *of, size_t nof)
{
    struct rig *rig = ((struct client *)stream->user)->rig;
    rig_append(rig->events, sizeof(rig->events), what);
    rig_append(rig->events, sizeof(rig->events), xds_type_info(type)->name);
    for (size_t i = 0; i < nof; i++) {
        char name[RIG_TEXT_MAX];
        (void)snprintf(name, sizeof(name), " %.*s", STR_FMT(of[i]->name));
        rig_append(rig->events, sizeof(rig->events), name);
    }
    rig_append(rig->events, sizeof(rig->events), "\n");
}

static inline void rig_rejected(struct stream *stream, enum xds_type type,
                                struct resource *const *of, size_t nof, struct str text)
{
    (void)text;
    rig_event(stream, "rejected ", type, of, nof);
}

static inline void rig_accepted(struct stream *stream, enum xds_type type,
                                struct resource *const *of, size_t nof)
{
    rig_event(stream, "accepted ", type, of, nof);
}

static inline void rig_dropped(struct stream *stream, enum xds_type type, struct str name)
{
    struct rig *rig = ((struct client *)stream->user)->rig;
    char line[RIG_TEXT_MAX];
    (void)snprintf(line, sizeof(line), "dropped %s %.*s\n", xds_type_info(type)->name,
                   STR_FMT(name));
    rig_append(rig->events, sizeof(rig->events), line);
}

static inline void rig_end(struct stream *stream, enum stream_status status, struct str text)
{
    struct client *c = stream->user;
    c->status = (int)status;
    (void)snprintf(c->end_text, sizeof(c->end_text), "%.*s", STR_FMT(text));
}

static const struct stream_ops rig_ops = {rig_send,     rig_queued,   rig_opened,  rig_interest,
                                          rig_rejected, rig_accepted, rig_dropped, rig_end};

#endif
