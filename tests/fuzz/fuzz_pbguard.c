/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May whatever pb_guard() lets through be given to protobuf-c, and printed as JSON?
 *
 * The first byte picks the type that the rest is taken for. Seeds: tests/fuzz/corpus/pbguard/.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "codec/json.h"
#include "codec/pb.h"
#include "envoy/config/listener/v3/listener.pb-c.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "xds_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCMessageDescriptor *const types[] = {
    &envoy__service__discovery__v3__discovery_request__descriptor,
    &envoy__service__discovery__v3__delta_discovery_request__descriptor,
    &envoy__config__listener__v3__listener__descriptor,
    &google__protobuf__struct__descriptor,
};

static const ProtobufCMessageDescriptor *lookup(struct str type_url)
{
    size_t slash = str_rindex(type_url, '/');
    struct str name = str_sub(type_url, slash + 1, type_url.len);
    return xds_type_lookup(name.len != 0 ? name.ptr : "", name.len);
}

static void check_json(const ProtobufCMessage *message)
{
    struct buf text, indented;
    buf_init(&text, (size_t)1 << 22);
    buf_init(&indented, (size_t)1 << 26);
    pb_to_json(message, &(struct pb_json_options){.lookup = lookup}, &text);
    if (buf_ok(&text)) {
        struct json json;
        json_init(&json, &indented, 1);
        ASSERT(json_reindent(&json, buf_str(&text)));
    }
    buf_release(&text);
    buf_release(&indented);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const ProtobufCMessageDescriptor *type = types[data[0] % (sizeof(types) / sizeof(types[0]))];
    struct str bytes = str_span((const char *)data + 1, size - 1);
    const struct pb_limits limits = {.depth = 100, .messages = 10000, .elements = 10000};
    struct err err = {.text = ""};
    if (!pb_guard(type, bytes, &limits, &err)) {
        ASSERT(err.text[0] != '\0');
        return 0;
    }
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, NULL, bytes.len, (const uint8_t *)bytes.ptr);
    ASSERT(message != NULL);
    check_json(message);
    protobuf_c_message_free_unpacked(message, NULL);
    return 0;
}
