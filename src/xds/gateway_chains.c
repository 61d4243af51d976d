/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_chains: see gateway_chains.h.
 *
 *   HTTP     one chain for all listeners of the port: the Host tells them apart
 *   HTTPS    a chain for each listener, by its hostname (SNI), with its certificates; they share
 *            the routes, which know by LISTENER_HEADER which chain a request came by
 *   TLS      a chain for each route's names, and one that refuses what else is the listener's;
 *            where TLS ends here, with the listener's certificates
 *   TCP      one chain
 *
 * Two chains of one name would make Envoy reject the whole Listener. Listeners that say the same
 * do not get here (they conflict); should they, the first has the name.
 */
#include "xds/gateway_chains.h"

#include "base/vec.h"
#include "xds/build.h"
#include "xds/gateway.h"
#include "xds/gateway_hcm.h"
#include "xds/gateway_tls.h"
#include "xds/hcm.h"
#include "xds/tcp_proxy.h"

/* From the end of a ClientHello; Envoy itself has none, and would wait for an hour. Up to there it
 * waits as long by default (listener_filters_timeout). */
#define HANDSHAKE_TIMEOUT_MS 15000

bool xds_entry_has(const struct gateway_entry *entry, const struct ir_listener *listener)
{
    return listener->served && listener->port == entry->port;
}

struct chains {
    const struct gateway_entry *entry;
    pb_listener *listener;
    VEC(struct str) taken; /* hostnames that have a chain; "": any other */
};

/* Whether the hostname was free. */
static bool take(struct chains *chains, struct str hostname)
{
    for (size_t i = 0; i < chains->taken.len; i++) {
        if (str_eq(chains->taken.items[i], hostname)) {
            return false;
        }
    }
    vec_push(&chains->taken, hostname);
    return true;
}

static void add(struct chains *chains, pb_filter_chain *chain)
{
    chains->listener->filter_chains[chains->listener->n_filter_chains++] = chain;
}

static void match_name(struct arena *arena, struct str hostname, pb_filter_chain *chain)
{
    if (hostname.len == 0 || str_eq(hostname, STR("*"))) {
        return;
    }
    chain->filter_chain_match = NEW(arena, pb_chain_match);
    chain->filter_chain_match->server_names = ARENA_ARRAY(arena, 1, char *);
    chain->filter_chain_match->server_names[chain->filter_chain_match->n_server_names++] =
        xds_text(arena, hostname);
}

static void terminate(struct arena *arena, const struct ir_listener *listener, bool http,
                      pb_filter_chain *chain)
{
    chain->transport_socket = xds_downstream_tls(arena, listener, http);
    chain->transport_socket_connect_timeout = xds_ms(arena, HANDSHAKE_TIMEOUT_MS);
}

/* --- requests ------------------------------------------------------------------------------- */

static pb_filter_chain *http_chain(const struct gateway_entry *entry, struct str listener,
                                   bool http3)
{
    struct arena *arena = entry->arena;
    const struct gateway_hcm hcm = {
        .entry = entry->name,
        .host = arena_printf(arena, "%.*s.%.*s", STR_FMT(entry->gateway->name),
                             STR_FMT(entry->gateway->ns)),
        .listener = listener,
        .http3 = http3,
    };
    pb_filter_chain *chain = xds_chain(arena, HCM_FILTER, &xds_gateway_hcm(arena, &hcm)->base);
    chain->name = xds_text(arena, listener.len > 0 ? listener : STR("http"));
    return chain;
}

static void add_https(struct chains *chains, const struct ir_listener *listener)
{
    if (!take(chains, listener->hostname)) {
        return;
    }
    struct arena *arena = chains->entry->arena;
    pb_filter_chain *chain = http_chain(chains->entry, listener->key, false);
    match_name(arena, listener->hostname, chain);
    terminate(arena, listener, true, chain);
    add(chains, chain);
}

/* --- connections ---------------------------------------------------------------------------- */

static void end_tls(struct arena *arena, const struct ir_listener *listener, pb_filter_chain *chain)
{
    if (listener == NULL || listener->protocol != IR_LISTENER_TLS) {
        return;
    }
    if (!listener->passthrough) {
        terminate(arena, listener, false, chain);
        return;
    }
    if (chain->filter_chain_match == NULL) {
        chain->filter_chain_match = NEW(arena, pb_chain_match);
    }
    chain->filter_chain_match->transport_protocol = (char *)"tls"; /* and nothing else */
}

static void add_route(struct chains *chains, const struct ir_l4_route *route)
{
    const struct gateway_entry *entry = chains->entry;
    struct ir_l4_route own = *route; /* with those names that are free */
    own.server_names.items = ARENA_ARRAY(entry->arena, route->server_names.len, struct str);
    own.server_names.len = 0;
    for (size_t i = 0; i < route->server_names.len; i++) {
        if (take(chains, route->server_names.items[i])) {
            own.server_names.items[own.server_names.len++] = route->server_names.items[i];
        }
    }
    if (route->server_names.len > 0 ? own.server_names.len == 0 : !take(chains, STR_NULL)) {
        return;
    }
    pb_filter_chain *chain = xds_l4_chain(entry->arena, &own);
    end_tls(entry->arena, ir_gateway_listener(entry->gateway, route->listener), chain);
    add(chains, chain);
}

/* --- all ------------------------------------------------------------------------------------ */

static void add_requests(struct chains *chains)
{
    const struct gateway_entry *entry = chains->entry;
    bool http = false;
    for (size_t i = 0; i < entry->gateway->listeners.len; i++) {
        const struct ir_listener *listener = &entry->gateway->listeners.items[i];
        if (xds_entry_has(entry, listener) && listener->protocol == IR_LISTENER_HTTPS) {
            add_https(chains, listener);
        }
        http = http || (xds_entry_has(entry, listener) && listener->protocol == IR_LISTENER_HTTP);
    }
    if (http && take(chains, STR_NULL)) {
        add(chains, http_chain(entry, STR_NULL, false));
    }
}

void xds_gateway_chains(const struct gateway_entry *entry, pb_listener *listener)
{
    struct chains chains = {.entry = entry, .listener = listener};
    size_t routes = entry->connections != NULL ? entry->connections->connections.len : 0;
    listener->filter_chains =
        ARENA_ARRAY(entry->arena, entry->gateway->listeners.len + routes, pb_filter_chain *);
    add_requests(&chains);
    for (size_t i = 0; i < routes; i++) {
        add_route(&chains, &entry->connections->connections.items[i]);
    }
    vec_release(&chains.taken);
}

void xds_quic_chains(const struct gateway_entry *entry, pb_listener *listener)
{
    struct chains chains = {.entry = entry, .listener = listener};
    listener->filter_chains =
        ARENA_ARRAY(entry->arena, entry->gateway->listeners.len, pb_filter_chain *);
    for (size_t i = 0; i < entry->gateway->listeners.len; i++) {
        const struct ir_listener *of = &entry->gateway->listeners.items[i];
        if (xds_entry_has(entry, of) && ir_speaks_http3(entry->gateway, of) &&
            take(&chains, of->hostname)) {
            pb_filter_chain *chain = http_chain(entry, of->key, true);
            match_name(entry->arena, of->hostname, chain);
            chain->transport_socket = xds_quic(entry->arena, of);
            add(&chains, chain);
        }
    }
    vec_release(&chains.taken);
}
