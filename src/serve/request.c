/* SPDX-License-Identifier: Apache-2.0 */
/* request: from a peer's bytes to an unpacked message, within limits and in one arena. */
#include "serve/request.h"

#include <stdlib.h>
#include <string.h>

#include "codec/pb.h"

#define REQUEST_ARENA_BYTES 1024 /* an ACK fits */

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static void *arena_allocate(void *data, size_t size)
{
    return arena_alloc(data, size);
}

static void arena_forget(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

struct request *request_new(struct str bytes)
{
    struct arena arena;
    arena_init_sized(&arena, REQUEST_ARENA_BYTES);
    struct request *request = ARENA_NEW(&arena, struct request);
    list_init(&request->link);
    request->arena = arena;
    request->bytes = bytes.len;
    return request;
}

void request_free(struct request *request)
{
    if (request != NULL) {
        node_free(request->node);
        struct arena arena = request->arena; /* it holds the request too */
        arena_release(&arena);
    }
}

/* Length of the varint at the front and its value; 0 when there is none. */
static size_t read_varint(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s.len && i < 10; i++) {
        value |= ((uint64_t)(uint8_t)s.ptr[i] & 0x7f) << (7 * i);
        if (((uint8_t)s.ptr[i] & 0x80) == 0) {
            *ret_value = value;
            return i + 1;
        }
    }
    return 0;
}

/* Length of the field at the front, its number in ret_field; 0 when malformed. */
static size_t field_len(struct str s, uint64_t *ret_field)
{
    uint64_t tag;
    uint64_t value;
    size_t head = read_varint(s, &tag);
    if (head == 0) {
        return 0;
    }
    struct str rest = str_sub(s, head, SIZE_MAX);
    *ret_field = tag >> 3;
    size_t body = 0;
    switch (tag & 7) {
    case WIRE_VARINT:
        body = read_varint(rest, &value);
        break;
    case WIRE_FIXED64:
        body = 8;
        break;
    case WIRE_FIXED32:
        body = 4;
        break;
    case WIRE_BYTES:
        body = read_varint(rest, &value);
        body = body == 0 || value > rest.len - body ? 0 : body + (size_t)value;
        break;
    default:
        break;
    }
    return body == 0 || body > rest.len ? 0 : head + body;
}

/* The message without one of its fields. What is malformed is passed on, for pb_guard() to say. */
static struct str without_field(struct arena *arena, struct str bytes, uint32_t field)
{
    char *out = arena_alloc(arena, bytes.len);
    size_t len = 0;
    for (size_t at = 0; at < bytes.len;) {
        uint64_t number = 0;
        size_t n = field_len(str_sub(bytes, at, SIZE_MAX), &number);
        if (n == 0) {
            return bytes;
        }
        if (number != field) {
            memcpy(out + len, bytes.ptr + at, n);
            len += n;
        }
        at += n;
    }
    return str_span(out, len);
}

ProtobufCMessage *request_unpack(struct request *request, const ProtobufCMessageDescriptor *type,
                                 struct str bytes, uint32_t node_field, bool with_node,
                                 struct err *err)
{
    static const struct pb_limits limits = {REQUEST_DEPTH_MAX, REQUEST_MESSAGES_MAX,
                                            REQUEST_ELEMENTS_MAX};
    if (!with_node && bytes.len > 0) {
        bytes = without_field(&request->arena, bytes, node_field);
    }
    if (!pb_guard(type, bytes, &limits, err)) {
        return NULL;
    }
    ProtobufCAllocator allocator = {arena_allocate, arena_forget, &request->arena};
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, bytes.len, (const uint8_t *)bytes.ptr);
    if (message == NULL) {
        (void)err_set(err, "cannot parse the request as '%s'", type->name);
    }
    return message;
}

struct str *request_strs(struct request *request, char *const *texts, size_t len)
{
    struct str *strs = ARENA_ARRAY(&request->arena, len, struct str);
    for (size_t i = 0; i < len; i++) {
        strs[i] = str_from(texts[i]);
    }
    return strs;
}

void request_set_type(struct request *request, const char *url)
{
    request->type_url = str_from(url);
    request->known_type = xds_type_from_url(request->type_url, &request->type);
}
