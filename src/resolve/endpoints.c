/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoints: where a Service port is served, from EndpointSlices alone (label
 * kubernetes.io/service-name, port name), so that headless and selector-less Services work too.
 *
 *   slices of the Service ─► usable addresses of one family ─► sorted, unique ─► by zone
 *
 * Addresses are unique over the whole row: gRPC clients reject a ClusterLoadAssignment that lists
 * one twice, and two slices may do so while a controller moves endpoints (KEP-752).
 */
#include <stdlib.h>

#include "base/vec.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/key.h"
#include "resolve/resolve.h"

struct found {
    struct str zone;
    struct str address;
    int32_t port;
};

void resolve_slices_of_service(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct endpoint_slice *slice = (const struct endpoint_slice *)row;
    (void)key;
    if (slice->service.len == 0) {
        return;
    }
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    group_emit(emit, arena_printf(&scratch, "%.*s/%.*s", STR_FMT(slice->object.meta.ns),
                                  STR_FMT(slice->service)));
    arena_release(&scratch);
}

static int32_t slice_port(const struct endpoint_slice *slice, struct str name)
{
    for (size_t i = 0; i < slice->ports.len; i++) {
        const struct endpoint_port *port = &slice->ports.items[i];
        if (port->has_port && port->protocol == PROTOCOL_TCP && str_eq(port->name, name)) {
            return port->port;
        }
    }
    return 0;
}

/* Nil conditions count as ready ("unknown should be interpreted as ready", EndpointConditions). */
static bool usable(const struct endpoint *endpoint, bool publish_not_ready)
{
    if (endpoint->addresses.len == 0) {
        return false;
    }
    return publish_not_ready || !endpoint->has_ready || endpoint->ready;
}

/* Dual stack: the family of the first ClusterIP, or of the first slice when there is none. */
static int family(const struct ir_port *port, struct row_span slices)
{
    int wanted = ADDRESS_IPV4;
    if (port->ips.len > 0) {
        struct str ip = port->ips.items[0];
        wanted = str_index(ip, ':') < ip.len ? ADDRESS_IPV6 : ADDRESS_IPV4;
    }
    int first = -1;
    for (size_t i = 0; i < slices.len; i++) {
        int type = ((const struct endpoint_slice *)slices.rows[i])->address_type;
        if (type == wanted) {
            return wanted;
        }
        if (first < 0 && type != ADDRESS_FQDN) {
            first = type;
        }
    }
    return first < 0 ? wanted : first;
}

static int found_cmp_address(const void *a, const void *b)
{
    const struct found *fa = a;
    const struct found *fb = b;
    int order = str_cmp(fa->address, fb->address);
    if (order == 0) {
        order = (fa->port > fb->port) - (fa->port < fb->port);
    }
    return order != 0 ? order : str_cmp(fa->zone, fb->zone);
}

static int found_cmp_zone(const void *a, const void *b)
{
    const struct found *fa = a;
    const struct found *fb = b;
    int order = str_cmp(fa->zone, fb->zone);
    return order != 0 ? order : found_cmp_address(a, b);
}

/* All usable endpoints, unique by address and port, ordered by zone. */
static struct found *collect(struct eval *ev, const struct ir_port *port, struct row_span slices,
                             size_t *ret_len)
{
    size_t room = 0;
    for (size_t i = 0; i < slices.len; i++) {
        room += ((const struct endpoint_slice *)slices.rows[i])->endpoints.len;
    }
    struct found *all = ARENA_ARRAY(eval_scratch(ev), room, struct found);
    size_t len = 0;
    int wanted = family(port, slices);
    for (size_t i = 0; i < slices.len; i++) {
        const struct endpoint_slice *slice = (const struct endpoint_slice *)slices.rows[i];
        int32_t number = slice_port(slice, port->port_name);
        if (number == 0 || slice->address_type != wanted) {
            continue;
        }
        for (size_t j = 0; j < slice->endpoints.len; j++) {
            const struct endpoint *endpoint = &slice->endpoints.items[j];
            if (usable(endpoint, port->publish_not_ready)) {
                all[len++] = (struct found){endpoint->zone, endpoint->addresses.items[0], number};
            }
        }
    }
    qsort(all, len, sizeof(*all), found_cmp_address);
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        if (kept == 0 || !str_eq(all[kept - 1].address, all[i].address) ||
            all[kept - 1].port != all[i].port) {
            all[kept++] = all[i];
        }
    }
    qsort(all, kept, sizeof(*all), found_cmp_zone);
    *ret_len = kept;
    return all;
}

const struct row *resolve_endpoints(struct eval *ev, struct str key)
{
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, key);
    if (port == NULL || !port->backend) {
        return NULL;
    }
    struct port_key parts = port_key_parse(key);
    struct row_span slices = eval_group(ev, X_SLICES_OF_SERVICE, parts.object);
    size_t len;
    const struct found *found = collect(ev, port, slices, &len);

    size_t zones = 0;
    for (size_t i = 0; i < len; i++) {
        zones += i == 0 || !str_eq(found[i].zone, found[i - 1].zone);
    }
    struct ir_endpoints *row = row_new(sizeof(*row), 64 + len * 48);
    struct arena *arena = &row->row.arena;
    row->name = arena_str(arena, key);
    row->localities.items = ARENA_ARRAY(arena, zones, struct ir_locality);
    struct ir_endpoint *next = ARENA_ARRAY(arena, len, struct ir_endpoint);
    for (size_t i = 0; i < len; i++) {
        if (i == 0 || !str_eq(found[i].zone, found[i - 1].zone)) {
            struct ir_locality *fresh = &row->localities.items[row->localities.len++];
            fresh->zone = arena_str(arena, found[i].zone);
            fresh->endpoints.items = next;
        }
        struct ir_locality *locality = &row->localities.items[row->localities.len - 1];
        locality->endpoints.len++;
        next->address = arena_str(arena, found[i].address);
        next->port = found[i].port;
        next++;
    }
    return &row->row;
}
