/* SPDX-License-Identifier: Apache-2.0 */
/* say: DiscoveryRequest and DeltaDiscoveryRequest as clients send them. */
#include "say.h"

#include <string.h>

#include "codec/pb.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "xds/alias.h"
#include "xds/build.h"

#define pb_node Envoy__Config__Core__V3__Node
#define pb_node_desc envoy__config__core__v3__node__descriptor
#define pb_status Google__Rpc__Status
#define pb_status_desc google__rpc__status__descriptor
#define pb_sotw Envoy__Service__Discovery__V3__DiscoveryRequest
#define pb_sotw_desc envoy__service__discovery__v3__discovery_request__descriptor
#define pb_delta Envoy__Service__Discovery__V3__DeltaDiscoveryRequest
#define pb_delta_desc envoy__service__discovery__v3__delta_discovery_request__descriptor
#define pb_initial                                                                                 \
    Envoy__Service__Discovery__V3__DeltaDiscoveryRequest__InitialResourceVersionsEntry
#define pb_initial_desc                                                                            \
    envoy__service__discovery__v3__delta_discovery_request__initial_resource_versions_entry__descriptor

#define METADATA_MAX 8

static pb_node *make_node(struct arena *arena, const struct client *client)
{
    static const char *const agents[] = {
        [ENVOY_DELTA] = "envoy",
        [ENVOY_SOTW] = "envoy",
        [GRPC_GO] = "gRPC Go",
        [GRPC_CORE] = "gRPC C-core linux Python",
    };
    pb_node *node = NEW(arena, pb_node);
    node->id = client->node_id;
    node->user_agent_name = (char *)(uintptr_t)agents[client->kind];
    node->metadata = NEW(arena, pb_struct);
    node->metadata->fields = ARENA_ARRAY(arena, METADATA_MAX, pb_struct_entry *);
    struct str rest = str_from(client->metadata);
    while (rest.len > 0 && node->metadata->n_fields < METADATA_MAX) {
        struct str value = str_cut(&rest, ' ');
        struct str key = str_cut(&value, '=');
        if (str_eq(key, STR("zone"))) {
            node->locality = NEW(arena, pb_locality);
            node->locality->zone = xds_text(arena, value);
            continue;
        }
        pb_struct_entry *entry = NEW(arena, pb_struct_entry);
        entry->key = xds_text(arena, key);
        entry->value = NEW(arena, pb_value);
        entry->value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
        entry->value->string_value = xds_text(arena, value);
        node->metadata->fields[node->metadata->n_fields++] = entry;
    }
    return node;
}

static pb_status *make_status(struct arena *arena, const char *reject)
{
    if (reject == NULL) {
        return NULL;
    }
    pb_status *status = NEW(arena, pb_status);
    status->code = 3; /* INVALID_ARGUMENT */
    status->message = xds_text(arena, str_from(reject));
    return status;
}

static void tell(struct client *client, struct arena *arena, enum xds_type type,
                 const ProtobufCMessage *message)
{
    client->said_node = true;
    client->types[type].said = true;
    stream_receive(client->stream, pb_pack(arena, message));
}

static char *type_url(struct arena *arena, enum xds_type type)
{
    return xds_text(arena, xds_type_info(type)->url);
}

static char *text_or_empty(struct arena *arena, const char *text)
{
    return xds_text(arena, str_from(text));
}

/* --- SotW ---------------------------------------------------------------------------------- */
static void say_sotw(struct client *client, enum xds_type type, const char *reject)
{
    struct client_type *of = &client->types[type];
    struct arena arena;
    arena_init(&arena);
    pb_sotw *m = NEW(&arena, pb_sotw);
    m->type_url = type_url(&arena, type);
    m->node = client->said_node ? NULL : make_node(&arena, client);
    m->resource_names = of->asked.list.items;
    m->n_resource_names = of->asked.list.len;
    m->version_info = text_or_empty(&arena, of->version);
    m->response_nonce = text_or_empty(&arena, of->nonce);
    m->error_detail = make_status(&arena, reject);
    tell(client, &arena, type, &m->base);
    arena_release(&arena);
}

/* --- delta --------------------------------------------------------------------------------- */
static bool has(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->list.len; i++) {
        if (strcmp(names->list.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* What is in `a` but not in `b`. */
static size_t only_in(struct arena *arena, const struct names *a, const struct names *b,
                      char ***ret_names)
{
    char **names = ARENA_ARRAY(arena, a->list.len, char *);
    size_t len = 0;
    for (size_t i = 0; i < a->list.len; i++) {
        if (!has(b, a->list.items[i])) {
            names[len++] = a->list.items[i];
        }
    }
    *ret_names = names;
    return len;
}

static void set_initial(struct arena *arena, const struct client_type *of, pb_delta *m)
{
    m->initial_resource_versions = (void *)ARENA_ARRAY(arena, of->known.len, pb_initial *);
    for (size_t i = 0; i < of->known.len; i++) {
        pb_initial *entry = NEW(arena, pb_initial);
        entry->key = xds_text(arena, of->known.items[i]->name);
        entry->value = of->known.items[i]->version;
        m->initial_resource_versions[m->n_initial_resource_versions++] = entry;
    }
}

static pb_delta *make_delta(struct arena *arena, const struct client *client, enum xds_type type)
{
    pb_delta *m = NEW(arena, pb_delta);
    m->type_url = type_url(arena, type);
    m->node = client->said_node ? NULL : make_node(arena, client);
    return m;
}

void say_names(struct client *client, enum xds_type type, const struct names *before)
{
    if (client->kind != ENVOY_DELTA) {
        say_sotw(client, type, NULL);
        return;
    }
    struct client_type *of = &client->types[type];
    struct arena arena;
    arena_init(&arena);
    pb_delta *m = make_delta(&arena, client, type);
    m->n_resource_names_subscribe =
        only_in(&arena, &of->asked, before, &m->resource_names_subscribe);
    m->n_resource_names_unsubscribe =
        only_in(&arena, before, &of->asked, &m->resource_names_unsubscribe);
    if (!of->said) {
        set_initial(&arena, of, m);
    }
    tell(client, &arena, type, &m->base);
    arena_release(&arena);
}

void say_answer(struct client *client, enum xds_type type, const char *reject)
{
    if (client->kind != ENVOY_DELTA) {
        say_sotw(client, type, reject);
        return;
    }
    struct arena arena;
    arena_init(&arena);
    pb_delta *m = make_delta(&arena, client, type);
    m->response_nonce = text_or_empty(&arena, client->types[type].nonce);
    m->error_detail = make_status(&arena, reject);
    tell(client, &arena, type, &m->base);
    arena_release(&arena);
}
