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
 * With publishNotReadyAddresses all are ready, but those that terminate are draining all the same,
 * although the API then says that they are ready, too.
 *
 * A pod of a dual-stack Service stands in a slice of each family. It is one endpoint, at its
 * address of the Service's first family, with the other address beside it.
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

void resolve_slices_of_names(const struct row *row, struct str key, struct group_emit *emit)
{
    if (((const struct endpoint_slice *)row)->address_type == ADDRESS_FQDN) {
        resolve_slices_of_service(row, key, emit);
    }
}

int32_t slice_port(const struct endpoint_slice *slice, struct str name, int protocol)
{
    for (size_t i = 0; i < slice->ports.len; i++) {
        const struct endpoint_port *port = &slice->ports.items[i];
        if (port->has_port && port->protocol == protocol && str_eq(port->name, name)) {
            return port->port;
        }
    }
    return 0;
}

/* False when it gets nothing. */
static bool serves(const struct endpoint *endpoint, bool publish_not_ready, bool *ret_ready)
{
    bool ready = endpoint->ready || publish_not_ready;
    *ret_ready = ready && !endpoint->terminating;
    return endpoint->addresses.len > 0 && (ready || (endpoint->serving && endpoint->terminating));
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

/* All that serves, of one family. */
static struct served *gather(struct arena *arena, const struct ir_port *port,
                             struct row_span slices, int family, size_t *ret_len)
{
    size_t room = 0;
    for (size_t i = 0; i < slices.len; i++) {
        room += ((const struct endpoint_slice *)slices.rows[i])->endpoints.len;
    }
    struct served *all = ARENA_ARRAY(arena, room, struct served);
    size_t len = 0;
    for (size_t i = 0; i < slices.len; i++) {
        const struct endpoint_slice *slice = (const struct endpoint_slice *)slices.rows[i];
        int protocol = port->protocol == IR_UDP ? PROTOCOL_UDP : PROTOCOL_TCP;
        int32_t number = slice_port(slice, port->port_name, protocol);
        if (number == 0 || slice->address_type != family) {
            continue;
        }
        for (size_t j = 0; j < slice->endpoints.len; j++) {
            const struct endpoint *endpoint = &slice->endpoints.items[j];
            bool ready;
            if (serves(endpoint, port->publish_not_ready, &ready)) {
                all[len++] = (struct served){.address = endpoint->addresses.items[0],
                                             .port = number,
                                             .endpoint = endpoint,
                                             .ready = ready};
            }
        }
    }
    *ret_len = len > 0 ? once(all, len) : 0;
    return all;
}

/* --- dual stack ---------------------------------------------------------------------------- */

/* What tells two pods apart; empty when nothing does. */
static struct str identity(struct arena *arena, const struct endpoint *endpoint)
{
    const struct endpoint_target *target = endpoint->target;
    if (target != NULL && target->uid.len > 0) {
        return arena_printf(arena, "uid %.*s", STR_FMT(target->uid));
    }
    if (target != NULL && target->name.len > 0) {
        return arena_printf(arena, "name %.*s", STR_FMT(target->name));
    }
    if (endpoint->node_name.len > 0 && endpoint->hostname.len > 0) {
        return arena_printf(arena, "host %.*s %.*s", STR_FMT(endpoint->node_name),
                            STR_FMT(endpoint->hostname));
    }
    return STR_NULL;
}

struct pod {
    struct str identity;
    const struct served *served;
    size_t taken; /* of all with this identity; kept in the first of them */
};

static int pod_cmp(const void *a, const void *b)
{
    const struct pod *pa = a;
    const struct pod *pb = b;
    int order = str_cmp(pa->identity, pb->identity);
    return order != 0 ? order : served_cmp(pa->served, pb->served);
}

/* The next that nobody has taken yet. */
static const struct pod *take_pod(struct pod *pods, size_t len, struct str identity)
{
    size_t low = 0;
    size_t high = len;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (str_cmp(pods[mid].identity, identity) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == len || !str_eq(pods[low].identity, identity)) {
        return NULL;
    }
    size_t next = low + pods[low].taken++;
    return next < len && str_eq(pods[next].identity, identity) ? &pods[next] : NULL;
}

/* Gives each endpoint its pod's address of the other family; none is given twice. An endpoint of
 * the other family without a partner is left out: nobody could tell that it is another pod. */
static void pair(struct arena *arena, struct served *all, size_t len, const struct served *others,
                 size_t nothers)
{
    struct pod *pods = ARENA_ARRAY(arena, nothers, struct pod);
    for (size_t i = 0; i < nothers; i++) {
        pods[i] =
            (struct pod){.identity = identity(arena, others[i].endpoint), .served = &others[i]};
    }
    qsort(pods, nothers, sizeof(*pods), pod_cmp);
    for (size_t i = 0; i < len; i++) {
        struct str wanted = identity(arena, all[i].endpoint);
        const struct pod *pod = wanted.len > 0 ? take_pod(pods, nothers, wanted) : NULL;
        if (pod != NULL) {
            all[i].other = pod->served->address;
            all[i].other_port = pod->served->port;
        }
    }
}

/* The family that a client tries first. */
static int first_family(const struct ir_port *port, struct row_span slices)
{
    if (port->family != IR_ANY_FAMILY) {
        return port->family == IR_IPV6 ? ADDRESS_IPV6 : ADDRESS_IPV4;
    }
    for (size_t i = 0; i < slices.len; i++) {
        int type = ((const struct endpoint_slice *)slices.rows[i])->address_type;
        if (type != ADDRESS_FQDN) {
            return type;
        }
    }
    return ADDRESS_IPV4;
}

struct served *slices_served(struct arena *arena, const struct ir_port *port,
                             struct row_span slices, size_t *ret_len)
{
    int first = first_family(port, slices);
    size_t len;
    size_t nothers;
    struct served *all = gather(arena, port, slices, first, &len);
    struct served *others =
        gather(arena, port, slices, first == ADDRESS_IPV4 ? ADDRESS_IPV6 : ADDRESS_IPV4, &nothers);
    if (len == 0) {
        *ret_len = nothers;
        return others;
    }
    if (nothers > 0) {
        pair(arena, all, len, others, nothers);
    }
    *ret_len = len;
    return all;
}
