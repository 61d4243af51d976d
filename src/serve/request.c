/* SPDX-License-Identifier: Apache-2.0 */
/* request: from a peer's bytes to an unpacked message, within limits and in one arena. */
#include "serve/request.h"

#include <stdlib.h>

#include "codec/pb.h"

#define REQUEST_ARENA_BYTES 1024 /* an ACK fits */

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

ProtobufCMessage *request_unpack(struct request *request, const ProtobufCMessageDescriptor *type,
                                 struct str bytes, const struct outline *outline, uint32_t left_out,
                                 struct err *err)
{
    static const struct pb_limits limits = {REQUEST_DEPTH_MAX, REQUEST_MESSAGES_MAX,
                                            REQUEST_ELEMENTS_MAX};
    if (left_out != 0 && outline->len > 0) {
        bytes = outline_without(outline, left_out, &request->arena);
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
