/* SPDX-License-Identifier: Apache-2.0 */
/* resource: how a resource is wrapped, once, so that both protocols can send it as it stands. */
#include "snapshot/resource.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/panic.h"
#include "codec/pb.h"

/* Fields of envoy.service.discovery.v3.Resource and google.protobuf.Any. */
enum { RESOURCE_VERSION = 1, RESOURCE_ANY = 2, RESOURCE_NAME = 3 };
enum { ANY_TYPE_URL = 1, ANY_VALUE = 2 };

static size_t field_size(size_t len)
{
    return 1 + pb_varint_size(len) + len; /* all field numbers here fit one byte of tag */
}

static struct blob *encode_entry(struct str name, const char *version, struct str url,
                                 struct str message, uint32_t *ret_any_at)
{
    size_t any_len = field_size(url.len) + field_size(message.len);
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    (void)buf_reserve(&out, field_size(name.len) + field_size(HASH_TEXT_LEN) + field_size(any_len));
    pb_put_bytes(&out, RESOURCE_NAME, name);
    pb_put_bytes(&out, RESOURCE_VERSION, str_from(version));
    *ret_any_at = (uint32_t)out.len;
    pb_put_header(&out, RESOURCE_ANY, any_len);
    pb_put_bytes(&out, ANY_TYPE_URL, url);
    pb_put_bytes(&out, ANY_VALUE, message);
    ASSERT(buf_ok(&out));
    struct blob *entry = blob_new(out.data, out.len);
    buf_release(&out);
    return entry;
}

static struct str copy_text(char **at, struct str s)
{
    struct str copy = {*at, s.len};
    if (s.len > 0) {
        memcpy(*at, s.ptr, s.len);
    }
    *at += s.len;
    return copy;
}

struct resource *resource_new(enum xds_type type, struct str scope, struct str name,
                              struct str follow, struct str message)
{
    struct resource *r = xmalloc(sizeof(*r) + scope.len + name.len + follow.len);
    char *text = (char *)(r + 1);
    atomic_init(&r->refs, 1);
    r->type = type;
    r->place = 0;
    r->scope = copy_text(&text, scope);
    r->name = copy_text(&text, name);
    r->follow = copy_text(&text, follow);
    r->hash = hash_bytes(message);
    hash_text(r->hash, r->version);
    r->entry = encode_entry(name, r->version, xds_type_info(type)->url, message, &r->any_at);
    return r;
}

struct resource *resource_ref(struct resource *resource)
{
    atomic_fetch_add_explicit(&resource->refs, 1, memory_order_relaxed);
    return resource;
}

void resource_unref(struct resource *resource)
{
    /* acq_rel: what other threads read from it happens before the one that frees it. */
    if (resource != NULL &&
        atomic_fetch_sub_explicit(&resource->refs, 1, memory_order_acq_rel) == 1) {
        blob_unref(resource->entry);
        free(resource);
    }
}

struct str resource_message(const struct resource *resource)
{
    /* The value is the last field of the Any, which is the last field of the entry. */
    struct str url = xds_type_info(resource->type)->url;
    struct str tail = str_sub(blob_str(resource->entry), resource->any_at, SIZE_MAX);
    size_t at = 1;
    while (((uint8_t)tail.ptr[at++] & 0x80) != 0) {
    }
    at += field_size(url.len) + 1;
    while (((uint8_t)tail.ptr[at++] & 0x80) != 0) {
    }
    return str_sub(tail, at, SIZE_MAX);
}
