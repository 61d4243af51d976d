/* SPDX-License-Identifier: Apache-2.0 */
/* key: making and taking apart the keys of IR rows. */
#include "resolve/key.h"

#include "base/panic.h"

struct str port_key_make(struct arena *arena, struct str ns, struct str service, int32_t port,
                         struct str client_ns)
{
    if (client_ns.len > 0) {
        return arena_printf(arena, "%.*s/%.*s:%d@%.*s", STR_FMT(ns), STR_FMT(service), (int)port,
                            STR_FMT(client_ns));
    }
    return arena_printf(arena, "%.*s/%.*s:%d", STR_FMT(ns), STR_FMT(service), (int)port);
}

#define UDP "/udp"

struct str udp_port_key_make(struct arena *arena, struct str ns, struct str service, int32_t port)
{
    return arena_printf(arena, "%.*s/%.*s:%d" UDP, STR_FMT(ns), STR_FMT(service), (int)port);
}

struct port_key port_key_parse(struct str key)
{
    struct port_key parts = {.port = 0};
    size_t at = str_rindex(key, '@');
    parts.port_key = str_sub(key, 0, at);
    if (at < key.len) {
        parts.client_ns = str_sub(key, at + 1, key.len);
    }
    size_t colon = str_rindex(parts.port_key, ':');
    ASSERT(colon < parts.port_key.len);
    parts.object = str_sub(parts.port_key, 0, colon);
    size_t slash = str_index(parts.object, '/');
    ASSERT(slash < parts.object.len);
    parts.ns = str_sub(parts.object, 0, slash);
    parts.service = str_sub(parts.object, slash + 1, parts.object.len);
    uint64_t port;
    struct str number = str_sub(parts.port_key, colon + 1, parts.port_key.len);
    parts.udp = str_ends_with(number, STR(UDP));
    ASSERT(str_to_u64(str_sub(number, 0, str_index(number, '/')), &port));
    parts.port = (int32_t)port;
    return parts;
}

struct rule_key rule_key_parse(struct str key)
{
    size_t slash = str_rindex(key, '/');
    uint64_t number;
    ASSERT(slash < key.len && str_to_u64(str_sub(key, slash + 1, key.len), &number));
    return (struct rule_key){str_sub(key, 0, slash), (size_t)number};
}

bool service_host_parse(struct str host, struct str domain, struct str *ret_service,
                        struct str *ret_ns)
{
    struct str rest = host;
    struct str service = str_cut(&rest, '.');
    struct str ns = str_cut(&rest, '.');
    if (rest.ptr != NULL && !str_eq(str_cut(&rest, '.'), STR("svc"))) {
        return false;
    }
    if (service.len == 0 || ns.len == 0 || (rest.ptr != NULL && !str_eq(rest, domain)) ||
        str_index(service, '/') < service.len || str_index(ns, '/') < ns.len ||
        str_index(service, '@') < service.len || str_index(ns, '@') < ns.len) {
        return false;
    }
    *ret_service = service;
    *ret_ns = ns;
    return true;
}
