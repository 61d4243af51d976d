/* SPDX-License-Identifier: Apache-2.0 */
/* client: life, memory and behaviour of a scenario's client. What it says is in say.c. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "say.h"
#include "xds/refs.h"

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryResponse delta_response;
typedef Envoy__Service__Discovery__V3__DiscoveryResponse sotw_response;

/* --- names --------------------------------------------------------------------------------- */
static void names_add(struct names *names, struct str name)
{
    size_t at = 0;
    while (at < names->list.len && str_cmp(str_from(names->list.items[at]), name) < 0) {
        at++;
    }
    if (at < names->list.len && str_eq(str_from(names->list.items[at]), name)) {
        return;
    }
    vec_push(&names->list, NULL);
    memmove(&names->list.items[at + 1], &names->list.items[at],
            (names->list.len - 1 - at) * sizeof(char *));
    names->list.items[at] = str_dup(name);
}

static void names_remove(struct names *names, struct str name)
{
    for (size_t i = 0; i < names->list.len; i++) {
        if (str_eq(str_from(names->list.items[i]), name)) {
            free(names->list.items[i]);
            memmove(&names->list.items[i], &names->list.items[i + 1],
                    (names->list.len - 1 - i) * sizeof(char *));
            names->list.len--;
            return;
        }
    }
}

static bool names_has(const struct names *names, struct str name)
{
    for (size_t i = 0; i < names->list.len; i++) {
        if (str_eq(str_from(names->list.items[i]), name)) {
            return true;
        }
    }
    return false;
}

static void names_release(struct names *names)
{
    for (size_t i = 0; i < names->list.len; i++) {
        free(names->list.items[i]);
    }
    vec_release(&names->list);
}

static bool names_equal(const struct names *a, const struct names *b)
{
    bool equal = a->list.len == b->list.len;
    for (size_t i = 0; equal && i < a->list.len; i++) {
        equal = strcmp(a->list.items[i], b->list.items[i]) == 0;
    }
    return equal;
}

/* --- what it has --------------------------------------------------------------------------- */
static size_t find_known(const struct client_type *type, struct str name)
{
    size_t i = 0;
    while (i < type->known.len && !str_eq(type->known.items[i]->name, name)) {
        i++;
    }
    return i;
}

static void forget(struct client_type *type, size_t at)
{
    resource_unref(type->known.items[at]);
    vec_swap_remove(&type->known, at);
}

static void forget_all(struct client_type *type)
{
    while (type->known.len > 0) {
        forget(type, type->known.len - 1);
    }
}

struct gather {
    struct names *names;
    enum xds_type type;
};

static void gather_ref(void *user, enum xds_type type, struct str name)
{
    struct gather *gather = user;
    if (type == gather->type) {
        names_add(gather->names, name);
    }
}

/* All names of a type that what it has refers to. */
static void refer(const struct client *client, enum xds_type type, struct names *names)
{
    struct gather gather = {names, type};
    for (unsigned from = 0; from < XDS_TYPE_COUNT; from++) {
        for (size_t i = 0; i < client->types[from].known.len; i++) {
            xds_each_ref(client->types[from].known.items[i], gather_ref, &gather);
        }
    }
}

static bool is_envoy(const struct client *client)
{
    return client->kind == ENVOY_DELTA || client->kind == ENVOY_SOTW;
}

static bool is_wildcard(const struct client *client, enum xds_type type)
{
    return is_envoy(client) && (type == XDS_CDS || type == XDS_LDS);
}

/* What it asks for now. Envoy asks for all clusters and listeners by naming none. */
static void wants(const struct client *client, enum xds_type type, struct names *ret_names)
{
    *ret_names = (struct names){.list = {.len = 0}};
    if (type == XDS_LDS && !is_envoy(client)) {
        for (size_t i = 0; i < client->dialled.list.len; i++) {
            names_add(ret_names, str_from(client->dialled.list.items[i]));
        }
    } else if (!is_wildcard(client, type)) {
        refer(client, type, ret_names);
    }
}

/* Says what it wants of a type, where that is news. */
static bool ask(struct client *client, enum xds_type type)
{
    struct client_type *of = &client->types[type];
    struct names names;
    wants(client, type, &names);
    bool wildcard = is_wildcard(client, type);
    if (of->said ? names_equal(&names, &of->asked) : names.list.len == 0 && !wildcard) {
        names_release(&names);
        return false;
    }
    struct names before = of->asked;
    of->asked = names;
    for (size_t i = of->known.len; i > 0 && !wildcard; i--) {
        if (!names_has(&of->asked, of->known.items[i - 1]->name)) {
            forget(of, i - 1);
        }
    }
    say_names(client, type, &before);
    names_release(&before);
    return true;
}

static bool ask_all(struct client *client)
{
    bool busy = false;
    for (unsigned type = 0; type < XDS_TYPE_COUNT; type++) {
        busy = ask(client, (enum xds_type)type) || busy;
    }
    return busy;
}

