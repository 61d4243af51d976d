/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener: the outbound listeners of sidecars, one for each Service port.
 *
 *   sidecar.redirect  bind_to_port: false; `outbound` (sidecar.c) hands connections over by their
 *                     original destination, ClusterIP:port
 *   sidecar.bind      the listener binds ClusterIP:port itself, where that is a loopback address
 *
 * HTTP where such a route is attached or the port says so, else opaque TCP, without inspection, so
 * that server-first protocols never stall. Only where a TLSRoute is attached the ClientHello is
 * read before anything else is done.
 */
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "xds/build.h"
#include "xds/hcm.h"
#include "xds/tcp_proxy.h"
#include "xds/xds.h"

/* The first usable ClusterIP is the address, the others are additional ones. */
static void set_addresses(struct arena *arena, const struct ir_port *port, bool bind,
                          pb_listener *listener)
{
    listener->additional_addresses = ARENA_ARRAY(arena, port->ips.len, pb_additional_address *);
    for (size_t i = 0; i < port->ips.len; i++) {
        if (bind && !ir_is_loopback(port->ips.items[i])) {
            continue;
        }
        pb_address *address = xds_address(arena, port->ips.items[i], port->port);
        if (listener->address == NULL) {
            listener->address = address;
            continue;
        }
        pb_additional_address *more = NEW(arena, pb_additional_address);
        more->address = address;
        listener->additional_addresses[listener->n_additional_addresses++] = more;
    }
}

static void set_chains(struct arena *arena, const struct ir_routing *routing, pb_listener *listener)
{
    if (routing->http) {
        listener->filter_chains = ARENA_ARRAY(arena, 1, pb_filter_chain *);
        listener->filter_chains[listener->n_filter_chains++] =
            xds_chain(arena, HCM_FILTER, &xds_envoy_hcm(arena, routing->name)->base);
        return;
    }
    bool tls = false;
    listener->filter_chains = ARENA_ARRAY(arena, routing->connections.len, pb_filter_chain *);
    for (size_t i = 0; i < routing->connections.len; i++) {
        const struct ir_l4_route *connection = &routing->connections.items[i];
        listener->filter_chains[listener->n_filter_chains++] = xds_l4_chain(arena, connection);
        tls = tls || connection->server_names.len > 0;
    }
    if (tls) {
        xds_add_listener_filter(arena, listener, "envoy.filters.listener.tls_inspector",
                                &NEW(arena, pb_tls_inspector)->base);
    }
}

static const struct row *listener_row(struct eval *ev, struct str key, struct str base, bool bind)
{
    size_t at = str_rindex(key, '@');
    struct str name = str_sub(key, 0, at);
    struct str client_ns = at < key.len ? str_sub(key, at + 1, key.len) : STR_NULL;
    struct arena *scratch = eval_scratch(ev);
    struct str scope = scope_of(scratch, base, client_ns);
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, name);
    const struct ir_routing *routing = (const struct ir_routing *)eval_get(ev, T_ROUTING, key);
    if (port == NULL || routing == NULL || eval_get(ev, T_VIEW, scope) == NULL) {
        return NULL;
    }
    if (client_ns.len > 0) {
        /* Clients with routes of their own need a listener of their own, but for routes of requests
         * where the common one looks for requests, too. */
        const struct ir_routing *common = (const struct ir_routing *)eval_get(ev, T_ROUTING, name);
        if (routing->http && common != NULL && common->http) {
            return NULL;
        }
    }
    pb_listener *listener = NEW(scratch, pb_listener);
    set_addresses(scratch, port, bind, listener);
    if (listener->address == NULL) {
        return NULL;
    }
    listener->name = xds_text(scratch, name);
    listener->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__OUTBOUND;
    set_chains(scratch, routing, listener);
    if (bind) {
        /* Two sidecars that bind one ClusterIP:port would share its connections unnoticed. */
        listener->enable_reuse_port = xds_bool(scratch, false);
    } else {
        listener->bind_to_port = xds_bool(scratch, false);
    }
    struct resource_row *row = resource_row_new(1);
    resource_row_add(row, XDS_LDS, scope, name, STR_NULL, &listener->base);
    return &row->row;
}

const struct row *xds_redirect_listener(struct eval *ev, struct str key)
{
    return listener_row(ev, key, STR(SCOPE_REDIRECT), false);
}

const struct row *xds_bind_listener(struct eval *ev, struct str key)
{
    return listener_row(ev, key, STR(SCOPE_BIND), true);
}
