/* SPDX-License-Identifier: Apache-2.0 */
/* node: from an envoy.config.core.v3.Node to plain facts. */
#include "serve/node.h"

#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "base/vec.h"
#include "envoy/config/core/v3/base.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "serve/request.h"

#define NODE_DEPTH_MAX 16 /* nested metadata that is looked into */
#define NODE_FEATURES_MAX 64

typedef Envoy__Config__Core__V3__Node node_message;
typedef Google__Protobuf__Struct struct_message;
typedef Google__Protobuf__Value value_message;

struct node_builder {
    struct node *node;
    VEC(struct node_pair) pairs;
    struct err *err;
};

static bool take_text(struct node_builder *b, const char *what, const char *text,
                      struct str *ret_text)
{
    struct str s = str_from(text);
    if (s.len > NODE_TEXT_MAX) {
        return err_set(b->err, "node: '%s' is longer than %d bytes", what, NODE_TEXT_MAX);
    }
    *ret_text = arena_str(&b->node->arena, s);
    return true;
}

static bool take_pair(struct node_builder *b, struct str key, struct str value)
{
    if (key.len > NODE_TEXT_MAX || value.len > NODE_TEXT_MAX) {
        return err_set(b->err, "node: metadata '%.*s' is longer than %d bytes",
                       (int)(key.len < 64 ? key.len : 64), key.ptr, NODE_TEXT_MAX);
    }
    if (b->pairs.len < NODE_PAIRS_MAX) {
        struct node_pair pair = {key, arena_str(&b->node->arena, value)};
        vec_push(&b->pairs, pair);
    }
    return true;
}

static bool take_number(struct node_builder *b, struct str key, double number)
{
    const double exact = 9007199254740992.0; /* 2^53: whole numbers below are what they seem */
    bool whole = number > -exact && number < exact && (double)(long long)number == number;
    return take_pair(b, key,
                     whole ? arena_printf(&b->node->arena, "%lld", (long long)number)
                           : arena_printf(&b->node->arena, "%.17g", number));
}

static bool take_struct(struct node_builder *b, struct str prefix, const struct_message *fields,
                        unsigned depth)
{
    struct arena *arena = &b->node->arena;
    for (size_t i = 0; i < fields->n_fields && b->pairs.len < NODE_PAIRS_MAX; i++) {
        const value_message *value = fields->fields[i]->value;
        struct str name = str_from(fields->fields[i]->key);
        if (name.len > NODE_TEXT_MAX) {
            return err_set(b->err, "node: a metadata key is longer than %d bytes", NODE_TEXT_MAX);
        }
        struct str key = prefix.len == 0
                             ? arena_str(arena, name)
                             : arena_printf(arena, "%.*s.%.*s", STR_FMT(prefix), STR_FMT(name));
        bool ok = true;
        switch (value != NULL ? value->kind_case : GOOGLE__PROTOBUF__VALUE__KIND__NOT_SET) {
        case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
            ok = take_pair(b, key, str_from(value->string_value));
            break;
        case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
            ok = take_pair(b, key, value->bool_value != 0 ? STR("true") : STR("false"));
            break;
        case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
            ok = take_number(b, key, value->number_value);
            break;
        case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
            ok = depth == 0 || take_struct(b, key, value->struct_value, depth - 1);
            break;
        default:
            break; /* lists and null say nothing that is looked at */
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool take_version(struct node_builder *b, const node_message *m)
{
    struct str *out = &b->node->user_agent_version;
    if (m->user_agent_version_type_case ==
        ENVOY__CONFIG__CORE__V3__NODE__USER_AGENT_VERSION_TYPE_USER_AGENT_VERSION) {
        return take_text(b, "user_agent_version", m->user_agent_version, out);
    }
    if (m->user_agent_version_type_case ==
            ENVOY__CONFIG__CORE__V3__NODE__USER_AGENT_VERSION_TYPE_USER_AGENT_BUILD_VERSION &&
        m->user_agent_build_version->version != NULL) {
        const Envoy__Type__V3__SemanticVersion *v = m->user_agent_build_version->version;
        *out =
            arena_printf(&b->node->arena, "%u.%u.%u", v->major_number, v->minor_number, v->patch);
    }
    return true;
}

static bool take_features(struct node_builder *b, const node_message *m)
{
    size_t len =
        m->n_client_features < NODE_FEATURES_MAX ? m->n_client_features : NODE_FEATURES_MAX;
    b->node->features = ARENA_ARRAY(&b->node->arena, len, struct str);
    for (; b->node->nfeatures < len; b->node->nfeatures++) {
        if (!take_text(b, "client_features", m->client_features[b->node->nfeatures],
                       &b->node->features[b->node->nfeatures])) {
            return false;
        }
    }
    return true;
}

static bool take_all(struct node_builder *b, const node_message *m)
{
    struct node *node = b->node;
    const Envoy__Config__Core__V3__Locality *locality = m->locality;
    return take_text(b, "id", m->id, &node->id) &&
           take_text(b, "cluster", m->cluster, &node->cluster) &&
           (locality == NULL || (take_text(b, "region", locality->region, &node->region) &&
                                 take_text(b, "zone", locality->zone, &node->zone) &&
                                 take_text(b, "sub_zone", locality->sub_zone, &node->sub_zone))) &&
           take_text(b, "user_agent_name", m->user_agent_name, &node->user_agent) &&
           take_version(b, m) && take_features(b, m) &&
           (m->metadata == NULL || take_struct(b, STR_NULL, m->metadata, NODE_DEPTH_MAX));
}

static int compare_pairs(const void *a, const void *b)
{
    const struct node_pair *pa = a;
    const struct node_pair *pb = b;
    return str_cmp(pa->key, pb->key);
}

bool node_decode(const ProtobufCMessage *message, struct node **ret_node, struct err *err)
{
    ASSERT(message->descriptor == &envoy__config__core__v3__node__descriptor);
    struct node_builder b = {.node = xcalloc(1, sizeof(*b.node)), .err = err};
    arena_init_sized(&b.node->arena, NODE_TEXT_MAX);
    bool ok = take_all(&b, (const node_message *)(const void *)message);
    if (ok) {
        struct node *node = b.node;
        node->nmetadata = b.pairs.len;
        node->metadata = ARENA_ARRAY(&node->arena, b.pairs.len, struct node_pair);
        if (b.pairs.len > 0) {
            memcpy(node->metadata, b.pairs.items, b.pairs.len * sizeof(*node->metadata));
            qsort(node->metadata, node->nmetadata, sizeof(*node->metadata), compare_pairs);
        }
        *ret_node = node;
    } else {
        node_free(b.node);
    }
    vec_release(&b.pairs);
    return ok;
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
