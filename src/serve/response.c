/* SPDX-License-Identifier: Apache-2.0 */
/* response: see response.h. */
#include "serve/response.h"

#include "base/panic.h"
#include "codec/pb.h"

enum { RESPONSE_RESOURCES = 2 }; /* the field number in both protocols */

void response_init(struct response *response)
{
    *response = (struct response){.bytes = 0};
    buf_init(&response->own, BUF_UNLIMITED);
}

void response_release(struct response *response)
{
    buf_release(&response->own);
    vec_release(&response->pieces);
}

void response_begin(struct response *response)
{
    buf_clear(&response->own);
    vec_clear(&response->pieces);
    response->bytes = 0;
    response->own_in_pieces = 0;
}

/* Puts the own bytes written since the last piece into one; their address is set at the end. */
static void close_own(struct response *response)
{
    size_t len = response->own.len - response->own_in_pieces;
    if (len > 0) {
        vec_push(&response->pieces, ((struct response_piece){NULL, {NULL, len}}));
        response->own_in_pieces = response->own.len;
        response->bytes += len;
    }
}

static void add_shared(struct response *response, struct blob *blob, struct str bytes)
{
    close_own(response);
    vec_push(&response->pieces, ((struct response_piece){blob, bytes}));
    response->bytes += bytes.len;
}

void response_put_delta(struct response *response, const struct resource *resource)
{
    pb_put_header(&response->own, RESPONSE_RESOURCES, resource->entry->len);
    add_shared(response, resource->entry, blob_str(resource->entry));
}

void response_put_sotw(struct response *response, const struct resource *resource)
{
    struct str entry = blob_str(resource->entry);
    add_shared(response, resource->entry, str_sub(entry, resource->any_at, SIZE_MAX));
}

size_t response_len(const struct response *response)
{
    return response->bytes + response->own.len - response->own_in_pieces;
}

void response_finish(struct response *response)
{
    close_own(response);
    const char *own = (const char *)response->own.data;
    for (size_t i = 0; i < response->pieces.len; i++) {
        struct response_piece *piece = &response->pieces.items[i];
        if (piece->blob == NULL) {
            piece->bytes.ptr = own;
            own += piece->bytes.len;
        }
    }
}
