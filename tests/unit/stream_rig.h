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

#include "stream_world.h"

static inline struct client *client_new(struct rig *rig, enum stream_protocol protocol)
{
    struct client *c = xcalloc(1, sizeof(*c));
    c->rig = rig;
    c->stream = stream_new(&rig->env, protocol, &rig->peer_names, c);
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

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest__InitialResourceVersionsEntry
    rig_initial;

/* From "name=version", which is cut in two. */
static inline void rig_entry(rig_initial *entry, char *text)
{
    envoy__service__discovery__v3__delta_discovery_request__initial_resource_versions_entry__init(
        entry);
    char *equals = strchr(text, '=');
    ASSERT(equals != NULL);
    *equals = '\0';
    entry->key = text;
    entry->value = equals + 1;
}

/* A request without pumping; NULL nonce: none. initial: "name=version ...". */
static inline void delta_only(struct client *c, enum xds_type type, const char *add,
                              const char *remove, const char *initial, const char *nonce,
                              const char *error)
{
    enum { MAX = 64 };
    char texts[3][4096];
    char *words[3][MAX];
    rig_initial e[MAX];
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
        rig_entry(&e[i], words[2][i]);
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
