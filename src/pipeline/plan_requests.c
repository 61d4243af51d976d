/* SPDX-License-Identifier: Apache-2.0 */
/* plan_requests: which routings differ, and what becomes of the requests for their matches. */
#include "pipeline/plan_requests.h"

#include "base/map.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "pipeline/plan_samples.h"
#include "pipeline/plan_verdict.h"
#include "resolve/key.h"

/* --- the rows ------------------------------------------------------------------------------- */

struct collecting {
    struct plan_requests *requests;
    const struct engine *engine;
    struct plan_ports *ports;
    unsigned table;
};

static void collect_routing(void *user, struct str key, const struct row *row)
{
    struct collecting *collecting = user;
    const struct ir_port *port = collecting->table == T_ROUTING
                                     ? (const struct ir_port *)engine_get(
                                           collecting->engine, T_PORT, port_key_parse(key).port_key)
                                     : NULL;
    struct plan_routing routing = {
        .table = collecting->table,
        .key = arena_str(&collecting->requests->arena, key),
        .row = (const struct ir_routing *)row_ref(row),
        .headless = port != NULL && port->ips.len == 0,
    };
    vec_push(&collecting->ports->routings, routing);
}

static void collect_endpoints(void *user, struct str key, const struct row *row)
{
    struct collecting *collecting = user;
    const struct ir_endpoints *endpoints = (const struct ir_endpoints *)row;
    struct plan_endpoints item = {.key = arena_str(&collecting->requests->arena, key)};
    for (size_t i = 0; i < endpoints->localities.len; i++) {
        item.ready = item.ready || endpoints->localities.items[i].endpoints.len > 0;
    }
    vec_push(&collecting->ports->endpoints, item);
}

static void collect(struct plan_requests *requests, const struct engine *engine,
                    struct plan_ports *ports)
{
    static const unsigned tables[] = {T_ROUTING, T_GATEWAY_ROUTING, T_GATEWAY_L4};
    struct collecting collecting = {requests, engine, ports, 0};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        collecting.table = tables[i];
        engine_each(engine, tables[i], collect_routing, &collecting);
    }
    engine_each(engine, T_ENDPOINTS, collect_endpoints, &collecting);
}

void plan_requests_before(struct plan_requests *requests, const struct engine *engine)
{
    collect(requests, engine, &requests->before);
}

/* --- what differs --------------------------------------------------------------------------- */

/* Notes the ports that gain their first or lose their last endpoint. */
static void find_turned(struct plan_requests *requests, struct map *turned)
{
    struct plan_ports *before = &requests->before;
    struct plan_ports *after = &requests->after;
    size_t i = 0;
    size_t j = 0;
    while (i < before->endpoints.len || j < after->endpoints.len) {
        struct plan_endpoints *old = i < before->endpoints.len ? &before->endpoints.items[i] : NULL;
        struct plan_endpoints *new = j < after->endpoints.len ? &after->endpoints.items[j] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : str_cmp(old->key, new->key);
        if (order != 0 || old->ready != new->ready) {
            struct plan_endpoints *any = order <= 0 ? old : new;
            map_put(turned, any->key, any);
        }
        i += order <= 0 ? 1 : 0;
        j += order >= 0 ? 1 : 0;
    }
}

static bool any_of(const struct ir_backend *backends, size_t len, const struct map *turned)
{
    bool any = false;
    for (size_t i = 0; i < len; i++) {
        struct str port = upstream_name_parse(backends[i].cluster).port;
        any = any || map_get(turned, port) != NULL;
    }
    return any;
}

static bool sends_to(const struct ir_routing *row, const struct map *turned)
{
    bool any = false;
    for (size_t i = 0; turned->len > 0 && i < row->routes.len; i++) {
        const struct ir_route *route = &row->routes.items[i];
        any = any || any_of(route->backends.items, route->backends.len, turned);
    }
    for (size_t i = 0; turned->len > 0 && i < row->connections.len; i++) {
        const struct ir_l4_route *route = &row->connections.items[i];
        any = any || any_of(route->backends.items, route->backends.len, turned);
    }
    return any;
}

static int routing_cmp(const struct plan_routing *a, const struct plan_routing *b)
{
    int order = (a->table > b->table) - (a->table < b->table);
    return order != 0 ? order : str_cmp(a->key, b->key);
}

