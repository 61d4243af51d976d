/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_l4: where the connections of a Gateway's entry go, and the sessions of UDP.
 *
 *   TCP, UDP   to the backends of the oldest route; the others wait for it to go
 *   TLS        by the server name. As of requests (gateway_routing.c) the most specific listener
 *              has a name alone, HTTPS listeners of the port among them; of its routes the one
 *              whose own hostname is the most specific, then the oldest. A TCPRoute, where the
 *              listener takes them, has what no TLSRoute has
 *
 * What nobody takes is refused. A TLS listener of several on a port refuses what no route of it
 * takes, so that it does not go to the routes of a broader one.
 */
#include "base/map.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "model/hostname.h"
#include "model/route.h"
#include "resolve/l4.h"
#include "resolve/resolve.h"
#include "resolve/rule.h"
#include "resolve/shares.h"

#define ONLY_RULE 0 /* v1 admits one */

struct str gateway_l4_name(struct arena *arena, const struct attachment *attachment,
                           struct str entry, int protocol, struct str listener)
{
    return protocol != IR_LISTENER_TLS ? arena_str(arena, entry)
                                       : arena_printf(arena, "%.*s/%.*s/%.*s", STR_FMT(entry),
                                                      STR_FMT(attachment->key), STR_FMT(listener));
}

struct entry { /* what is being put together */
    struct eval *ev;
    const struct ir_gateway *gateway;
    const struct entry_key *key;
    struct ir_routing *row;
};

static struct ir_l4_route *new_connection(struct entry *entry, const struct ir_listener *listener,
                                          struct str name)
{
    struct arena *arena = &entry->row->row.arena;
    struct ir_l4_route *connection = &entry->row->connections.items[entry->row->connections.len++];
    connection->listener = arena_str(arena, listener->key);
    connection->name = name;
    return connection;
}

static void set_backends(struct entry *entry, const struct ir_listener *listener,
                         const struct attachment *attachment, struct ir_l4_route *connection)
{
    struct arena *arena = &entry->row->row.arena;
    const struct route *route = (const struct route *)eval_get(entry->ev, T_ROUTE, attachment->key);
    const struct sender sender = {
        .ev = entry->ev, .gateway = entry->gateway, .passthrough = listener->passthrough};
    if (route == NULL) {
        return;
    }
    struct rule_view rule = route_rule(route, ONLY_RULE);
    connection->rule = arena_printf(arena, "%.*s/%d", STR_FMT(attachment->key), ONLY_RULE);
    connection->backends.len =
        shares_of_rule(arena, &sender, attachment, &rule, ONLY_RULE, &connection->backends.items);
    if (rule.fault.len > 0) {
        connection->reason = arena_str(arena, rule.fault);
    } else if (connection->backends.len == 0) {
        connection->reason = STR(RULE_WEIGHTLESS);
    }
}

/* --- TLS ------------------------------------------------------------------------------------ */

/* By SNI, which HTTPS listeners have, too. */
static const struct ir_listener *sni_owner(const struct entry *entry, struct str domain)
{
    const struct ir_listener *owner = NULL;
    for (size_t i = 0; i < entry->gateway->listeners.len; i++) {
        const struct ir_listener *listener = &entry->gateway->listeners.items[i];
        bool sni = listener->protocol == IR_LISTENER_TLS || listener->protocol == IR_LISTENER_HTTPS;
        if (!listener->served || !sni || listener->port != entry->key->port ||
            !hostname_covers(listener->hostname, domain)) {
            continue;
        }
        if (owner == NULL || hostname_cmp(listener->hostname, owner->hostname) < 0) {
            owner = listener;
        }
    }
    return owner;
}

struct claim { /* of a route to a domain of the listener */
    const struct attachment *attachment;
    struct str hostname;
};

static const struct attached_listener *attached_to(const struct attachment *attachment,
                                                   struct str listener)
{
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->listeners.len; j++) {
            if (str_eq(parent->listeners.items[j].key, listener)) {
                return &parent->listeners.items[j];
            }
        }
    }
    return NULL;
}

static void claim_domains(struct entry *entry, const struct ir_listener *listener,
                          const struct attachment *attachment, struct map *claims)
{
    const struct attached_listener *of = attached_to(attachment, listener->key);
    for (size_t i = 0; of != NULL && i < of->hosts.len; i++) {
        const struct attached_host *host = &of->hosts.items[i];
        if (sni_owner(entry, host->domain) != listener) {
            continue;
        }
        struct claim *present = map_get(claims, host->domain);
        if (present == NULL) {
            struct claim *claim = ARENA_NEW(eval_scratch(entry->ev), struct claim);
            *claim = (struct claim){attachment, host->hostname};
            (void)map_put(claims, host->domain, claim);
        } else if (hostname_cmp(host->hostname, present->hostname) < 0) {
            *present = (struct claim){attachment, host->hostname};
        }
    }
}