/* --- hearing ------------------------------------------------------------------------------- */
static bool is_eds(const Google__Protobuf__Any *any)
{
    Envoy__Config__Cluster__V3__Cluster *cluster =
        envoy__config__cluster__v3__cluster__unpack(NULL, any->value.len, any->value.data);
    ASSERT(cluster != NULL);
    bool eds = cluster->cluster_discovery_type_case ==
                   ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE &&
               cluster->type == ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS;
    envoy__config__cluster__v3__cluster__free_unpacked(cluster, NULL);
    return eds;
}

/* The name is field 1 of every resource type, so that it comes first: 0x0a, length, bytes. */
static struct str name_in(const Google__Protobuf__Any *any)
{
    size_t len = 0;
    size_t at = 1;
    unsigned shift = 0;
    ASSERT(any->value.len > 2 && any->value.data[0] == 0x0a);
    do {
        len |= (size_t)(any->value.data[at] & 0x7f) << shift;
        shift += 7;
    } while (any->value.data[at++] >= 0x80);
    return str_span((const char *)any->value.data + at, len);
}

/* What is going to be rejected changes nothing. gRPC uses what the rejection does not name (gRFC
 * A46). */
static bool keeps(const struct client *client, enum xds_type type, struct str name)
{
    const char *reject = client->types[type].reject;
    return reject == NULL || (!is_envoy(client) && !reject_text_names(str_from(reject), name));
}

/* Remembers one resource; adds "+name" or "=name" to the line. */
static void take(struct client *client, enum xds_type type, const Google__Protobuf__Any *any,
                 struct names *line)
{
    struct client_type *of = &client->types[type];
    struct str name = name_in(any);
    struct str bytes = str_span((const char *)any->value.data, any->value.len);
    struct resource *fresh = resource_new(type, STR("client"), name,
                                          type == XDS_CDS && is_eds(any) ? name : STR_NULL, bytes);
    size_t at = find_known(of, name);
    bool same = at < of->known.len && hash_eq(of->known.items[at]->hash, fresh->hash);
    struct buf word;
    buf_init(&word, BUF_UNLIMITED);
    buf_printf(&word, "%c%.*s", same ? '=' : '+', STR_FMT(name));
    names_add(line, buf_str(&word));
    buf_release(&word);
    if (at < of->known.len && keeps(client, type, name)) {
        forget(of, at);
    }
    if (keeps(client, type, name)) {
        vec_push(&of->known, fresh);
    } else {
        resource_unref(fresh);
    }
}

static void lose(struct client *client, enum xds_type type, struct str name, struct names *line)
{
    struct client_type *of = &client->types[type];
    struct buf word;
    size_t at = find_known(of, name);
    if (at < of->known.len && keeps(client, type, name)) {
        forget(of, at);
    }
    buf_init(&word, BUF_UNLIMITED);
    buf_printf(&word, "-%.*s", STR_FMT(name));
    names_add(line, buf_str(&word));
    buf_release(&word);
}

static void remember(char **slot, const char *text)
{
    char *copy = xstrdup(text);
    free(*slot);
    *slot = copy;
}

static enum xds_type hear_delta(struct client *client, const struct buf *message,
                                struct names *line)
{
    delta_response *m = envoy__service__discovery__v3__delta_discovery_response__unpack(
        NULL, message->len, message->data);
    enum xds_type type = XDS_CDS;
    ASSERT(m != NULL && xds_type_from_url(str_from(m->type_url), &type));
    for (size_t i = 0; i < m->n_resources; i++) {
        ASSERT(str_eq(name_in(m->resources[i]->resource), str_from(m->resources[i]->name)));
        take(client, type, m->resources[i]->resource, line);
    }
    for (size_t i = 0; i < m->n_removed_resources; i++) {
        lose(client, type, str_from(m->removed_resources[i]), line);
    }
    remember(&client->types[type].nonce, m->nonce);
    envoy__service__discovery__v3__delta_discovery_response__free_unpacked(m, NULL);
    return type;
}

/* What a whole-state answer leaves out is gone. */
static void lose_unnamed(struct client *client, enum xds_type type, const sotw_response *m,
                         struct names *line)
{
    const struct client_type *of = &client->types[type];
    for (size_t i = of->known.len; i > 0; i--) {
        struct str name = of->known.items[i - 1]->name;
        bool named = false;
        for (size_t j = 0; j < m->n_resources; j++) {
            named = named || str_eq(name_in(m->resources[j]), name);
        }
        if (!named) {
            char *copy = str_dup(name);
            lose(client, type, str_from(copy), line);
            free(copy);
        }
    }
}

static enum xds_type hear_sotw(struct client *client, const struct buf *message, struct names *line)
{
    sotw_response *m = envoy__service__discovery__v3__discovery_response__unpack(NULL, message->len,
                                                                                 message->data);
    enum xds_type type = XDS_CDS;
    ASSERT(m != NULL && xds_type_from_url(str_from(m->type_url), &type));
    for (size_t i = 0; i < m->n_resources; i++) {
        take(client, type, m->resources[i], line);
    }
    if (xds_type_info(type)->whole_state) {
        lose_unnamed(client, type, m, line);
    }
    remember(&client->types[type].nonce, m->nonce);
    remember(&client->types[type].version, m->version_info);
    envoy__service__discovery__v3__discovery_response__free_unpacked(m, NULL);
    return type;
}