/* Rows that are equal are the same row: the engine keeps the one before. */
static void sample_changed(struct plan_requests *requests, const struct engine *engine,
                           const struct map *turned)
{
    const struct plan_ports *before = &requests->before;
    const struct plan_ports *after = &requests->after;
    size_t i = 0;
    size_t j = 0;
    while (i < before->routings.len || j < after->routings.len) {
        const struct plan_routing *old =
            i < before->routings.len ? &before->routings.items[i] : NULL;
        const struct plan_routing *new = j < after->routings.len ? &after->routings.items[j] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : routing_cmp(old, new);
        bool same = order == 0 && old->row == new->row;
        if (order <= 0 && (!same || sends_to(old->row, turned))) {
            plan_samples_of(requests, engine, old, true);
        }
        if (order >= 0 && !same) {
            plan_samples_of(requests, engine, new, false);
        }
        i += order <= 0 ? 1 : 0;
        j += order >= 0 ? 1 : 0;
    }
}

void plan_requests_after(struct plan_requests *requests, const struct engine *engine)
{
    struct map turned = {.len = 0};
    collect(requests, engine, &requests->after);
    find_turned(requests, &turned);
    sample_changed(requests, engine, &turned);
    map_release(&turned);
    for (size_t i = 0; i < requests->samples.len; i++) {
        struct plan_sample *sample = requests->samples.items[i];
        plan_ask(engine, sample, &requests->arena, &sample->after);
    }
}

/* --- telling -------------------------------------------------------------------------------- */

/* Of the samples for one match, from i on: the one that the match itself took, on its own side, or
 * the first. */
static const struct plan_sample *choose(const struct plan_requests *requests, size_t i,
                                        size_t *ret_next)
{
    const struct plan_sample *first = requests->samples.items[i];
    const struct plan_sample *chosen = NULL;
    while (i < requests->samples.len && requests->samples.items[i]->of == first->of &&
           requests->samples.items[i]->nth == first->nth &&
           requests->samples.items[i]->of_before == first->of_before) {
        const struct plan_sample *sample = requests->samples.items[i++];
        const struct plan_verdict *own = sample->of_before ? &sample->before : &sample->after;
        chosen = chosen == NULL && own->own ? sample : chosen;
    }
    *ret_next = i;
    return chosen != NULL ? chosen : first;
}

/* What makes two samples one. */
static struct str sample_key(struct arena *arena, const struct plan_sample *sample)
{
    const struct request *request = &sample->question.request;
    const struct client_class *client = sample->question.client;
    struct str key =
        arena_printf(arena, "%d %.*s %.*s %.*s %.*s %.*s", (int)client->role, STR_FMT(client->ns),
                     STR_FMT(client->gateway), STR_FMT(request->method), STR_FMT(sample->url),
                     STR_FMT(sample->question.server_name));
    for (size_t i = 0; i < request->nheaders; i++) {
        key = arena_printf(arena, "%.*s\n%.*s:%.*s", STR_FMT(key),
                           STR_FMT(request->headers[i].name), STR_FMT(request->headers[i].value));
    }
    return key;
}

void plan_requests_back(struct plan_requests *requests, const struct engine *engine,
                        struct json *json)
{
    struct map seen = {.len = 0};
    for (size_t i = 0; i < requests->samples.len; i++) {
        struct plan_sample *sample = requests->samples.items[i];
        plan_ask(engine, sample, &requests->arena, &sample->before);
    }
    json_key(json, "requests");
    json_open(json, '[');
    for (size_t i = 0; i < requests->samples.len;) {
        const struct plan_sample *sample = choose(requests, i, &i);
        struct str key = sample_key(&requests->arena, sample);
        if (map_put(&seen, key, requests) == NULL) {
            plan_tell(sample, &requests->arena, json);
        }
    }
    json_close(json, ']');
    json_member_uint(json, "asked", seen.len);
    json_member_uint(json, "left_out", requests->left_out);
    map_release(&seen);
}

static void release_ports(struct plan_ports *ports)
{
    for (size_t i = 0; i < ports->routings.len; i++) {
        row_unref((struct row *)(uintptr_t)ports->routings.items[i].row, NULL);
    }
    vec_release(&ports->routings);
    vec_release(&ports->endpoints);
}

void plan_requests_release(struct plan_requests *requests)
{
    release_ports(&requests->before);
    release_ports(&requests->after);
    vec_release(&requests->samples);
    arena_release(&requests->arena);
}
