/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_listener: the Listeners of an entry: one for TCP, one beside it for QUIC, or one for UDP.
 *
 * Nothing of a Listener but its filter chains depends on which listeners of the port there are. So
 * one that comes, goes or changes is an update in place: the connections of the others live on.
 */
#include "ir/client.h"
#include "ir/graph.h"
#include "xds/alias_gateway.h"
#include "xds/build.h"
#include "xds/gateway.h"
#include "xds/gateway_chains.h"
#include "xds/secret.h"
#include "xds/xds.h"

#define LISTENERS_MAX 4 /* of an entry: TCP and QUIC, for gateways with IPv6 and without */

struct reach { /* how a Listener is reached, and by whom it is heard of */
    struct str scope;
    bool ipv6; /* in Kubernetes: by IPv6, too */
    bool udp;
};

/* --- addresses ------------------------------------------------------------------------------ */

static void add_address(struct arena *arena, struct str ip, int32_t port, bool udp,
                        pb_listener *listener)
{
    pb_address *address = xds_address(arena, ip, port);
    if (udp) {
        address->socket_address->protocol = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PROTOCOL__UDP;
    }
    if (listener->address == NULL) {
        listener->address = address;
        return;
    }
    pb_additional_address *more = NEW(arena, pb_additional_address);
    more->address = address;
    listener->additional_addresses[listener->n_additional_addresses++] = more;
}

static bool in_kubernetes(struct eval *ev)
{
    const struct settings_row *settings =
        (const struct settings_row *)eval_get(ev, T_SETTINGS, STR_NULL);
    return settings != NULL && settings->kubernetes;
}

/* In Kubernetes a gateway is alone in its pod; elsewhere it takes the addresses that it is given,
 * and, as it is given none, bothers nobody outside of the machine. */
static void set_addresses(struct eval *ev, const struct gateway_entry *entry,
                          const struct reach *reach, pb_listener *listener)
{
    bool kubernetes = in_kubernetes(ev);
    int32_t port = ir_bound_port(kubernetes, entry->port);
    const struct ir_gateway *gateway = entry->gateway;
    listener->additional_addresses =
        ARENA_ARRAY(entry->arena, gateway->wanted.len + 1, pb_additional_address *);
    for (size_t i = 0; i < gateway->wanted.len && !kubernetes; i++) {
        if (str_eq(gateway->wanted.items[i].type, STR("IPAddress"))) {
            add_address(entry->arena, gateway->wanted.items[i].value, port, reach->udp, listener);
        }
    }
    if (listener->address == NULL) {
        add_address(entry->arena, kubernetes ? STR("0.0.0.0") : STR("127.0.0.1"), port, reach->udp,
                    listener);
    }
    if (kubernetes && reach->ipv6) {
        add_address(entry->arena, STR("::"), port, reach->udp, listener);
    }
}

static pb_listener *new_listener(struct eval *ev, const struct gateway_entry *entry,
                                 struct str name, const struct reach *reach)
{
    pb_listener *listener = NEW(entry->arena, pb_listener);
    listener->name = xds_text(entry->arena, name);
    listener->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__INBOUND;
    listener->per_connection_buffer_limit_bytes = xds_u32(entry->arena, GATEWAY_BUFFER_BYTES);
    set_addresses(ev, entry, reach, listener);
    return listener;
}

/* --- TCP ------------------------------------------------------------------------------------ */

static bool has_protocol(const struct gateway_entry *entry, int protocol)
{
    for (size_t i = 0; i < entry->gateway->listeners.len; i++) {
        const struct ir_listener *listener = &entry->gateway->listeners.items[i];
        if (xds_entry_has(entry, listener) && listener->protocol == protocol) {
            return true;
        }
    }
    return false;
}

/* PROXY protocol comes before all else on a connection. */
static void add_listener_filters(const struct gateway_entry *entry, pb_listener *listener)
{
    struct arena *arena = entry->arena;
    if (entry->gateway->parameters != NULL && entry->gateway->parameters->proxy_protocol) {
        xds_add_listener_filter(arena, listener, "envoy.filters.listener.proxy_protocol",
                                &NEW(arena, pb_proxy_protocol)->base);
    }
    if (has_protocol(entry, IR_LISTENER_HTTPS) || has_protocol(entry, IR_LISTENER_TLS)) {
        xds_add_listener_filter(arena, listener, "envoy.filters.listener.tls_inspector",
                                &NEW(arena, pb_tls_inspector)->base);
    }
}

static void add_tcp(struct eval *ev, const struct gateway_entry *entry, struct reach reach,
                    struct resource_row *row)
{
    pb_listener *listener = new_listener(ev, entry, entry->name, &reach);
    add_listener_filters(entry, listener);
    xds_gateway_chains(entry, listener);
    if (listener->n_filter_chains > 0) { /* Envoy rejects one without */
        resource_row_add(row, XDS_LDS, reach.scope, entry->name, STR_NULL, &listener->base);
    }
}

