/* SPDX-License-Identifier: Apache-2.0 */
/*
 * excerpt: of a Gateway what one reader needs, so that a change of one listener is read again by
 * those alone whom it concerns, and not by each route and domain of the Gateway.
 *
 *   "NS/NAME"                     the Gateway and its own listeners: for routes that name it as
 *                                 their parent, and for clusters
 *   "NS/NAME|NS/SET"              … and those of one ListenerSet
 *   "gateway/NS/NAME:PORT|HOST"   … and the served listener of HTTP(S) of that hostname: for the
 *                                 domains that it owns
 *
 * What routes do not ask of a listener, such as certificates and conditions, is left out.
 */
#include "resolve/excerpt.h"
#include "base/panic.h"
#include "ir/graph.h"
#include "resolve/listener.h"
#include "resolve/resolve.h"

static struct ir_gateway *start(const struct ir_gateway *gateway, size_t room)
{
    struct ir_gateway *row = row_new(sizeof(*row), 256 + room * (sizeof(struct ir_listener) + 64));
    struct arena *arena = &row->row.arena;
    row->ns = arena_str(arena, gateway->ns);
    row->name = arena_str(arena, gateway->name);
    row->accepted = gateway->accepted;
    row->client_certificate = arena_str(arena, gateway->client_certificate);
    row->parameters = ARENA_NEW(arena, struct ir_parameters);
    row->parameters->mesh_routes = gateway->parameters->mesh_routes;
    row->parameters->http3 = gateway->parameters->http3;
    row->listeners.items = ARENA_ARRAY(arena, room, struct ir_listener);
    return row;
}

static void add(struct ir_gateway *row, const struct ir_listener *from)
{
    struct arena *arena = &row->row.arena;
    row->listeners.items[row->listeners.len++] = (struct ir_listener){
        .key = arena_str(arena, from->key),
        .set = arena_str(arena, from->set),
        .name = arena_str(arena, from->name),
        .port = from->port,
        .protocol = from->protocol,
        .hostname = arena_str(arena, from->hostname),
        .served = from->served,
        .passthrough = from->passthrough,
        .client_certs = from->client_certs,
        .kinds = from->kinds,
        .from = from->from,
        .home = arena_str(arena, from->home),
        .selector = from->selector != NULL ? listener_copy_selector(arena, from->selector) : NULL,
    };
}

/* --- of those who name a parent ------------------------------------------------------------- */

static const struct row *of_parent(const struct ir_gateway *gateway, struct str set)
{
    const struct ir_listener_set *from = ir_gateway_set(gateway, set);
    size_t room = 0;
    if (set.len > 0 && from == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        room += str_eq(gateway->listeners.items[i].set, set);
    }
    struct ir_gateway *row = start(gateway, room);
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        if (str_eq(gateway->listeners.items[i].set, set)) {
            add(row, &gateway->listeners.items[i]);
        }
    }
    if (from != NULL) {
        row->sets.items = ARENA_ARRAY(&row->row.arena, 1, struct ir_listener_set);
        row->sets.items[row->sets.len++] = (struct ir_listener_set){
            .key = arena_str(&row->row.arena, from->key), .allowed = from->allowed};
    }
    return &row->row;
}

const struct ir_gateway *excerpt_of_parent(struct eval *ev, struct str gateway, struct str set)
{
    struct str key =
        set.len > 0 ? arena_printf(eval_scratch(ev), "%.*s|%.*s", STR_FMT(gateway), STR_FMT(set))
                    : gateway;
    return (const struct ir_gateway *)eval_get(ev, T_EXCERPT, key);
}

void resolve_parents(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct ir_gateway *gateway = (const struct ir_gateway *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 1024);
    group_emit(emit, key);
    for (size_t i = 0; i < gateway->sets.len; i++) {
        group_emit(emit, arena_printf(&scratch, "%.*s|%.*s", STR_FMT(key),
                                      STR_FMT(gateway->sets.items[i].key)));
    }
    arena_release(&scratch);
}

/* --- of a hostname --------------------------------------------------------------------------- */

static bool is_of(const struct ir_listener *listener, const struct entry_key *parts)
{
    struct str hostname = listener->hostname.len > 0 ? listener->hostname : STR("*");
    return listener->served && listener->port == parts->port && ir_listener_is_http(listener) &&
           str_eq(hostname, parts->domain);
}

static const struct row *of_host(const struct ir_gateway *gateway, const struct entry_key *parts)
{
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        const struct ir_listener *listener = &gateway->listeners.items[i];
        if (is_of(listener, parts)) {
            struct ir_gateway *row = start(gateway, 1);
            add(row, listener);
            row->parameters->http3 = ir_speaks_http3(gateway, listener);
            return &row->row;
        }
    }
    return NULL;
}

const struct ir_gateway *excerpt_of_host(struct eval *ev, struct str entry, struct str host)
{
    struct str key = arena_printf(eval_scratch(ev), "%.*s|%.*s", STR_FMT(entry), STR_FMT(host));
    return (const struct ir_gateway *)eval_get(ev, T_EXCERPT, key);
}

const struct row *resolve_excerpt(struct eval *ev, struct str key)
{
    bool host = str_index(key, ':') < key.len; /* no name of an object has one */
    struct str rest = key;
    struct str gateway_key = host ? entry_key_parse(key).gateway : str_cut(&rest, '|');
    const struct ir_gateway *gateway =
        (const struct ir_gateway *)eval_get(ev, T_GATEWAYS, gateway_key);
    if (gateway == NULL) {
        return NULL;
    }
    if (host) {
        struct entry_key parts = entry_key_parse(key);
        return of_host(gateway, &parts);
    }
    return of_parent(gateway, rest);
}
