/* SPDX-License-Identifier: Apache-2.0 */
/* print: resources as JSON for people. */
#include "xds/print.h"

#include "base/panic.h"
#include "codec/pb.h"
#include "xds_types.h"

static const ProtobufCMessageDescriptor *lookup(struct str type_url)
{
    size_t slash = str_rindex(type_url, '/');
    struct str name = slash < type_url.len ? str_sub(type_url, slash + 1, type_url.len) : type_url;
    return xds_type_lookup(name.ptr, name.len);
}

void xds_print(const struct resource *resource, struct json *json)
{
    static const struct pb_json_options options = {.lookup = lookup, .proto_names = true};
    struct str url = xds_type_info(resource->type)->url;
    struct str bytes = resource_message(resource);
    const ProtobufCMessageDescriptor *type = lookup(url);
    ASSERT(type != NULL);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, NULL, bytes.len, (const uint8_t *)bytes.ptr);
    ASSERT(message != NULL); /* heddle made these bytes */
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    pb_to_json(message, &options, &text);
    protobuf_c_message_free_unpacked(message, NULL);

    json_open(json, '{');
    json_key(json, "name");
    json_str(json, resource->name);
    json_key(json, "version");
    json_text(json, resource->version);
    json_key(json, "scope");
    json_str(json, resource->scope);
    json_key(json, "resource");
    ASSERT(json_reindent(json, buf_str(&text)));
    json_close(json, '}');
    buf_release(&text);
}
