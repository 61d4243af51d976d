/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_rig: clients of serve/stream.h by hand, for unit tests and fuzz targets.
 *
 *   put(&rig, XDS_CDS, "a", "1"); publish(&rig);          what thread 0 does
 *   delta(c, XDS_CDS, "a *", "", "b=version");            what the client says
 *   said(c, "cds a -b");                                  what it must hear next, as text:
 *                                                         type, resources, -removed, in order
 *   ack(c, XDS_CDS); nack(c, XDS_CDS, "why"); quiet(c);
 */
#ifndef HEDDLE_TESTS_STREAM_RIG_H
#define HEDDLE_TESTS_STREAM_RIG_H

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
    char events[4096];   /* "rejected cds a b" or "accepted cds a", one a line */
    bool no_view;        /* the view is given by hand */
    struct view view;
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

static inline void rig_end(struct stream *stream, enum stream_status status, struct str text)
{
    struct client *c = stream->user;
    c->status = (int)status;
    (void)snprintf(c->end_text, sizeof(c->end_text), "%.*s", STR_FMT(text));
}

static const struct stream_ops rig_ops = {rig_send,     rig_queued,   rig_opened, rig_interest,
                                          rig_rejected, rig_accepted, rig_end};

static inline struct serve_limits rig_limits(void)
{
    return (struct serve_limits){.request_bytes = 4u << 20,
                                 .names_per_type = 20000,
                                 .name_bytes = 2048,
                                 .requests_per_second = 100000,
                                 .interest_names = 50000,
                                 .response_bytes = 3u << 20,
                                 .whole_state_bytes = 64u << 20,
                                 .queued_bytes = 1u << 20};
}

/* One scope, "s"; nothing is on demand. */
static inline void rig_init(struct rig *rig)
{
    struct serve_limits limits = rig_limits();
    log_set_level(LOG_ERROR); /* clients misbehave on purpose here */
    *rig = (struct rig){.view = {.nscopes = 1, .scopes = {STR("s")}}};
    memset(rig->view.on_demand, -1, sizeof(rig->view.on_demand));
    stream_env_init(&rig->env, &limits, &rig_ops, rig);
}

static inline void rig_release(struct rig *rig)
{
    for (size_t i = 0; i < rig->env.by_slot.len; i++) {
        stream_free(rig->env.by_slot.items[i]); /* of a test that failed */
    }
    for (size_t i = 0; i < rig->now.len; i++) {
        resource_unref(rig->now.items[i]);
    }
    vec_release(&rig->now);
    vec_release(&rig->pending);
    stream_env_release(&rig->env);
}

static inline size_t rig_find(const struct rig *rig, enum xds_type type, const char *scope,
                              const char *name)
{
    for (size_t i = 0; i < rig->now.len; i++) {
        const struct resource *r = rig->now.items[i];
        if (r->type == type && str_eq(r->scope, str_from(scope)) &&
            str_eq(r->name, str_from(name))) {
            return i;
        }
    }
    return rig->now.len;
}

static inline void put_in(struct rig *rig, enum xds_type type, const char *scope, const char *name,
                          const char *body, const char *follow)
{
    char message[RIG_TEXT_MAX];
    (void)snprintf(message, sizeof(message), "%s|%s", name, body);
    struct resource *r =
        resource_new(type, str_from(scope), str_from(name), str_from(follow), str_from(message));
    size_t at = rig_find(rig, type, scope, name);
    struct resource *old = NULL;
    if (at < rig->now.len) {
        old = rig->now.items[at];
        rig->now.items[at] = resource_ref(r);
    } else {
        vec_push(&rig->now, resource_ref(r));
    }
    vec_push(&rig->pending, ((struct change){.put = r, .removed = old}));
}

static inline void put(struct rig *rig, enum xds_type type, const char *name, const char *body)
{
    put_in(rig, type, "s", name, body, "");
}

static inline void del_in(struct rig *rig, enum xds_type type, const char *scope, const char *name)
{
    size_t at = rig_find(rig, type, scope, name);
    ASSERT(at < rig->now.len);
    vec_push(&rig->pending, ((struct change){.put = NULL, .removed = rig->now.items[at]}));
    vec_swap_remove(&rig->now, at);
}

static inline void del(struct rig *rig, enum xds_type type, const char *name)
{
    del_in(rig, type, "s", name);
}

/* The version a resource has now, as text that lives with it. */
static inline const char *version_of(const struct rig *rig, enum xds_type type, const char *name)
{
    size_t at = rig_find(rig, type, "s", name);
    ASSERT(at < rig->now.len);
    return rig->now.items[at]->version;
}

static inline void publish(struct rig *rig)
{
    size_t len = rig->pending.len;
    struct change *items = xmalloc(len * sizeof(*items));
    if (len > 0) {
        memcpy(items, rig->pending.items, len * sizeof(*items));
    }
    vec_clear(&rig->pending);
    struct changeset *cs = changeset_new(++rig->seq, items, len);
    stream_env_apply(&rig->env, cs);
    changeset_unref(cs);
    streams_pump(&rig->env);
}

static inline struct client *client_new(struct rig *rig, enum stream_protocol protocol)
{
    struct client *c = xcalloc(1, sizeof(*c));
    c->rig = rig;
    c->stream = stream_new(&rig->env, protocol, c);
    return c;
}

static inline void client_free(struct client *c)
{
    stream_free(c->stream);
    for (size_t i = 0; i < c->heard.len; i++) {
        free(c->heard.items[i]);
    }
    vec_release(&c->heard);
    free(c);
}

