/* SPDX-License-Identifier: Apache-2.0 */
/* pb: writes the few pieces of protobuf's wire format that containers are spliced from. */
#include "codec/pb.h"

#include "base/panic.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

#define VARINT_MAX 10 /* bytes */

size_t pb_varint_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

void pb_put_varint(struct buf *out, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    size_t len = 0;
    while (value >= 0x80) {
        bytes[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (uint8_t)value;
    buf_add(out, bytes, len);
}

void pb_put_header(struct buf *out, uint32_t field, size_t len)
{
    pb_put_varint(out, (uint64_t)field << 3 | WIRE_BYTES);
    pb_put_varint(out, len);
}

void pb_put_bytes(struct buf *out, uint32_t field, struct str bytes)
{
    pb_put_header(out, field, bytes.len);
    buf_add_str(out, bytes);
}

void pb_put_text(struct buf *out, uint32_t field, struct str text)
{
    pb_put_header(out, field, text.len);
    for (size_t at = 0; at < text.len;) {
        size_t len = str_utf8_len(text, at);
        if (len == 0) {
            buf_add_byte(out, '?');
            at++;
        } else {
            buf_add_str(out, str_sub(text, at, len));
            at += len;
        }
    }
}

void pb_put_uint(struct buf *out, uint32_t field, uint64_t value)
{
    pb_put_varint(out, (uint64_t)field << 3 | WIRE_VARINT);
    pb_put_varint(out, value);
}

void pb_put_message(struct buf *out, uint32_t field, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    pb_put_header(out, field, size);
    uint8_t *room = buf_reserve(out, size);
    if (room != NULL) {
        size_t packed = protobuf_c_message_pack(message, room);
        ASSERT(packed == size);
        buf_commit(out, size);
    }
}

struct str pb_pack(struct arena *arena, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(arena, size);
    size_t packed = protobuf_c_message_pack(message, bytes);
    ASSERT(packed == size);
    return str_span((const char *)bytes, size);
}

struct str pb_type_url(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
    return arena_printf(arena, "type.googleapis.com/%s", type->name);
}