/* The domains that the route won, as server names; "*" is every connection. */
static void add_tls_route(struct entry *entry, const struct ir_listener *listener,
                          const struct attachment *attachment, struct map *claims)
{
    struct arena *arena = &entry->row->row.arena;
    const struct attached_listener *of = attached_to(attachment, listener->key);
    struct str *names = ARENA_ARRAY(arena, of->hosts.len, struct str);
    size_t len = 0;
    bool any = false;
    for (size_t i = 0; i < of->hosts.len; i++) {
        struct str domain = of->hosts.items[i].domain;
        struct claim *claim = map_get(claims, domain);
        if (claim == NULL || claim->attachment != attachment) {
            continue;
        }
        claim->attachment = NULL; /* taken: a route may come to one domain in two ways */
        any = any || str_eq(domain, STR("*"));
        names[len++] = arena_str(arena, domain);
    }
    if (len == 0) {
        return;
    }
    struct str name =
        gateway_l4_name(arena, attachment, entry->row->name, IR_LISTENER_TLS, listener->key);
    struct ir_l4_route *connection = new_connection(entry, listener, name);
    connection->server_names.items = names;
    connection->server_names.len = any ? 0 : len;
    set_backends(entry, listener, attachment, connection);
}

static void refuse_rest(struct entry *entry, const struct ir_listener *listener, bool taken)
{
    struct arena *arena = &entry->row->row.arena;
    if (taken) {
        return;
    }
    struct ir_l4_route *connection = new_connection(
        entry, listener,
        arena_printf(arena, "%.*s/%.*s", STR_FMT(entry->key->entry), STR_FMT(listener->key)));
    connection->reason = STR("no route of the listener takes the connection");
    if (listener->hostname.len > 0) {
        connection->server_names.items = ARENA_NEW(arena, struct str);
        connection->server_names.items[0] = arena_str(arena, listener->hostname);
        connection->server_names.len = 1;
    }
}

static void add_tls_listener(struct entry *entry, const struct ir_listener *listener)
{
    struct row_span attached = eval_group(entry->ev, X_LISTENER_ROUTES, listener->key);
    struct map claims = {.slots = NULL};
    for (size_t i = 0; i < attached.len; i++) {
        claim_domains(entry, listener, (const struct attachment *)attached.rows[i], &claims);
    }
    struct str own = listener->hostname.len > 0 ? listener->hostname : STR("*");
    bool taken = map_get(&claims, own) != NULL;
    for (size_t i = 0; i < attached.len; i++) {
        const struct attachment *attachment = (const struct attachment *)attached.rows[i];
        add_tls_route(entry, listener, attachment, &claims);
    }
    refuse_rest(entry, listener, taken);
    map_release(&claims);
}

/* --- TCP, UDP ------------------------------------------------------------------------------- */

static void add_plain_listener(struct entry *entry, const struct ir_listener *listener)
{
    struct row_span attached = eval_group(entry->ev, X_LISTENER_ROUTES, listener->key);
    struct ir_l4_route *connection =
        new_connection(entry, listener, arena_str(&entry->row->row.arena, entry->row->name));
    if (attached.len > 0) {
        set_backends(entry, listener, (const struct attachment *)attached.rows[0], connection);
    } else {
        connection->reason = STR("no route is attached to the listener");
    }
}

/* --- both ----------------------------------------------------------------------------------- */

static bool is_of(const struct entry_key *key, const struct ir_listener *listener)
{
    bool connections =
        listener->protocol == IR_LISTENER_TCP || listener->protocol == IR_LISTENER_TLS;
    return listener->served && listener->port == key->port &&
           (key->udp ? listener->protocol == IR_LISTENER_UDP : connections);
}

/* How many connections there may be at most. */
static size_t count_room(struct eval *ev, const struct ir_gateway *gateway,
                         const struct entry_key *key)
{
    size_t room = 0;
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        const struct ir_listener *listener = &gateway->listeners.items[i];
        if (is_of(key, listener)) {
            room += eval_group(ev, X_LISTENER_ROUTES, listener->key).len + 1;
        }
    }
    return room;
}

const struct row *resolve_gateway_l4(struct eval *ev, struct str key)
{
    struct entry_key parts = entry_key_parse(key);
    const struct ir_gateway *gateway =
        (const struct ir_gateway *)eval_get(ev, T_GATEWAYS, parts.gateway);
    size_t room = gateway != NULL && gateway->accepted ? count_room(ev, gateway, &parts) : 0;
    if (room == 0) {
        return NULL; /* of requests only */
    }
    struct ir_routing *row = row_new(sizeof(*row), 256 + room * sizeof(struct ir_l4_route));
    row->name = arena_str(&row->row.arena, key);
    row->connections.items = ARENA_ARRAY(&row->row.arena, room, struct ir_l4_route);
    struct entry entry = {.ev = ev, .gateway = gateway, .key = &parts, .row = row};
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        const struct ir_listener *listener = &gateway->listeners.items[i];
        if (!is_of(&parts, listener)) {
            continue;
        }
        if (listener->protocol == IR_LISTENER_TLS) {
            add_tls_listener(&entry, listener);
        } else {
            add_plain_listener(&entry, listener);
        }
    }
    return &row->row;
}
