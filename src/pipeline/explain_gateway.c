/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain_gateway: what becomes of what comes in at a Gateway.
 *
 *   port ─► the listeners that it has, and which protocol
 *     HTTP          Host ─► domain                                           no domain: 404
 *     HTTPS, TLS    server name ─► listener                                  none: closed
 *                     ─► HTTPS: Host ─► domain; of another listener: 421
 *                     ─► TLS:   the route with the server name
 *     TCP, UDP      the oldest route
 *
 * It is what Envoy does with the resources of xds/gateway_chains.c and xds/gateway_routes.c, told
 * from the rows that they are made from.
 */
#include "ir/graph.h"
#include "pipeline/explain_site.h"
#include "pipeline/passing.h"

/* --- the host ------------------------------------------------------------------------------- */

/* By which domains are looked up: Envoy leaves out the port, and a dot at the end. */
static struct str host_of(const struct telling *telling)
{
    struct str name = passing_host_name(telling->host);
    bool dot = name.len > 1 && str_ends_with(name, STR("."));
    return arena_lower(telling->arena, str_sub(name, 0, dot ? name.len - 1 : name.len));
}

/* --- requests ------------------------------------------------------------------------------- */

/* The virtual host of the Host: the domain itself, then the longest wildcard, then "*". */
static const struct ir_routing *find_domain(const struct site *site, struct str *ret_key)
{
    const struct engine *engine = site->telling->engine;
    struct str entry = entry_name(site->arena, site->key, site->question->port);
    struct str rest = site->host;
    struct str domain = site->host;
    const struct row *row = NULL;
    while (row == NULL && domain.len > 0) {
        *ret_key = arena_printf(site->arena, "%.*s|%.*s", STR_FMT(entry), STR_FMT(domain));
        row = engine_get(engine, T_GATEWAY_ROUTING, *ret_key);
        (void)str_cut(&rest, '.');
        domain = rest.len > 0               ? arena_printf(site->arena, "*.%.*s", STR_FMT(rest))
                 : str_eq(domain, STR("*")) ? STR_NULL
                                            : STR("*");
    }
    return (const struct ir_routing *)row;
}

static void tell_domain(const struct site *site, const struct ir_routing *domain)
{
    explain_text(site->telling, "routing",
                 arena_printf(site->arena,
                              "domain '%.*s' of listener '%.*s': the routes of its hostnames, the "
                              "most specific first",
                              STR_FMT(domain->domain), STR_FMT(domain->listener)));
}

static bool has_gone_round(const struct request *request)
{
    bool round = false;
    for (size_t i = 0; i < request->nheaders; i++) {
        round = round || (str_eq_nocase(request->headers[i].name, STR(PASSED_HEADER)) &&
                          str_ends_with(request->headers[i].value, STR(PASSES_MAX)));
    }
    return round;
}

/* arrived: the listener that the connection came by. */
static void explain_host(const struct site *site, const struct ir_listener *arrived,
                         struct explained *ret_explained)
{
    struct telling *telling = site->telling;
    struct str key;
    const struct ir_routing *domain = find_domain(site, &key);
    ret_explained->http = true;
    ret_explained->table = T_GATEWAY_ROUTING;
    ret_explained->routing = domain != NULL ? key : STR_NULL;
    ret_explained->config = entry_name(site->arena, site->key, site->question->port);
    if (domain == NULL) {
        struct str why = arena_printf(site->arena, "no listener of port %d has the host '%.*s'",
                                      (int)site->question->port, STR_FMT(site->host));
        explain_text(telling, "routing", why);
        explain_unattached(telling, &(struct asked_routes){.host = site->host});
        explain_error(telling, HTTP_NOT_FOUND, why);
        return;
    }
    tell_domain(site, domain);
    if (has_gone_round(telling->request)) {
        explain_error(telling, HTTP_LOOP_DETECTED,
                      STR("the request has passed four Gateways, as its header " PASSED_HEADER
                          " says: a route leads back to a Gateway"));
        return;
    }
    if (arrived != NULL && arrived->protocol == IR_LISTENER_HTTPS &&
        !str_eq(domain->listener, arrived->key)) {
        explain_error(telling, HTTP_MISDIRECTED,
                      arena_printf(site->arena,
                                   "the server name '%.*s' led to listener '%.*s', but the host "
                                   "'%.*s' is listener '%.*s's: it wants a connection of its own",
                                   STR_FMT(site->question->server_name), STR_FMT(arrived->key),
                                   STR_FMT(site->host), STR_FMT(domain->listener)));
        return;
    }
    ret_explained->taker = explain_rules(telling, domain);
    const struct asked_routes asked = {domain, domain->listener, site->host,
                                       ret_explained->taker != NULL};
    explain_unattached(telling, &asked);
    if (domain->routes.len > 0) {
        explain_decision(telling, ret_explained->taker);
    } else {
        explain_error(telling, HTTP_NOT_FOUND,
                      arena_printf(site->arena,
                                   "no route that is attached to listener '%.*s' has the host",
                                   STR_FMT(domain->listener)));
    }
}

