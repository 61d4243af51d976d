/* SPDX-License-Identifier: Apache-2.0 */
/* explain_listeners: which listener of a Gateway's port has a name, and why the others have not. */
#include <stdlib.h>

#include "base/vec.h"
#include "ir/graph.h"
#include "model/hostname.h"
#include "pipeline/explain_site.h"

#define LISTENERS_TOLD_MAX 50

const char *site_protocol(const struct ir_listener *listener)
{
    static const char *const names[] = {
        [IR_LISTENER_HTTP] = "HTTP", [IR_LISTENER_HTTPS] = "HTTPS",
        [IR_LISTENER_TLS] = "TLS",   [IR_LISTENER_TCP] = "TCP",
        [IR_LISTENER_UDP] = "UDP",   [IR_LISTENER_UNKNOWN] = "unknown",
    };
    return names[listener->protocol];
}

/* --- who listens ---------------------------------------------------------------------------- */

static bool is_here(const struct site *site, const struct ir_listener *listener)
{
    return listener->served && listener->port == site->question->port &&
           (listener->protocol == IR_LISTENER_UDP) == site->udp;
}

const struct ir_listener *site_first(const struct site *site)
{
    for (size_t i = 0; i < site->gateway->listeners.len; i++) {
        if (is_here(site, &site->gateway->listeners.items[i])) {
            return &site->gateway->listeners.items[i];
        }
    }
    return NULL;
}

bool site_speaks_tls(const struct ir_listener *listener)
{
    return listener->protocol == IR_LISTENER_HTTPS || listener->protocol == IR_LISTENER_TLS;
}

struct str site_name(const struct site *site, const struct ir_listener *first)
{
    if (site_speaks_tls(first)) {
        return site->question->server_name;
    }
    return first->protocol == IR_LISTENER_HTTP ? site->host : STR_NULL;
}

const struct ir_listener *site_choose(const struct site *site, struct str name)
{
    const struct ir_listener *best = NULL;
    for (size_t i = 0; i < site->gateway->listeners.len; i++) {
        const struct ir_listener *listener = &site->gateway->listeners.items[i];
        if (is_here(site, listener) && hostname_covers(listener->hostname, name) &&
            (best == NULL || hostname_cmp(listener->hostname, best->hostname) < 0)) {
            best = listener;
        }
    }
    return best;
}

/* --- telling the listeners ------------------------------------------------------------------ */

struct considered {
    const struct ir_listener *listener;
    enum { TAKES, BROADER, OTHER_NAME, NOT_SPOKEN, NOT_SERVED, OTHER_PORT } place;
    size_t order; /* as written */
};

static int by_place(const void *a, const void *b)
{
    const struct considered *ca = a, *cb = b;
    int order = (ca->place > cb->place) - (ca->place < cb->place);
    if (order == 0 && ca->place == OTHER_PORT) {
        order =
            (ca->listener->port > cb->listener->port) - (ca->listener->port < cb->listener->port);
    } else if (order == 0) {
        order = hostname_cmp(ca->listener->hostname, cb->listener->hostname);
    }
    return order != 0 ? order : (ca->order > cb->order) - (ca->order < cb->order);
}

static struct considered consider(const struct site *site, size_t order, struct str name,
                                  const struct ir_listener *winner)
{
    struct considered it = {&site->gateway->listeners.items[order], TAKES, order};
    if (it.listener->port != site->question->port ||
        (it.listener->protocol == IR_LISTENER_UDP) != site->udp) {
        it.place = OTHER_PORT;
    } else if (!it.listener->served || !site->gateway->accepted) {
        it.place = NOT_SERVED;
    } else if (winner == NULL && !site->spoken) {
        it.place = NOT_SPOKEN;
    } else if (it.listener != winner) {
        it.place = hostname_covers(it.listener->hostname, name) ? BROADER : OTHER_NAME;
    }
    return it;
}

