/* SPDX-License-Identifier: Apache-2.0 */
/* node: from an envoy.config.core.v3.Node to plain facts. */
#include "serve/node.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "base/vec.h"
#include "codec/pb.h"
#include "envoy/config/core/v3/base.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "serve/request.h"

#define NODE_DEPTH_MAX 16 /* nested metadata that is looked into */
#define NODE_FEATURES_MAX 64
#define NODE_KEY_MAX (2 * NODE_TEXT_MAX) /* of a key with those it is nested in */

/* Field numbers of envoy.config.core.v3.Node and Locality. */
enum { FIELD_ID = 1, FIELD_CLUSTER = 2, FIELD_LOCALITY = 4 };
enum { FIELD_USER_AGENT = 6, FIELD_USER_AGENT_VERSION = 7 };
enum { LOCALITY_REGION = 1, LOCALITY_ZONE = 2, LOCALITY_SUB_ZONE = 3 };

typedef Envoy__Config__Core__V3__Node node_message;
typedef Google__Protobuf__Struct struct_message;
typedef Google__Protobuf__Value value_message;

#define NODE_FIELDS_MAX 4096 /* of the metadata that are looked at, kept or not */

struct node_builder {
    struct node *node;
    VEC(struct node_pair) pairs;
    struct arena scratch; /* keys, before it is known whether they are kept */
    size_t fields;        /* looked at */
};

/* A text that is too long is left out: labels and annotations are other people's, and no reason to
 * leave a client without configuration. */
static struct str take_text(struct node_builder *b, const char *text)
{
    struct str s = str_from(text);
    return s.len <= NODE_TEXT_MAX ? arena_str(&b->node->arena, s) : STR_NULL;
}

static void take_pair(struct node_builder *b, struct str key, struct str value)
{
    if (key.len <= NODE_KEY_MAX && value.len <= NODE_TEXT_MAX && b->pairs.len < NODE_PAIRS_MAX) {
        struct node_pair pair = {arena_str(&b->node->arena, key),
                                 arena_str(&b->node->arena, value)};
        vec_push(&b->pairs, pair);
    }
}

static void take_number(struct node_builder *b, struct str key, double number)
{
    const double exact = 9007199254740992.0; /* 2^53: whole numbers below are what they seem */
    bool whole = number > -exact && number < exact && (double)(long long)number == number;
    take_pair(b, key,
              whole ? arena_printf(&b->scratch, "%lld", (long long)number)
                    : arena_printf(&b->scratch, "%.17g", number));
}

static void take_struct(struct node_builder *b, struct str prefix, const struct_message *fields,
                        unsigned depth)
{
    struct arena *arena = &b->scratch;
    for (size_t i = 0;
         i < fields->n_fields && b->pairs.len < NODE_PAIRS_MAX && b->fields++ < NODE_FIELDS_MAX;
         i++) {
        const value_message *value = fields->fields[i]->value;
        struct str name = str_from(fields->fields[i]->key);
        if (value == NULL || prefix.len + 1 + name.len > NODE_KEY_MAX) {
            continue;
        }
        struct str key = prefix.len == 0
                             ? arena_str(arena, name)
                             : arena_printf(arena, "%.*s.%.*s", STR_FMT(prefix), STR_FMT(name));
        switch (value->kind_case) {
        case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
            take_pair(b, key, str_from(value->string_value));
            break;
        case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
            take_pair(b, key, value->bool_value != 0 ? STR("true") : STR("false"));
            break;
        case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
            take_number(b, key, value->number_value);
            break;
        case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
            if (depth > 0) {
                take_struct(b, key, value->struct_value, depth - 1);
            }
            break;
        default:
            break; /* lists and null say nothing that is looked at */
        }
    }
}

