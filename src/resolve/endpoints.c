/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoints: where a Service port is served, from EndpointSlices alone (label
 * kubernetes.io/service-name, port name), so that headless and selector-less Services work too.
 *
 *   slices of the Service ─► what serves (slices.h) ─► how near it is ─► by priority and zone
 *
 * As kube-proxy does (KEP-1669), endpoints that terminate get new traffic only where nothing is
 * ready. Beside ready ones they are told as draining, for those whose session is with one of them.
 */
#include <stdlib.h>

#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/key.h"
#include "resolve/near.h"
#include "resolve/resolve.h"
#include "resolve/slices.h"

static int locality_cmp(const void *a, const void *b)
{
    const struct served *sa = a;
    const struct served *sb = b;
    int order = (sa->priority > sb->priority) - (sa->priority < sb->priority);
    return order != 0 ? order : str_cmp(sa->endpoint->zone, sb->endpoint->zone);
}

static int served_cmp(const void *a, const void *b)
{
    const struct served *sa = a;
    const struct served *sb = b;
    int order = locality_cmp(a, b);
    if (order == 0) {
        order = str_cmp(sa->address, sb->address);
    }
    return order != 0 ? order : (sa->port > sb->port) - (sa->port < sb->port);
}

/* Where nothing is ready, what terminates must do. */
static bool fall_back(struct served *all, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (all[i].ready) {
            return false;
        }
    }
    for (size_t i = 0; i < len; i++) {
        all[i].ready = true;
    }
    return true;
}

static struct ir_endpoint copy(struct arena *arena, const struct served *served)
{
    return (struct ir_endpoint){
        .address = arena_str(arena, served->address),
        .port = served->port,
        .other = served->other.len > 0 ? arena_str(arena, served->other) : STR_NULL,
        .other_port = served->other_port,
        .draining = !served->ready,
    };
}

/* grpc-java knows a locality by its name, whatever the priority: of two it would keep the last. */
static struct str part_of(const struct ir_endpoints *row, struct arena *arena,
                          const struct served *served)
{
    for (size_t i = 0; i < row->localities.len; i++) {
        if (str_eq(row->localities.items[i].zone, served->endpoint->zone)) {
            return arena_printf(arena, "priority-%d", (int)served->priority);
        }
    }
    return STR_NULL;
}

#define TEXT_OF_ADDRESS 16 /* bytes, of most */

static const struct row *make_row(struct str name, bool udp, struct served *served, size_t len)
{
    struct ir_endpoints *row =
        row_new(sizeof(*row), 192 + len * (sizeof(struct ir_endpoint) + TEXT_OF_ADDRESS));
    struct arena *arena = &row->row.arena;
    row->name = arena_str(arena, name);
    row->udp = udp;
    if (len == 0) {
        return &row->row;
    }
    qsort(served, len, sizeof(*served), served_cmp);
    size_t localities = 1;
    for (size_t i = 1; i < len; i++) {
        localities += locality_cmp(&served[i - 1], &served[i]) != 0;
    }
    row->localities.items = ARENA_ARRAY(arena, localities, struct ir_locality);
    struct ir_endpoint *next = ARENA_ARRAY(arena, len, struct ir_endpoint);
    for (size_t i = 0; i < len; i++) {
        if (i == 0 || locality_cmp(&served[i - 1], &served[i]) != 0) {
            struct str part = part_of(row, arena, &served[i]);
            row->localities.items[row->localities.len++] = (struct ir_locality){
                .zone = arena_str(arena, served[i].endpoint->zone),
                .part = part,
                .priority = served[i].priority,
                .endpoints = {.items = next},
            };
        }
        row->localities.items[row->localities.len - 1].endpoints.len++;
        *next++ = copy(arena, &served[i]);
    }
    return &row->row;
}

const struct row *resolve_endpoints(struct eval *ev, struct str key)
{
    struct port_key parts = port_key_parse(key);
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, parts.port_key);
    if (port == NULL || !port->backend) {
        return NULL;
    }
    struct row_span slices = eval_group(ev, X_SLICES_OF_SERVICE, parts.object);
    struct str place = parts.client_ns; /* "zone/ZONE", "node/NODE" or empty */
    size_t len;
    struct served *served = slices_served(eval_scratch(ev), port, slices, &len);
    if (place.len > 0 && port->nearness == IR_ONLY_NODE) {
        len = near_keep_node(served, len, place);
    }
    bool fell_back = fall_back(served, len);
    if (place.len > 0 && port->nearness != IR_ONLY_NODE &&
        (fell_back || !near_rank(served, len, place))) {
        return NULL; /* nothing is nearer than the rest: as for everybody */
    }
    return make_row(parts.port_key, parts.udp, served, len);
}