/* --- connections ---------------------------------------------------------------------------- */

static void explain_routes(const struct site *site, const struct ir_listener *listener,
                           struct explained *ret_explained)
{
    struct telling *telling = site->telling;
    struct question question = *site->question; /* what TLS holds is not looked into */
    struct str entry = entry_name(site->arena, site->key, site->question->port);
    struct str key = site->udp ? arena_printf(site->arena, "%.*s/udp", STR_FMT(entry)) : entry;
    const struct ir_routing *routing =
        (const struct ir_routing *)engine_get(telling->engine, T_GATEWAY_L4, key);
    bool tcp_too = listener->protocol == IR_LISTENER_TLS && (listener->kinds & 1 << KIND_TCPROUTE);
    explain_text(telling, "routing",
                 arena_printf(site->arena, "the %sRoutes%s of listener '%.*s'",
                              site_protocol(listener), tcp_too ? " and TCPRoutes" : "",
                              STR_FMT(listener->key)));
    if (routing == NULL) {
        explain_closed(telling, STR("no route is attached"));
        return;
    }
    question.about = question.https ? ABOUT_TLS : question.about;
    telling->question = &question;
    ret_explained->table = T_GATEWAY_L4;
    ret_explained->routing = key;
    ret_explained->config = key;
    const struct ir_l4_route *winner = explain_connection_rules(telling, routing);
    const struct asked_routes asked = {routing, listener->key, question.server_name,
                                       winner != NULL && winner->rule.len > 0};
    explain_unattached(telling, &asked);
    explain_connection_decision(telling, winner, ret_explained);
    telling->question = site->question;
}

/* --- all of it ------------------------------------------------------------------------------ */

/* Why the Gateway serves nothing at all; empty: it serves. */
static struct str why_nothing(const struct site *site)
{
    const struct engine *engine = site->telling->engine;
    const struct gateway *written =
        (const struct gateway *)engine_get(engine, T_GATEWAY, site->key);
    if (written == NULL) {
        return arena_printf(site->arena, "there is no Gateway '%.*s'", STR_FMT(site->key));
    }
    if (site->gateway == NULL) {
        bool there = engine_get(engine, T_CLASS, written->class) != NULL;
        return arena_printf(site->arena, "%s GatewayClass '%.*s'%s",
                            there ? "the Gateway is of" : "there is no", STR_FMT(written->class),
                            there ? ", of which heddle is not the controller" : "");
    }
    if (site->gateway->accepted) {
        return STR_NULL;
    }
    const struct condition *why =
        site->gateway->conditions.len > 0 ? &site->gateway->conditions.items[0] : NULL;
    return arena_printf(site->arena, "the Gateway is not accepted: %.*s",
                        STR_FMT(why != NULL ? why->message : STR_NULL));
}

/* Why the protocols do not meet; empty: they do. */
static struct str why_not_spoken(const struct site *site, const struct ir_listener *first)
{
    const struct question *question = site->question;
    bool tls = question->about == ABOUT_TLS || question->https;
    if (site_speaks_tls(first) && !tls) {
        return arena_printf(site->arena,
                            "port %d speaks TLS; ask https://…, or tls://… for a connection",
                            (int)question->port);
    }
    if (first->protocol == IR_LISTENER_HTTP && (tls || question->about != ABOUT_REQUEST)) {
        return arena_printf(site->arena, "port %d speaks HTTP without TLS; ask METHOD http://…",
                            (int)question->port);
    }
    return STR_NULL;
}

