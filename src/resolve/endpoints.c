/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoints: where a Service port is served, from EndpointSlices alone (label
 * kubernetes.io/service-name, port name), so that headless and selector-less Services work too.
 *
 *   slices of the Service ─► what serves (slices.h) ─► by zone
 *
 * As kube-proxy does (KEP-1669), endpoints that terminate get new traffic only where nothing is
 * ready. Beside ready ones they are told as draining, for those whose session is with one of them.
 */
#include <stdlib.h>

#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/slices.h"

static int zone_cmp(const void *a, const void *b)
{
    const struct served *sa = a;
    const struct served *sb = b;
    int order = str_cmp(sa->endpoint->zone, sb->endpoint->zone);
    if (order == 0) {
        order = str_cmp(sa->address, sb->address);
    }
    return order != 0 ? order : (sa->port > sb->port) - (sa->port < sb->port);
}

static bool same_locality(const struct served *a, const struct served *b)
{
    return str_eq(a->endpoint->zone, b->endpoint->zone);
}

/* Where nothing is ready, what terminates must do. */
static void fall_back(struct served *all, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (all[i].ready) {
            return;
        }
    }
    for (size_t i = 0; i < len; i++) {
        all[i].ready = true;
    }
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
    struct served *served = slices_served(eval_scratch(ev), port, slices, &len);
    fall_back(served, len);
    if (len > 0) {
        qsort(served, len, sizeof(*served), zone_cmp);
    }
    size_t localities = 0;
    for (size_t i = 0; i < len; i++) {
        localities += i == 0 || !same_locality(&served[i], &served[i - 1]);
    }
    struct ir_endpoints *row = row_new(sizeof(*row), 64 + len * 48);
    struct arena *arena = &row->row.arena;
    row->name = arena_str(arena, key);
    row->localities.items = ARENA_ARRAY(arena, localities, struct ir_locality);
    struct ir_endpoint *next = ARENA_ARRAY(arena, len, struct ir_endpoint);
    for (size_t i = 0; i < len; i++) {
        if (i == 0 || !same_locality(&served[i], &served[i - 1])) {
            struct ir_locality *fresh = &row->localities.items[row->localities.len++];
            fresh->zone = arena_str(arena, served[i].endpoint->zone);
            fresh->endpoints.items = next;
        }
        row->localities.items[row->localities.len - 1].endpoints.len++;
        *next++ = (struct ir_endpoint){.address = arena_str(arena, served[i].address),
                                       .port = served[i].port,
                                       .other = arena_str(arena, served[i].other),
                                       .other_port = served[i].other_port,
                                       .draining = !served[i].ready};
    }
    return &row->row;
}
