/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_routing: the ordered routes of one domain of a Gateway's entry.
 *
 *   domain ─► the listener that owns it ─► its routes, by their own hostname ─► their matches
 *
 * - Isolation: the most specific listener that covers the domain has it alone ("only the most
 *   specific listener's routes apply", ListenerStatus); one without routes answers 404.
 * - Precedence between hostnames: "characters in a matching non-wildcard hostname, characters in a
 *   matching hostname" (HTTPRouteSpec.hostnames), of the route's own hostname, whatever it is cut
 *   down to by the listener's. What no route of a hostname takes falls through to the next less
 *   specific one. Envoy looks into one virtual host only, so all stand in that of the domain.
 * - A route that lost the listener to one of another kind is left out (rivals.c).
 */
#include "base/map.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "resolve/candidates.h"
#include "resolve/excerpt.h"
#include "resolve/policy.h"
#include "resolve/resolve.h"

struct hosts {
    struct str *items;
    size_t len;
};

struct domain { /* what is being put together */
    struct eval *ev;
    const struct ir_rivals *rivals; /* NULL: there are none */
    struct str listener;
    struct map seen;         /* attachments that are in already, by a more specific hostname */
    struct candidates *sets; /* of each hostname */
    size_t nsets;
    size_t total; /* candidates of all */
    enum kind_id kind;
};

static void add_host(struct domain *domain, struct str hostname)
{
    struct eval *ev = domain->ev;
    struct arena *scratch = eval_scratch(ev);
    struct row_span group = eval_group(
        ev, X_LISTENER_HOSTS,
        arena_printf(scratch, "%.*s|%.*s", STR_FMT(domain->listener), STR_FMT(hostname)));
    const struct attachment **attached = ARENA_ARRAY(scratch, group.len, const struct attachment *);
    size_t len = 0;
    for (size_t i = 0; i < group.len; i++) {
        const struct attachment *attachment = (const struct attachment *)group.rows[i];
        if (map_get(&domain->seen, attachment->key) == NULL &&
            ir_rivals_winner(domain->rivals, attachment->key).len == 0) {
            (void)map_put(&domain->seen, attachment->key, domain);
            attached[len++] = attachment;
            domain->kind = (enum kind_id)attachment->kind;
        }
    }
    if (len > 0) {
        domain->sets[domain->nsets] = candidates_of(ev, attached, len);
        domain->total += domain->sets[domain->nsets++].len;
    }
}

static size_t count_labels(struct str host)
{
    size_t labels = 1;
    for (size_t i = 0; i < host.len; i++) {
        labels += host.ptr[i] == '.';
    }
    return labels;
}

/* All hostnames that cover a domain, the most specific first: "a.b.c", "*.b.c", "*.c", "*". */
static struct hosts hosts_of(struct arena *scratch, struct str name)
{
    struct hosts hosts = {.items = ARENA_ARRAY(scratch, count_labels(name) + 2, struct str)};
    struct str rest = name;
    if (!str_eq(name, STR("*"))) {
        hosts.items[hosts.len++] = name;
        (void)str_cut(&rest, '.'); /* its first label, or "*" */
    }
    while (rest.len > 0 && !str_eq(name, STR("*"))) {
        struct str wild = arena_printf(scratch, "*.%.*s", STR_FMT(rest));
        if (!str_eq(wild, name)) {
            hosts.items[hosts.len++] = wild;
        }
        (void)str_cut(&rest, '.');
    }
    hosts.items[hosts.len++] = STR("*");
    return hosts;
}

/* The Gateway with the listener that owns the domain alone; NULL: nobody does. */
static const struct ir_gateway *owner_of(struct eval *ev, struct str entry, struct hosts hosts)
{
    const struct ir_gateway *owner = NULL;
    for (size_t i = 0; owner == NULL && i < hosts.len; i++) {
        owner = excerpt_of_host(ev, entry, hosts.items[i]);
    }
    return owner;
}

static struct ir_routing *make_row(const struct domain *domain, const struct ir_gateway *gateway,
                                   const struct entry_key *parts)
{
    const struct ir_listener *owner = &gateway->listeners.items[0];
    struct ir_routing *row =
        row_new(sizeof(*row), 128 + domain->total * (sizeof(struct ir_route) + ROUTE_HINT));
    struct arena *arena = &row->row.arena;
    row->name = arena_str(arena, parts->entry);
    row->domain = arena_str(arena, parts->domain);
    row->listener = arena_str(arena, owner->key);
    row->https = owner->protocol == IR_LISTENER_HTTPS;
    row->http3 = gateway->parameters->http3;
    row->kind = domain->kind < KIND_COUNT ? str_from(kind_info(domain->kind)->kind) : STR_NULL;
    row->http = true;
    row->routes.items = ARENA_ARRAY(arena, domain->total, struct ir_route);
    struct arrival arrival = {
        .port = owner->port,
        .https = row->https,
        .sender = {.ev = domain->ev, .gateway = gateway, .requests = true},
    };
    for (size_t i = 0; i < domain->nsets; i++) {
        for (size_t j = 0; j < domain->sets[i].len; j++) {
            const struct candidate *candidate = &domain->sets[i].items[j];
            arrival.sender.grpc = candidate->route->object.kind == KIND_GRPCROUTE;
            candidate_route(arena, candidate, &arrival, &row->routes.items[row->routes.len++]);
        }
    }
    return row;
}

const struct row *resolve_gateway_routing(struct eval *ev, struct str key)
{
    struct entry_key parts = entry_key_parse(key);
    struct hosts hosts = hosts_of(eval_scratch(ev), parts.domain);
    const struct ir_gateway *gateway = owner_of(ev, parts.entry, hosts);
    if (gateway == NULL || !gateway->accepted) {
        return NULL;
    }
    struct str listener = gateway->listeners.items[0].key;
    struct domain domain = {
        .ev = ev,
        .rivals = (const struct ir_rivals *)eval_get(ev, T_RIVALS, listener),
        .listener = listener,
        .sets = ARENA_ARRAY(eval_scratch(ev), hosts.len, struct candidates),
        .kind = KIND_COUNT,
    };
    for (size_t i = 0; i < hosts.len; i++) {
        add_host(&domain, hosts.items[i]);
    }
    map_release(&domain.seen);
    struct ir_routing *row = make_row(&domain, gateway, &parts);
    policy_sessions(ev, row);
    return &row->row;
}