static struct str take_version(struct node_builder *b, const node_message *m)
{
    if (m->user_agent_version_type_case ==
        ENVOY__CONFIG__CORE__V3__NODE__USER_AGENT_VERSION_TYPE_USER_AGENT_VERSION) {
        return take_text(b, m->user_agent_version);
    }
    if (m->user_agent_version_type_case ==
            ENVOY__CONFIG__CORE__V3__NODE__USER_AGENT_VERSION_TYPE_USER_AGENT_BUILD_VERSION &&
        m->user_agent_build_version->version != NULL) {
        const Envoy__Type__V3__SemanticVersion *v = m->user_agent_build_version->version;
        return arena_printf(&b->node->arena, "%u.%u.%u", v->major_number, v->minor_number,
                            v->patch);
    }
    return STR_NULL;
}

static void take_features(struct node_builder *b, const node_message *m)
{
    struct node *node = b->node;
    size_t len =
        m->n_client_features < NODE_FEATURES_MAX ? m->n_client_features : NODE_FEATURES_MAX;
    node->features = ARENA_ARRAY(&node->arena, len, struct str);
    for (size_t i = 0; i < len; i++) {
        struct str feature = take_text(b, m->client_features[i]);
        if (feature.len > 0) {
            node->features[node->nfeatures++] = feature;
        }
    }
}

static int compare_pairs(const void *a, const void *b)
{
    const struct node_pair *pa = a;
    const struct node_pair *pb = b;
    return str_cmp(pa->key, pb->key);
}

static void take_metadata(struct node_builder *b, const struct_message *metadata)
{
    struct node *node = b->node;
    arena_init(&b->scratch);
    take_struct(b, STR_NULL, metadata, NODE_DEPTH_MAX);
    arena_release(&b->scratch);
    node->nmetadata = b->pairs.len;
    node->metadata = ARENA_ARRAY(&node->arena, b->pairs.len, struct node_pair);
    if (b->pairs.len > 0) {
        memcpy(node->metadata, b->pairs.items, b->pairs.len * sizeof(*node->metadata));
        qsort(node->metadata, node->nmetadata, sizeof(*node->metadata), compare_pairs);
    }
}

struct node *node_decode(const ProtobufCMessage *message)
{
    ASSERT(message->descriptor == &envoy__config__core__v3__node__descriptor);
    const node_message *m = (const node_message *)(const void *)message;
    struct node *node = xcalloc(1, sizeof(*node));
    struct node_builder b = {.node = node};
    arena_init_sized(&node->arena, NODE_TEXT_MAX);
    node->id = take_text(&b, m->id);
    node->cluster = take_text(&b, m->cluster);
    if (m->locality != NULL) {
        node->region = take_text(&b, m->locality->region);
        node->zone = take_text(&b, m->locality->zone);
        node->sub_zone = take_text(&b, m->locality->sub_zone);
    }
    node->user_agent = take_text(&b, m->user_agent_name);
    node->user_agent_version = take_version(&b, m);
    take_features(&b, m);
    if (m->metadata != NULL) {
        take_metadata(&b, m->metadata);
    }
    vec_release(&b.pairs);
    return node;
}

static void pack_text(struct buf *out, uint32_t field, struct str text)
{
    if (text.len > 0) {
        pb_put_text(out, field, text);
    }
}

void node_pack(const struct node *node, struct buf *out)
{
    struct buf locality;
    buf_init(&locality, BUF_UNLIMITED);
    pack_text(&locality, LOCALITY_REGION, node->region);
    pack_text(&locality, LOCALITY_ZONE, node->zone);
    pack_text(&locality, LOCALITY_SUB_ZONE, node->sub_zone);
    pack_text(out, FIELD_ID, node->id);
    pack_text(out, FIELD_CLUSTER, node->cluster);
    if (locality.len > 0) {
        pb_put_bytes(out, FIELD_LOCALITY, buf_str(&locality));
    }
    pack_text(out, FIELD_USER_AGENT, node->user_agent);
    pack_text(out, FIELD_USER_AGENT_VERSION, node->user_agent_version);
    buf_release(&locality);
}

void node_free(struct node *node)
{
    if (node != NULL) {
        arena_release(&node->arena);
        free(node);
    }
}

struct str node_metadata(const struct node *node, struct str key)
{
    for (size_t i = 0; i < node->nmetadata; i++) {
        if (str_eq(node->metadata[i].key, key)) {
            return node->metadata[i].value;
        }
    }
    return STR_NULL;
}
