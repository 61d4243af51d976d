/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_samples: a request for each match, as a client would send it: of a Service port a sidecar,
 * of a Gateway whoever is outside, to a host of the domain.
 */
#include "pipeline/plan_samples.h"

#include "ir/client.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "ir/sample.h"
#include "pipeline/plan.h"
#include "pipeline/plan_verdict.h"
#include "resolve/key.h"

#define HTTP_PORT 80
#define HTTPS_PORT 443

/* Where samples of a routing are sent, and by whom. */
struct addressee {
    struct client_class *class;
    const char *scheme; /* of requests */
    struct str authority;
};

/* --- the mesh ------------------------------------------------------------------------------- */

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
static struct str authority_of(struct arena *arena, struct str key)
{
    struct port_key parts = port_key_parse(key);
    return arena_printf(arena, "%.*s.%.*s:%d", STR_FMT(parts.service), STR_FMT(parts.ns),
                        (int)parts.port);
}

/* --- Gateways ------------------------------------------------------------------------------- */

/* A name that a pattern takes. */
static struct str host_in(struct arena *arena, struct str pattern)
{
    if (pattern.len == 0 || str_eq(pattern, STR("*"))) {
        return STR("any.invalid"); /* RFC 2606: nobody's */
    }
    return str_starts_with(pattern, STR("*."))
               ? arena_printf(arena, "x%.*s", STR_FMT(str_sub(pattern, 1, pattern.len)))
               : pattern;
}

static bool is_https(const struct engine *engine, struct str gateway, struct str listener)
{
    const struct ir_gateway *row =
        (const struct ir_gateway *)engine_get(engine, T_GATEWAYS, gateway);
    const struct ir_listener *found = row != NULL ? ir_gateway_listener(row, listener) : NULL;
    return found != NULL && found->protocol == IR_LISTENER_HTTPS;
}

static struct addressee at_gateway(struct arena *arena, const struct engine *engine,
                                   const struct plan_routing *routing)
{
    struct entry_key parts = entry_key_parse(routing->key);
    bool https = is_https(engine, parts.gateway, routing->row->listener);
    struct str host = host_in(arena, parts.domain);
    struct str ns = parts.gateway;
    struct addressee to = {
        .class = ARENA_NEW(arena, struct client_class),
        .scheme = https ? "https" : "http",
        .authority = host,
    };
    *to.class = (struct client_class){
        .role = ROLE_GATEWAY, .gateway = parts.gateway, .ns = str_cut(&ns, '/')};
    if (routing->table == T_GATEWAY_L4 || parts.port != (https ? HTTPS_PORT : HTTP_PORT)) {
        to.authority = arena_printf(arena, "%.*s:%d", STR_FMT(host), (int)parts.port);
    }
    return to;
}

static struct addressee addressee_of(struct arena *arena, const struct engine *engine,
                                     const struct plan_routing *routing)
{
    if (routing->table != T_ROUTING) {
        return at_gateway(arena, engine, routing);
    }
    struct addressee to = {
        .class = ARENA_NEW(arena, struct client_class),
        .scheme = "http",
        .authority = authority_of(arena, routing->key),
    };
    *to.class = class_for(engine, routing);
    return to;
}

/* --- requests for a match ------------------------------------------------------------------- */

/* As it would be asked of `heddle why`. False when no client could send it so. */
static bool make_request(struct arena *arena, const struct addressee *to, const struct sample *made,
                         struct plan_sample *sample)
{
    struct question *question = &sample->question;
    sample->url = arena_printf(arena, "%s://%.*s%.*s", to->scheme, STR_FMT(to->authority),
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
    question->client = to->class;
    return question_fits(question, NULL);
}

/* A connection that a route takes, by the first of its server names if it has any. */
static bool make_connection(struct arena *arena, const struct addressee *to, bool udp,
                            const struct ir_l4_route *route, struct plan_sample *sample)
{
    bool tls = route->server_names.len > 0;
    struct question *question = &sample->question;
    sample->url = arena_printf(arena, "%s://%.*s",
                               udp   ? "udp"
                               : tls ? "tls"
                                     : "tcp",
                               STR_FMT(to->authority));
    if (!question_parse(STR(""), sample->url, arena, question, NULL)) {
        return false;
    }
    question->client = to->class;
    if (tls) {
        struct str name = host_in(arena, route->server_names.items[0]);
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
                         size_t nth, const struct addressee *to, bool of_before)
{
    struct arena *arena = &requests->arena;
    const struct ir_routing *row = routing->row;
    bool grpc = str_eq(row->kind, STR("GRPCRoute")) || to->class->role == ROLE_PROXYLESS;
    bool any = false;
    for (unsigned i = 0; i < SAMPLE_PATHS_MAX; i++) {
        struct sample made;
        if (!sample_of_match(&row->routes.items[nth].match, grpc, i, arena, &made)) {
            break;
        }
        struct plan_sample *sample = sample_new(requests, row, nth, of_before);
        if (make_request(arena, to, &made, sample)) {
            vec_push(&requests->samples, sample);
            any = true;
        }
    }
    return any;
}

static bool add_connection(struct plan_requests *requests, const struct plan_routing *routing,
                           size_t nth, const struct addressee *to, bool of_before)
{
    struct plan_sample *sample = sample_new(requests, routing->row, nth, of_before);
    bool udp = routing->table == T_GATEWAY_L4 && entry_key_parse(routing->key).udp;
    bool made =
        make_connection(&requests->arena, to, udp, &routing->row->connections.items[nth], sample);
    if (made) {
        vec_push(&requests->samples, sample);
    }
    return made;
}

/* What a Gateway's listener refuses is no route. */
static bool is_route(const struct plan_routing *routing, bool looks, size_t nth)
{
    return looks || routing->table != T_GATEWAY_L4 ||
           routing->row->connections.items[nth].rule.len > 0;
}

void plan_samples_of(struct plan_requests *requests, const struct engine *engine,
                     const struct plan_routing *routing, bool of_before)
{
    const struct addressee to = addressee_of(&requests->arena, engine, routing);
    bool looks = routing->row->http || to.class->role == ROLE_PROXYLESS;
    size_t len = looks ? routing->row->routes.len : routing->row->connections.len;
    for (size_t i = 0; i < len; i++) {
        if (!is_route(routing, looks, i)) {
            continue;
        }
        bool room = i < PLAN_SAMPLES_PER_PORT_MAX && requests->samples.len < PLAN_SAMPLES_MAX;
        bool made = room && (looks ? add_requests(requests, routing, i, &to, of_before)
                                   : add_connection(requests, routing, i, &to, of_before));
        requests->left_out += made ? 0 : 1;
    }
}