static void refuse(const struct site *site, struct str why)
{
    explain_text(site->telling, "routing", why);
    explain_closed(site->telling, why);
}

/* Nobody has the server name; a route may nonetheless. */
static void nobody(const struct site *site, struct str name)
{
    struct str why =
        name.len > 0
            ? arena_printf(site->arena,
                           "no listener of port %d has a hostname that covers the server name "
                           "'%.*s'",
                           (int)site->question->port, STR_FMT(name))
            : STR("the ClientHello asks for no server name, and all listeners of the port have "
                  "hostnames");
    explain_text(site->telling, "routing", why);
    explain_unattached(site->telling, &(struct asked_routes){.host = name});
    explain_closed(site->telling, why);
}

static void explain_port(struct site *site, const struct ir_listener *first,
                         struct explained *ret_explained)
{
    struct str name = site_name(site, first);
    struct str unspoken = why_not_spoken(site, first);
    site->spoken = unspoken.len == 0;
    const struct ir_listener *winner = unspoken.len == 0 ? site_choose(site, name) : NULL;
    site_tell_listeners(site, name, winner);
    if (unspoken.len > 0) {
        refuse(site, unspoken);
    } else if (first->protocol == IR_LISTENER_HTTP) {
        explain_host(site, winner, ret_explained);
    } else if (winner == NULL) {
        nobody(site, name);
    } else if (winner->protocol != IR_LISTENER_HTTPS) {
        explain_routes(site, winner, ret_explained);
    } else if (site->question->about == ABOUT_REQUEST) {
        explain_host(site, winner, ret_explained);
    } else {
        refuse(site, arena_printf(site->arena,
                                  "listener '%.*s' reads HTTP within TLS; ask METHOD https://…",
                                  STR_FMT(winner->key)));
    }
}

static struct str why_no_port(const struct site *site)
{
    for (size_t i = 0; site->udp && i < site->gateway->listeners.len; i++) {
        const struct ir_listener *listener = &site->gateway->listeners.items[i];
        if (listener->port == site->question->port && ir_speaks_http3(site->gateway, listener)) {
            return arena_printf(site->arena,
                                "UDP port %d is for HTTP/3, which goes by the same routes as "
                                "HTTP/2; ask METHOD https://…",
                                (int)listener->port);
        }
    }
    for (size_t i = 0; i < site->gateway->listeners.len; i++) {
        const struct ir_listener *listener = &site->gateway->listeners.items[i];
        if (listener->port == site->question->port &&
            (listener->protocol == IR_LISTENER_UDP) == site->udp) {
            return arena_printf(site->arena, "listener '%.*s' is not served: %.*s",
                                STR_FMT(listener->key), STR_FMT(listener->why_not));
        }
    }
    return arena_printf(site->arena, "the Gateway has no listener on %s port %d",
                        site->udp ? "UDP" : "TCP", (int)site->question->port);
}

void explain_gateway(struct telling *telling, struct explained *ret_explained)
{
    struct request arrived;
    struct site site = {
        .telling = telling,
        .question = telling->question,
        .arena = telling->arena,
        .key = telling->question->client->gateway,
        .host = host_of(telling),
        .udp = telling->question->about == ABOUT_UDP,
    };
    site.gateway = (const struct ir_gateway *)engine_get(telling->engine, T_GATEWAYS, site.key);
    telling->gateway = site.gateway;
    passing_arrive(telling->question, telling->arena, &arrived);
    telling->request = &arrived;
    explain_text(telling, "gateway", site.key);
    struct str nothing = why_nothing(&site);
    if (nothing.len > 0) {
        if (site.gateway != NULL) {
            site_tell_listeners(&site, STR_NULL, NULL);
        }
        refuse(&site, nothing);
        return;
    }
    const struct ir_listener *first = site_first(&site);
    if (first != NULL) {
        explain_port(&site, first, ret_explained);
        return;
    }
    site_tell_listeners(&site, STR_NULL, NULL);
    refuse(&site, why_no_port(&site));
}