static struct str verdict(const struct site *site, const struct considered *it, struct str name)
{
    struct arena *arena = site->arena;
    const struct ir_listener *listener = it->listener;
    switch (it->place) {
    case TAKES:
        return listener->protocol == IR_LISTENER_HTTP
                   ? arena_printf(arena, "takes the host '%.*s'", STR_FMT(name))
                   : STR("takes the connection");
    case BROADER:
        return arena_printf(arena, "covers '%.*s', too, but its hostname is less specific",
                            STR_FMT(name));
    case OTHER_NAME:
        return name.len == 0
                   ? STR("the ClientHello asks for no server name, and it has a hostname")
                   : arena_printf(arena, "its hostname does not cover '%.*s'", STR_FMT(name));
    case NOT_SPOKEN:
        return arena_printf(arena, "it speaks %s", site_protocol(listener));
    case NOT_SERVED:
        return arena_printf(
            arena, "it is not served: %.*s",
            STR_FMT(listener->served ? STR("the Gateway is not accepted") : listener->why_not));
    default:
        return arena_printf(arena, "it listens on %s port %d",
                            listener->protocol == IR_LISTENER_UDP ? "UDP" : "TCP",
                            (int)listener->port);
    }
}

/* Where its text stands. */
static void tell_origin(const struct site *site, const struct ir_listener *listener)
{
    bool own = listener->set.len == 0;
    const struct row *row = engine_get(site->telling->engine, own ? T_GATEWAY : T_LISTENERSET,
                                       own ? site->key : listener->set);
    const struct listener *items = NULL;
    size_t len = 0;
    if (row != NULL && own) {
        items = ((const struct gateway *)row)->listeners.items;
        len = ((const struct gateway *)row)->listeners.len;
    } else if (row != NULL) {
        items = ((const struct listener_set *)row)->listeners.items;
        len = ((const struct listener_set *)row)->listeners.len;
    }
    for (size_t i = 0; i < len; i++) {
        if (str_eq(items[i].name, listener->name)) {
            explain_text(site->telling, "file", ((const struct object *)row)->origin.file);
            json_key(site->telling->json, "line");
            json_uint(site->telling->json, items[i].line);
        }
    }
}

static void tell_listener(const struct site *site, const struct considered *it, struct str name)
{
    struct json *json = site->telling->json;
    json_open(json, '{');
    explain_text(site->telling, "listener", it->listener->key);
    tell_origin(site, it->listener);
    json_key(json, "port");
    json_int(json, it->listener->port);
    json_key(json, "protocol");
    json_text(json, site_protocol(it->listener));
    if (ir_speaks_http3(site->gateway, it->listener)) {
        json_key(json, "http3");
        json_bool(json, true);
    }
    if (it->listener->client_certs != IR_CERTS_NONE) {
        explain_text(site->telling, "client_certificate",
                     it->listener->client_certs == IR_CERTS_REQUIRED ? STR("required")
                                                                     : STR("asked for"));
    }
    explain_text(site->telling, "hostname",
                 it->listener->hostname.len > 0 ? it->listener->hostname : STR("*"));
    explain_text(site->telling, "verdict", verdict(site, it, name));
    json_close(json, '}');
}

void site_tell_listeners(const struct site *site, struct str name, const struct ir_listener *winner)
{
    VEC(struct considered) all = {NULL, 0, 0};
    struct json *json = site->telling->json;
    if (explain_leaves_out(site->telling, EXPLAIN_RULES)) {
        return;
    }
    for (size_t i = 0; i < site->gateway->listeners.len; i++) {
        vec_push(&all, consider(site, i, name, winner));
    }
    if (all.len > 0) {
        qsort(all.items, all.len, sizeof(all.items[0]), by_place);
    }
    json_key(json, "listeners");
    json_open(json, '[');
    size_t told = 0;
    for (size_t i = 0; i < all.len && told < LISTENERS_TOLD_MAX; i++) {
        if (all.items[i].place != OTHER_PORT || all.items[0].place == OTHER_PORT) {
            tell_listener(site, &all.items[i], name);
            told++;
        }
    }
    json_close(json, ']');
    vec_release(&all);
}
