/* SPDX-License-Identifier: Apache-2.0 */
/* plan_requests: requests for the matches of what changed, and what becomes of them. */
#include "pipeline/plan_requests.h"

#include "base/map.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/sample.h"
#include "pipeline/plan.h"
#include "pipeline/plan_verdict.h"
#include "resolve/key.h"

/* --- the rows ------------------------------------------------------------------------------- */

struct collecting {
    struct plan_requests *requests;
    const struct engine *engine;
    struct plan_ports *ports;
};

static void collect_routing(void *user, struct str key, const struct row *row)
{
    struct collecting *collecting = user;
    const struct ir_port *port = (const struct ir_port *)engine_get(collecting->engine, T_PORT,
                                                                    port_key_parse(key).port_key);
    struct plan_routing routing = {
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
    struct collecting collecting = {requests, engine, ports};
    engine_each(engine, T_ROUTING, collect_routing, &collecting);
    engine_each(engine, T_ENDPOINTS, collect_endpoints, &collecting);
}

void plan_requests_before(struct plan_requests *requests, const struct engine *engine)
{
    collect(requests, engine, &requests->before);
}

/* --- requests for a match ------------------------------------------------------------------- */

/* Which client is asked: a sidecar, unless none could see the port. */
static struct client_class class_for(const struct engine *engine,
                                     const struct plan_routing *routing)
{
    bool envoy = engine_get(engine, T_VIEW, STR(SCOPE_ENVOY)) != NULL;
    bool grpc = engine_get(engine, T_VIEW, STR(SCOPE_GRPC)) != NULL;
    struct port_key key = port_key_parse(routing->key);
    return (struct client_class){
        .role = routing->headless || (grpc && !envoy) ? ROLE_PROXYLESS : ROLE_SIDECAR,
        .ns = key.client_ns.len > 0 ? key.client_ns : key.ns,
    };
}

/* "web.shop:8000" */
static struct str authority_of(struct arena *arena, const struct plan_routing *routing)
{
    struct port_key key = port_key_parse(routing->key);
    return arena_printf(arena, "%.*s.%.*s:%d", STR_FMT(key.service), STR_FMT(key.ns),
                        (int)key.port);
}

/* As it would be asked of `heddle why`. False when no client could send it so. */
static bool make_request(struct arena *arena, const struct plan_routing *routing,
                         const struct sample *made, const struct client_class *class,
                         struct plan_sample *sample)
{
    struct question *question = &sample->question;
    sample->url = arena_printf(arena, "http://%.*s%.*s", STR_FMT(authority_of(arena, routing)),
                               STR_FMT(made->path));
    if (!question_parse(made->method, sample->url, arena, question, NULL)) {
        return false;
    }
    for (size_t i = 0; i < made->headers.len; i++) {
        struct str header = arena_printf(arena, "%.*s: %.*s", STR_FMT(made->headers.items[i].name),
                                         STR_FMT(made->headers.items[i].value));
        if (!question_add_header(header, &question->request, NULL)) {
            return false;
        }
    }
    question->client = class;
    return question_fits(question, NULL);
}

/* A connection that a route takes, by the first of its server names if it has any. */
static bool make_connection(struct arena *arena, const struct plan_routing *routing,
                            const struct ir_l4_route *route, const struct client_class *class,
                            struct plan_sample *sample)
{
    bool tls = route->server_names.len > 0;
    struct question *question = &sample->question;
    sample->url = arena_printf(arena, "%s://%.*s", tls ? "tls" : "tcp",
                               STR_FMT(authority_of(arena, routing)));
    if (!question_parse(STR(""), sample->url, arena, question, NULL)) {
        return false;
    }
    question->client = class;
    if (tls) {
        struct str name = route->server_names.items[0];
        bool any = str_starts_with(name, STR("*."));
        name = any ? arena_printf(arena, "x%.*s", STR_FMT(str_sub(name, 1, name.len))) : name;
        return question_set_server_name(name, question, NULL) && question_fits(question, NULL);
    }
    return question_fits(question, NULL);
}

static struct plan_sample *sample_new(struct plan_requests *requests, const struct ir_routing *of,
                                      size_t nth, bool of_before)
{
    struct plan_sample *sample = ARENA_NEW(&requests->arena, struct plan_sample);
    sample->of = of;
    sample->nth = nth;
    sample->of_before = of_before;
    return sample;
}

/* False when none was found. */
static bool add_requests(struct plan_requests *requests, const struct plan_routing *routing,
                         size_t nth, const struct client_class *class, bool of_before)
{
    struct arena *arena = &requests->arena;
    const struct ir_routing *row = routing->row;
    bool grpc = str_eq(row->kind, STR("GRPCRoute")) || class->role == ROLE_PROXYLESS;
    bool any = false;
    for (unsigned i = 0; i < SAMPLE_PATHS_MAX; i++) {
        struct sample made;
        if (!sample_of_match(&row->routes.items[nth].match, grpc, i, arena, &made)) {
            break;
        }
        struct plan_sample *sample = sample_new(requests, row, nth, of_before);
        if (make_request(arena, routing, &made, class, sample)) {
            vec_push(&requests->samples, sample);
            any = true;
        }
    }
    return any;
}

static bool add_connection(struct plan_requests *requests, const struct plan_routing *routing,
                           size_t nth, const struct client_class *class, bool of_before)
{
    struct plan_sample *sample = sample_new(requests, routing->row, nth, of_before);
    bool made = make_connection(&requests->arena, routing, &routing->row->connections.items[nth],
                                class, sample);
    if (made) {
        vec_push(&requests->samples, sample);
    }
    return made;
}

static void sample_routing(struct plan_requests *requests, const struct engine *engine,
                           const struct plan_routing *routing, bool of_before)
{
    struct client_class *class = ARENA_NEW(&requests->arena, struct client_class);
    *class = class_for(engine, routing);
    bool looks = routing->row->http || class->role == ROLE_PROXYLESS;
    size_t len = looks ? routing->row->routes.len : routing->row->connections.len;
    for (size_t i = 0; i < len; i++) {
        bool room = i < PLAN_SAMPLES_PER_PORT_MAX && requests->samples.len < PLAN_SAMPLES_MAX;
        bool made = room && (looks ? add_requests(requests, routing, i, class, of_before)
                                   : add_connection(requests, routing, i, class, of_before));
        requests->left_out += made ? 0 : 1;
    }
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
        any = any || map_get(turned, backends[i].cluster) != NULL;
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
        int order = old == NULL ? 1 : new == NULL ? -1 : str_cmp(old->key, new->key);
        bool same = order == 0 && old->row == new->row;
        if (order <= 0 && (!same || sends_to(old->row, turned))) {
            sample_routing(requests, engine, old, true);
        }
        if (order >= 0 && !same) {
            sample_routing(requests, engine, new, false);
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
    struct str key = arena_printf(arena, "%d %.*s %.*s %.*s %.*s", (int)client->role,
                                  STR_FMT(client->ns), STR_FMT(request->method),
                                  STR_FMT(sample->url), STR_FMT(sample->question.server_name));
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
    json_key(json, "asked");
    json_uint(json, seen.len);
    json_key(json, "left_out");
    json_uint(json, requests->left_out);
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
