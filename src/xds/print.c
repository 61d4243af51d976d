/* SPDX-License-Identifier: Apache-2.0 */
/* print: resources as JSON for people. */
#include "xds/print.h"

#include <string.h>

#include "base/panic.h"
#include "codec/pb.h"
#include "xds_types.h"

static const ProtobufCMessageDescriptor *lookup(struct str type_url)
{
    size_t slash = str_rindex(type_url, '/');
    struct str name = slash < type_url.len ? str_sub(type_url, slash + 1, type_url.len) : type_url;
    return xds_type_lookup(name.ptr, name.len);
}

/* What may hold a key or a password: the fields that Envoy's protos mark as sensitive, which
 * protobuf-c's descriptors do not tell, and what says how to get one. */
static bool hides(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field)
{
    static const struct {
        const char *message, *field;
    } secrets[] = {
        {"TlsCertificate", "private_key"},
        {"TlsCertificate", "private_key_provider"},
        {"TlsCertificate", "password"},
        {"TlsCertificate", "pkcs12"},
        {"PrivateKeyProvider", "typed_config"},
        {"TlsSessionTicketKeys", "keys"},
        {"GenericSecret", "secret"},
        {"GenericSecret", "secrets"},
    };
    struct str name = str_from(type->name);
    struct str package = STR("envoy.extensions.transport_sockets.tls.v3.");
    if (!str_starts_with(name, package)) {
        return false;
    }
    name = str_sub(name, package.len, name.len);
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        if (str_eq(name, str_from(secrets[i].message)) &&
            strcmp(field->name, secrets[i].field) == 0) {
            return true;
        }
    }
    return false;
}

void xds_print(const struct resource *resource, struct json *json)
{
    static const struct pb_json_options options = {
        .lookup = lookup, .proto_names = true, .hides = hides};
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
    json_member_str(json, "name", resource->name);
    json_member_text(json, "version", resource->version);
    json_member_str(json, "scope", resource->scope);
    json_key(json, "resource");
    ASSERT(json_reindent(json, buf_str(&text)));
    json_close(json, '}');
    buf_release(&text);
}