static void add_quic(struct eval *ev, const struct gateway_entry *entry, struct reach reach,
                     struct resource_row *row)
{
    reach.udp = true;
    struct str name = arena_printf(entry->arena, "%.*s/quic", STR_FMT(entry->name));
    pb_listener *listener = new_listener(ev, entry, name, &reach);
    listener->udp_listener_config = NEW(entry->arena, pb_udp_listener);
    listener->udp_listener_config->quic_options = NEW(entry->arena, pb_quic_listener);
    xds_quic_chains(entry, listener);
    if (listener->n_filter_chains > 0) {
        resource_row_add(row, XDS_LDS, reach.scope, name, STR_NULL, &listener->base);
    }
}

static void add_trusts(struct eval *ev, const struct gateway_entry *entry, struct str scope,
                       struct resource_row *row)
{
    for (size_t i = 0; i < entry->gateway->listeners.len; i++) {
        const struct ir_listener *listener = &entry->gateway->listeners.items[i];
        if (xds_entry_has(entry, listener)) {
            xds_add_trust(ev, row, scope, listener->key, listener->authorities.items,
                          listener->authorities.len);
        }
    }
}

/* --- UDP ------------------------------------------------------------------------------------ */

/* All datagrams to one cluster, which is composed of the backends (gateway_l4.c). */
static pb_udp_proxy *udp_proxy(struct arena *arena, struct str cluster)
{
    pb_udp_route *route = NEW(arena, pb_udp_route);
    route->cluster = xds_text(arena, cluster);
    pb_udp_proxy *proxy = NEW(arena, pb_udp_proxy);
    proxy->stat_prefix = route->cluster;
    proxy->route_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__UDP__UDP_PROXY__V3__UDP_PROXY_CONFIG__ROUTE_SPECIFIER_MATCHER;
    proxy->matcher = NEW(arena, pb_matcher);
    proxy->matcher->on_no_match = NEW(arena, pb_on_match);
    proxy->matcher->on_no_match->on_match_case =
        XDS__TYPE__MATCHER__V3__MATCHER__ON_MATCH__ON_MATCH_ACTION;
    proxy->matcher->on_no_match->action = NEW(arena, pb_matcher_action);
    proxy->matcher->on_no_match->action->name = (char *)"route";
    proxy->matcher->on_no_match->action->typed_config = xds_any(arena, &route->base);
    return proxy;
}

static void add_udp(struct eval *ev, const struct gateway_entry *entry, struct reach reach,
                    struct resource_row *row)
{
    reach.udp = true;
    if (has_protocol(entry, IR_LISTENER_UDP)) {
        pb_listener *listener = new_listener(ev, entry, entry->name, &reach);
        xds_add_listener_filter(entry->arena, listener, "envoy.filters.udp_listener.udp_proxy",
                                &udp_proxy(entry->arena, entry->name)->base);
        resource_row_add(row, XDS_LDS, reach.scope, entry->name, STR_NULL, &listener->base);
    }
}

/* --- all ------------------------------------------------------------------------------------ */

static void add_listeners(struct eval *ev, const struct gateway_entry *entry, bool udp,
                          struct reach reach, struct resource_row *row)
{
    if (udp) {
        add_udp(ev, entry, reach, row);
    } else {
        add_tcp(ev, entry, reach, row);
        add_quic(ev, entry, reach, row);
    }
}

const struct row *xds_gateway_listener(struct eval *ev, struct str key)
{
    struct entry_key parts = entry_key_parse(key);
    const struct ir_gateway *gateway =
        (const struct ir_gateway *)eval_get(ev, T_GATEWAYS, parts.gateway);
    struct str scope = xds_gateway_scope(ev, parts.gateway);
    if (gateway == NULL || !gateway->accepted || scope.len == 0) {
        return NULL;
    }
    const struct gateway_entry entry = {
        .arena = eval_scratch(ev),
        .gateway = gateway,
        .connections =
            parts.udp ? NULL : (const struct ir_routing *)eval_get(ev, T_GATEWAY_L4, key),
        .name = parts.entry,
        .port = parts.port,
    };
    struct resource_row *row = resource_row_new(LISTENERS_MAX + gateway->listeners.len);
    add_listeners(ev, &entry, parts.udp, (struct reach){.scope = scope}, row);
    add_trusts(ev, &entry, scope, row);
    struct str scope6 = arena_printf(entry.arena, SCOPE_GATEWAY6 "%.*s", STR_FMT(parts.gateway));
    if (in_kubernetes(ev) && eval_get(ev, T_VIEW, scope6) != NULL) {
        add_listeners(ev, &entry, parts.udp, (struct reach){.scope = scope6, .ipv6 = true}, row);
    }
    return &row->row;
}