/* Splits at spaces, in place. */
static inline size_t rig_words(char *text, char **words, size_t max)
{
    size_t len = 0;
    char *save = NULL;
    for (char *w = strtok_r(text, " ", &save); w != NULL && len < max;
         w = strtok_r(NULL, " ", &save)) {
        words[len++] = w;
    }
    return len;
}

static inline void rig_receive(struct client *c, const ProtobufCMessage *m)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    uint8_t *bytes = xmalloc(len);
    (void)protobuf_c_message_pack(m, bytes);
    stream_receive(c->stream, str_span((const char *)bytes, len));
    free(bytes);
    c->said_node = true;
}

/* A request without pumping; NULL nonce: none. initial: "name=version ...". */
static inline void delta_only(struct client *c, enum xds_type type, const char *add,
                              const char *remove, const char *initial, const char *nonce,
                              const char *error)
{
    enum { MAX = 64 };
    char texts[3][4096];
    char *words[3][MAX];
    Envoy__Service__Discovery__V3__DeltaDiscoveryRequest__InitialResourceVersionsEntry e[MAX];
    void *es[MAX];
    Envoy__Config__Core__V3__Node node = ENVOY__CONFIG__CORE__V3__NODE__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    rig_delta_request m = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    (void)snprintf(texts[0], sizeof(texts[0]), "%s", add);
    (void)snprintf(texts[1], sizeof(texts[1]), "%s", remove);
    (void)snprintf(texts[2], sizeof(texts[2]), "%s", initial);
    m.type_url = str_dup(xds_type_info(type)->url);
    m.n_resource_names_subscribe = rig_words(texts[0], words[0], MAX);
    m.resource_names_subscribe = words[0];
    m.n_resource_names_unsubscribe = rig_words(texts[1], words[1], MAX);
    m.resource_names_unsubscribe = words[1];
    m.n_initial_resource_versions = rig_words(texts[2], words[2], MAX);
    m.initial_resource_versions = (void *)es;
    for (size_t i = 0; i < m.n_initial_resource_versions; i++) {
        envoy__service__discovery__v3__delta_discovery_request__initial_resource_versions_entry__init(
            &e[i]);
        char *equals = strchr(words[2][i], '=');
        *equals = '\0';
        e[i].key = words[2][i];
        e[i].value = equals + 1;
        es[i] = &e[i];
    }
    m.response_nonce = (char *)(uintptr_t)(nonce != NULL ? nonce : "");
    if (error != NULL) {
        status.message = (char *)(uintptr_t)error;
        m.error_detail = &status;
    }
    node.id = (char *)(uintptr_t) "sidecar/default/test";
    m.node = c->said_node ? NULL : &node;
    rig_receive(c, &m.base);
    free(m.type_url);
}

static inline void delta(struct client *c, enum xds_type type, const char *add, const char *remove,
                         const char *initial)
{
    delta_only(c, type, add, remove, initial, NULL, NULL);
    streams_pump(&c->rig->env);
}

static inline void sotw_only(struct client *c, enum xds_type type, const char *names,
                             const char *version, const char *nonce, const char *error)
{
    char text[RIG_TEXT_MAX];
    char *words[64];
    Envoy__Config__Core__V3__Node node = ENVOY__CONFIG__CORE__V3__NODE__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    rig_sotw_request m = ENVOY__SERVICE__DISCOVERY__V3__DISCOVERY_REQUEST__INIT;
    (void)snprintf(text, sizeof(text), "%s", names);
    if (c->names[type] != names) {
        (void)snprintf(c->names[type], sizeof(c->names[type]), "%s", names);
    }
    m.type_url = str_dup(xds_type_info(type)->url);
    m.n_resource_names = rig_words(text, words, 64);
    m.resource_names = words;
    m.version_info = (char *)(uintptr_t)(version != NULL ? version : "");
    m.response_nonce = (char *)(uintptr_t)(nonce != NULL ? nonce : "");
    if (error != NULL) {
        status.message = (char *)(uintptr_t)error;
        m.error_detail = &status;
    }
    node.id = (char *)(uintptr_t) "proxyless/default/test";
    m.node = c->said_node ? NULL : &node;
    rig_receive(c, &m.base);
    free(m.type_url);
}

/* As clients do it: with the version and nonce of the last response of the type. */
static inline void sotw(struct client *c, enum xds_type type, const char *names)
{
    sotw_only(c, type, names, c->version[type], c->nonce[type], NULL);
    streams_pump(&c->rig->env);
}

static inline void answer(struct client *c, enum xds_type type, const char *error)
{
    if (c->stream->kind == STREAM_DELTA) {
        delta_only(c, type, "", "", "", c->nonce[type], error);
    } else {
        sotw_only(c, type, c->names[type], c->version[type], c->nonce[type], error);
    }
    streams_pump(&c->rig->env);
}

static inline void ack(struct client *c, enum xds_type type)
{
    answer(c, type, NULL);
}

static inline void nack(struct client *c, enum xds_type type, const char *error)
{
    answer(c, type, error);
}

/* For tests with cmocka. */
#define said(c, text)                                                                              \
    do {                                                                                           \
        assert_true((c)->next < (c)->heard.len);                                                   \
        assert_string_equal((c)->heard.items[(c)->next++], (text));                                \
    } while (0)
#define quiet(c)                                                                                   \
    assert_string_equal((c)->next < (c)->heard.len ? (c)->heard.items[(c)->next] : "", "")

#endif
