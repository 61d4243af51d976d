/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slices: see slices.h. Whether an endpoint takes traffic is told by its conditions
 * (EndpointConditions, KEP-1669):
 *
 *   ready, or nothing said of it           it is ready
 *   not ready, serving and terminating     it is draining: new traffic goes there only where
 *                                          nothing is ready
 *   else                                   it gets nothing
 *
 * With publishNotReadyAddresses all are ready.
 */
#include "resolve/slices.h"

#include <stdlib.h>

#include "resolve/resolve.h"

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

/* False when it gets nothing. */
static bool serves(const struct endpoint *endpoint, bool publish_not_ready, bool *ret_ready)
{
    *ret_ready = endpoint->ready || publish_not_ready;
    return endpoint->addresses.len > 0 &&
           (*ret_ready || (endpoint->serving && endpoint->terminating));
}

static int served_cmp(const void *a, const void *b)
{
    const struct served *sa = a;
    const struct served *sb = b;
    int order = str_cmp(sa->address, sb->address);
    if (order == 0) {
        order = (sa->port > sb->port) - (sa->port < sb->port);
    }
    if (order == 0) {
        order = sb->ready - sa->ready;
    }
    return order != 0 ? order : str_cmp(sa->endpoint->zone, sb->endpoint->zone);
}

/* Two slices may list one endpoint while a controller moves it (KEP-752): the one that is ready
 * counts. gRPC clients reject what lists an address twice. */
static size_t once(struct served *all, size_t len)
{
    size_t kept = 0;
    qsort(all, len, sizeof(*all), served_cmp);
    for (size_t i = 0; i < len; i++) {
        if (kept == 0 || !str_eq(all[kept - 1].address, all[i].address) ||
            all[kept - 1].port != all[i].port) {
            all[kept++] = all[i];
        }
    }
    return kept;
}

struct served *slices_served(struct arena *arena, const struct ir_port *port,
                             struct row_span slices, size_t *ret_len)
{
    size_t room = 0;
    for (size_t i = 0; i < slices.len; i++) {
        room += ((const struct endpoint_slice *)slices.rows[i])->endpoints.len;
    }
    struct served *all = ARENA_ARRAY(arena, room, struct served);
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
            bool ready;
            if (serves(endpoint, port->publish_not_ready, &ready)) {
                all[len++] = (struct served){endpoint->addresses.items[0], number, endpoint, ready};
            }
        }
    }
    *ret_len = len > 0 ? once(all, len) : 0;
    return all;
}
