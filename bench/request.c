/* SPDX-License-Identifier: Apache-2.0 */
/* request: what does a client write into its discovery requests? Field numbers are those of
 * envoy.service.discovery.v3. */
#include "request.h"

#include "wire.h"

struct user_agent {
    struct str name;
    struct str version;
};

static const struct user_agent grpc_agents[] = {
    {STR("gRPC Go"), STR("1.85.0")},
    {STR("gRPC C-core linux Python"), STR("C-core 46.0.0")},
    {STR("gRPC Java"), STR("1.85.1")},
    {STR("gRPC Node Pure JS"), STR("1.14.1")},
};

/* Metadata: Struct {fields 1 {key 1, value 2 {string_value 3}}} */
static void put_metadata(struct buf *out, struct str key, struct str value)
{
    struct buf entry, inner, text;

    buf_init(&text, REQUEST_MAX);
    buf_init(&inner, REQUEST_MAX);
    buf_init(&entry, REQUEST_MAX);
    wire_put_bytes(&text, 3, value);
    wire_put_bytes(&inner, 1, key);
    wire_put_bytes(&inner, 2, buf_str(&text));
    wire_put_bytes(&entry, 1, buf_str(&inner));
    buf_add_str(out, buf_str(&entry));
    buf_release(&text);
    buf_release(&inner);
    buf_release(&entry);
}

/* user_agent_build_version 8 {version 1 {major_number 1, minor_number 2}} */
static void put_envoy_version(struct buf *node)
{
    static const uint8_t version[] = {1 << 3 | WIRE_VARINT, 1, 2 << 3 | WIRE_VARINT, 40};
    struct buf build;

    buf_init(&build, REQUEST_MAX);
    wire_put_bytes(&build, 1, str_span((const char *)version, sizeof(version)));
    wire_put_bytes(node, 6, STR("envoy"));
    wire_put_bytes(node, 8, buf_str(&build));
    buf_release(&build);
}

/* Node {id 1, cluster 2, metadata 3, user_agent_name 6, user_agent_version 7, client_features 10}
 */
static void put_node(const struct stream *stream, struct buf *out, uint32_t number)
{
    bool grpc = stream->class == CLASS_GRPC;
    struct buf node, metadata, id;

    buf_init(&node, REQUEST_MAX);
    buf_init(&metadata, REQUEST_MAX);
    buf_init(&id, REQUEST_MAX);
    buf_printf(&id, "%s/default/bench-%05u", grpc ? "proxyless" : "sidecar", stream->number);
    put_metadata(&metadata, STR("namespace"), STR("default"));
    put_metadata(&metadata, STR("interception"), STR("redirect"));
    wire_put_bytes(&node, 1, buf_str(&id));
    wire_put_bytes(&node, 2, STR("bench"));
    wire_put_bytes(&node, 3, buf_str(&metadata));
    if (grpc) {
        size_t nagents = sizeof(grpc_agents) / sizeof(grpc_agents[0]);
        const struct user_agent *agent = &grpc_agents[stream->number % nagents];
        wire_put_bytes(&node, 6, agent->name);
        wire_put_bytes(&node, 7, agent->version);
        wire_put_bytes(&node, 10, STR("envoy.lb.does_not_support_overprovisioning"));
    } else {
        put_envoy_version(&node);
    }
    wire_put_bytes(out, number, buf_str(&node));
    buf_release(&node);
    buf_release(&metadata);
    buf_release(&id);
}

static void put_names(const struct stream *stream, struct buf *out, uint32_t number,
                      struct name_list names)
{
    for (size_t i = 0; i < names.len; i++) {
        wire_put_bytes(out, number, stream->catalog->entities.items[names.ids[i]]->name);
    }
}

static void put_versions(const struct stream *stream, struct buf *out, enum kind kind)
{
    struct buf entry;

    buf_init(&entry, REQUEST_MAX);
    for (size_t id = 0; id < stream->cap; id++) {
        if (stream->have[id] == NULL || stream->catalog->entities.items[id]->kind != kind) {
            continue;
        }
        buf_clear(&entry);
        wire_put_bytes(&entry, 1, stream->catalog->entities.items[id]->name);
        wire_put_bytes(&entry, 2, stream->have[id]->version);
        wire_put_bytes(out, 5, buf_str(&entry));
    }
    buf_release(&entry);
}

/* DeltaDiscoveryRequest {node 1, type_url 2, resource_names_subscribe 3,
 * resource_names_unsubscribe 4, initial_resource_versions 5, response_nonce 6} */
static void put_delta(const struct stream *stream, const struct request *request, struct buf *out)
{
    if (request->with_node) {
        put_node(stream, out, 1);
    }
    wire_put_bytes(out, 2, kind_urls[request->kind]);
    put_names(stream, out, 3, request->subscribe);
    put_names(stream, out, 4, request->unsubscribe);
    if (request->with_versions) {
        put_versions(stream, out, request->kind);
    }
    if (request->nonce.len > 0) {
        wire_put_bytes(out, 6, request->nonce);
    }
}

/* DiscoveryRequest {version_info 1, node 2, resource_names 3, type_url 4, response_nonce 5} */
static void put_sotw(const struct stream *stream, const struct request *request, struct buf *out)
{
    if (request->version.len > 0) {
        wire_put_bytes(out, 1, request->version);
    }
    if (request->with_node) {
        put_node(stream, out, 2);
    }
    buf_add_str(out, buf_str(&stream->subs[request->kind].all_names));
    wire_put_bytes(out, 4, kind_urls[request->kind]);
    if (request->nonce.len > 0) {
        wire_put_bytes(out, 5, request->nonce);
    }
}

void request_keep_names(const struct stream *stream, struct subscription *sub)
{
    struct name_list names = {sub->names.items, sub->names.len};

    if (stream->class != CLASS_DELTA) {
        buf_clear(&sub->all_names);
        put_names(stream, &sub->all_names, 3, names);
    }
}

void request_send(struct stream *stream, const struct request *request)
{
    struct buf message;

    buf_init(&message, REQUEST_MAX);
    if (stream->class == CLASS_DELTA) {
        put_delta(stream, request, &message);
    } else {
        put_sotw(stream, request, &message);
    }
    ASSERT(buf_ok(&message));
    link_send(&stream->link, buf_str(&message));
    buf_release(&message);
}