static void note(struct client *client, enum xds_type type, const struct names *line)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    buf_add_text(&text, xds_type_info(type)->name);
    for (size_t i = 0; i < line->list.len; i++) {
        buf_printf(&text, " %s", line->list.items[i]);
    }
    vec_push(&client->heard, buf_steal(&text, NULL));
}

static void answer(struct client *client, enum xds_type type)
{
    struct client_type *of = &client->types[type];
    char *reject = of->reject;
    of->owes = false;
    of->reject = NULL;
    say_answer(client, type, reject);
    free(reject);
}

static void hear(struct client *client, const struct buf *message)
{
    struct names line = {.list = {.len = 0}};
    enum xds_type type = client->kind == ENVOY_DELTA ? hear_delta(client, message, &line)
                                                     : hear_sotw(client, message, &line);
    note(client, type, &line);
    names_release(&line);
    client->types[type].owes = true;
    if (is_envoy(client)) { /* it acknowledges clusters when it has asked for their endpoints */
        ask_all(client);
    }
    if (!client->types[type].hold) {
        answer(client, type);
    }
}

bool client_step(struct client *client)
{
    if (client->stream == NULL) {
        return false;
    }
    if (client->inbox_next < client->inbox.len) {
        struct buf *message = &client->inbox.items[client->inbox_next++];
        hear(client, message);
        buf_release(message);
        return true;
    }
    return ask_all(client);
}

void client_hear(struct client *client, const struct response *response)
{
    struct buf message;
    buf_init(&message, BUF_UNLIMITED);
    for (size_t i = 0; i < response->pieces.len; i++) {
        buf_add_str(&message, response->pieces.items[i].bytes);
    }
    vec_push(&client->inbox, message);
}

void client_refused(struct client *client, const char *text)
{
    remember(&client->refused, text);
}

/* --- life ---------------------------------------------------------------------------------- */
bool client_kind_from(struct str text, enum client_kind *ret_kind)
{
    static const char *const kinds[] = {"envoy-delta", "envoy-sotw", "grpc-go", "grpc-core"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (str_eq(text, str_from(kinds[i]))) {
            *ret_kind = (enum client_kind)i;
            return true;
        }
    }
    return false;
}

struct client *client_new(struct world *world, struct str name, struct str node_id,
                          enum client_kind kind, struct str metadata)
{
    struct client *client = xcalloc(1, sizeof(*client));
    client->world = world;
    client->name = str_dup(name);
    client->node_id = str_dup(node_id);
    client->metadata = str_dup(metadata);
    client->kind = kind;
    vec_push(&world->clients, client);
    client_connect(client, false);
    return client;
}

void client_connect(struct client *client, bool memory)
{
    ASSERT(client->stream == NULL);
    for (unsigned type = 0; type < XDS_TYPE_COUNT && !memory; type++) {
        forget_all(&client->types[type]);
    }
    client->id = ++client->world->last_id;
    client->said_node = false;
    client->stream =
        stream_new(&client->world->env, client->kind == ENVOY_DELTA ? STREAM_DELTA : STREAM_SOTW,
                   &client->demanded, client);
}

void client_close(struct client *client)
{
    if (client->stream == NULL) {
        return;
    }
    stream_free(client->stream);
    client->stream = NULL;
    client->opened = NULL;
    mesh_close(client->world->mesh, client->id);
    for (; client->inbox_next < client->inbox.len; client->inbox_next++) {
        buf_release(&client->inbox.items[client->inbox_next]);
    }
    for (unsigned type = 0; type < XDS_TYPE_COUNT; type++) {
        struct client_type *of = &client->types[type];
        names_release(&of->asked);
        of->said = of->hold = of->owes = false;
        free(of->reject);
        free(of->nonce);
        free(of->version);
        of->reject = of->nonce = of->version = NULL;
    }
}

void client_free(struct client *client)
{
    client_close(client);
    for (unsigned type = 0; type < XDS_TYPE_COUNT; type++) {
        forget_all(&client->types[type]);
        vec_release(&client->types[type].known);
    }
    for (size_t i = 0; i < client->heard.len; i++) {
        free(client->heard.items[i]);
    }
    vec_release(&client->heard);
    vec_release(&client->inbox);
    names_release(&client->dialled);
    free(client->name);
    free(client->node_id);
    free(client->metadata);
    free(client->refused);
    free(client);
}

/* --- what scripts make it do --------------------------------------------------------------- */
void client_dial(struct client *client, struct str name, bool wanted)
{
    if (wanted) {
        names_add(&client->dialled, name);
    } else {
        names_remove(&client->dialled, name);
    }
}

void client_hold(struct client *client, enum xds_type type)
{
    client->types[type].hold = true;
}

void client_ack(struct client *client, enum xds_type type)
{
    client->types[type].hold = false;
    if (client->types[type].owes) {
        answer(client, type);
    }
}

void client_reject_next(struct client *client, enum xds_type type, struct str text)
{
    free(client->types[type].reject);
    client->types[type].reject = str_dup(text);
}
