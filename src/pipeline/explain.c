/* SPDX-License-Identifier: Apache-2.0 */
/* explain: why a request goes where it goes. */
#include "pipeline/explain.h"

#include <string.h>

#include "ir/client.h"
#include "ir/graph.h"
#include "model/route.h"
#include "resolve/key.h"
#include "resolve/rule.h"
#include "xds/row.h"

#define RULES_TOLD_MAX 50      /* rules that did not match are told up to here */
#define ENDPOINTS_TOLD_MAX 100 /* of each backend */

struct telling {
    const struct mesh *mesh;
    const struct engine *engine;
    const struct question *question;
    struct arena *arena;
    struct json *json;
};

static void text(struct telling *telling, const char *key, struct str value)
{
    json_key(telling->json, key);
    json_str(telling->json, value);
}

/* --- the question --------------------------------------------------------------------------- */

static bool split_authority(struct str authority, struct question *question, struct err *err)
{
    size_t colon = str_rindex(authority, ':');
    uint64_t port = 80;
    if (colon < authority.len &&
        (!str_to_u64(str_sub(authority, colon + 1, authority.len), &port) || port == 0 ||
         port > 65535)) {
        return err_set(err, "'%.*s' has no port number after the ':'", STR_FMT(authority));
    }
    question->host = str_sub(authority, 0, colon);
    question->port = (int32_t)port;
    if (question->host.len == 0) {
        return err_set(err, "'%.*s' names no host", STR_FMT(authority));
    }
    return true;
}

bool question_parse(struct str method, struct str url, struct arena *arena,
                    struct question *ret_question, struct err *err)
{
    static const struct str schemes[] = {STR("http://"), STR("grpc://"), STR("xds:///")};
    struct question question;
    memset(&question, 0, sizeof(question));
    struct str rest = STR_NULL;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (str_starts_with(url, schemes[i])) {
            rest = str_sub(url, schemes[i].len, url.len);
        }
    }
    if (rest.ptr == NULL) {
        return err_set(err,
                       "'%.*s' is not a URL; write http://HOST:PORT/PATH, grpc://… or "
                       "xds:///…",
                       STR_FMT(url));
    }
    size_t slash = str_index(rest, '/');
    if (!split_authority(str_sub(rest, 0, slash), &question, err)) {
        return false;
    }
    struct str path = slash < rest.len ? str_sub(rest, slash, rest.len) : STR("/");
    path = str_sub(path, 0, str_index(path, '#'));
    size_t mark = str_index(path, '?');
    question.request.method = arena_str(arena, method);
    question.request.path = arena_str(arena, str_sub(path, 0, mark));
    question.request.query =
        mark < path.len ? arena_str(arena, str_sub(path, mark + 1, path.len)) : STR_NULL;
    *ret_question = question;
    return true;
}

/* --- which Service port --------------------------------------------------------------------- */

struct by_ip {
    const struct question *question;
    struct str key;
};

static void visit_port(void *user, struct str key, const struct row *row)
{
    struct by_ip *search = user;
    const struct ir_port *port = (const struct ir_port *)row;
    for (size_t i = 0; i < port->ips.len; i++) {
        if (port->port == search->question->port &&
            str_eq(port->ips.items[i], search->question->host)) {
            search->key = key;
        }
    }
}

/* By ClusterIP, or by name: svc.ns[.svc[.domain]], and svc alone in the client's namespace. */
static struct str find_port(struct telling *telling)
{
    const struct question *question = telling->question;
    struct by_ip search = {.question = question};
    engine_each(telling->engine, T_PORT, visit_port, &search);
    if (search.key.len > 0) {
        return search.key;
    }
    struct str rest = question->host;
    struct str service = str_cut(&rest, '.');
    struct str ns = str_cut(&rest, '.');
    struct str key = port_key_make(telling->arena, ns.len > 0 ? ns : question->client->ns, service,
                                   question->port, STR_NULL);
    return engine_get(telling->engine, T_PORT, key) != NULL ? key : STR_NULL;
}

/* --- the rules ------------------------------------------------------------------------------ */

/* "HTTPRoute/ns/name/2" -> the route's row, and the rule's number. */
static const struct route *route_of(struct telling *telling, struct str rule, size_t *ret_rule)
{
    size_t slash = str_rindex(rule, '/');
    uint64_t number = 0;
    (void)str_to_u64(str_sub(rule, slash + 1, rule.len), &number);
    *ret_rule = (size_t)number;
    return (const struct route *)engine_get(telling->engine, T_ROUTE, str_sub(rule, 0, slash));
}

static void tell_rule_place(struct telling *telling, struct str rule)
{
    size_t number;
    const struct route *route = rule.len > 0 ? route_of(telling, rule, &number) : NULL;
    if (route == NULL) {
        text(telling, "rule", STR("(the Service's default: no route is attached)"));
        return;
    }
    text(telling, "rule", rule);
    text(telling, "file", route->object.origin.file);
    json_key(telling->json, "line");
    json_uint(telling->json, number < route_rule_count(route) ? route_rule_line(route, number) : 0);
}

static unsigned path_rank(const struct ir_match *match)
{
    static const unsigned ranks[] = {
        [IR_PATH_EXACT] = 3,      [IR_PATH_REGEX] = 2, [IR_PATH_PREFIX] = 1,
        [IR_PATH_RAW_PREFIX] = 1, [IR_PATH_ANY] = 0,
    };
    return ranks[match->path_type];
}

/* Why the winner stands before another that matches, too. */
static const char *why_before(const struct ir_route *winner, const struct ir_route *loser)
{
    const struct ir_match *a = &winner->match;
    const struct ir_match *b = &loser->match;
    if (path_rank(a) != path_rank(b) || a->path.len != b->path.len) {
        return "its path is less specific";
    }
    if ((a->method.len > 0) != (b->method.len > 0)) {
        return "it asks for no method";
    }
    if (a->headers.len != b->headers.len) {
        return "it asks for fewer headers";
    }
    if (a->query.len != b->query.len) {
        return "it asks for fewer query parameters";
    }
    return "it stands in a younger route or a later rule";
}

/* gRPC requests are POSTs without a query; xds/ leaves out for gRPC what cannot match them. */
static struct str why_not(struct telling *telling, const struct ir_route *route)
{
    return ir_match_why_not(&route->match, &telling->question->request, telling->arena);
}

static const struct ir_route *tell_rules(struct telling *telling, const struct ir_routing *routing)
{
    const struct ir_route *winner = NULL;
    json_key(telling->json, "rules");
    json_open(telling->json, '[');
    for (size_t i = 0; i < routing->routes.len; i++) {
        const struct ir_route *route = &routing->routes.items[i];
        struct str reason = why_not(telling, route);
        bool wins = reason.len == 0 && winner == NULL;
        if (!wins && i >= RULES_TOLD_MAX) {
            continue;
        }
        json_open(telling->json, '{');
        tell_rule_place(telling, route->rule);
        text(telling, "match", ir_match_text(&route->match, telling->arena));
        if (wins) {
            winner = route;
            text(telling, "verdict", STR("takes the request"));
        } else if (reason.len == 0) {
            text(telling, "verdict",
                 arena_printf(telling->arena, "matches, but %s", why_before(winner, route)));
        } else {
            text(telling, "verdict", reason);
        }
        json_close(telling->json, '}');
    }
    json_close(telling->json, ']');
    return winner;
}

/* --- the decision --------------------------------------------------------------------------- */

static void tell_endpoints(struct telling *telling, struct str cluster)
{
    const struct ir_endpoints *endpoints =
        (const struct ir_endpoints *)engine_get(telling->engine, T_ENDPOINTS, cluster);
    size_t told = 0;
    json_key(telling->json, "endpoints");
    json_open(telling->json, '[');
    for (size_t i = 0; endpoints != NULL && i < endpoints->localities.len; i++) {
        const struct ir_locality *locality = &endpoints->localities.items[i];
        for (size_t j = 0; j < locality->endpoints.len && told < ENDPOINTS_TOLD_MAX; j++, told++) {
            const struct ir_endpoint *endpoint = &locality->endpoints.items[j];
            json_open(telling->json, '{');
            text(telling, "address",
                 arena_printf(telling->arena, "%.*s:%d", STR_FMT(endpoint->address),
                              (int)endpoint->port));
            if (locality->zone.len > 0) {
                text(telling, "zone", locality->zone);
            }
            json_close(telling->json, '}');
        }
    }
    json_close(telling->json, ']');
    if (told == 0) {
        text(telling, "outcome", STR("no endpoint is ready: 503, for gRPC UNAVAILABLE"));
    }
}

static void tell_backends(struct telling *telling, const struct ir_route *route)
{
    int64_t sum = 0;
    for (size_t i = 0; i < route->backends.len; i++) {
        sum += route->backends.items[i].weight;
    }
    json_key(telling->json, "backends");
    json_open(telling->json, '[');
    for (size_t i = 0; i < route->backends.len; i++) {
        const struct ir_backend *backend = &route->backends.items[i];
        json_open(telling->json, '{');
        json_key(telling->json, "share");
        json_double(telling->json, (double)backend->weight / (double)sum);
        if (backend->cluster.len > 0) {
            text(telling, "backend", backend->cluster);
            tell_endpoints(telling, backend->cluster);
        } else {
            text(telling, "outcome",
                 arena_printf(telling->arena, "error: %.*s", STR_FMT(backend->reason)));
        }
        json_close(telling->json, '}');
    }
    json_close(telling->json, ']');
}

static void tell_no_match(struct telling *telling)
{
    bool proxyless = telling->question->client->role == ROLE_PROXYLESS;
    text(telling, "action", STR("error"));
    text(telling, "outcome",
         proxyless ? STR("no rule matches: UNAVAILABLE")
                   : STR("no rule matches: 404, for gRPC UNIMPLEMENTED"));
}

static void tell_redirect(struct telling *telling, const struct ir_redirect *redirect)
{
    if (telling->question->client->role == ROLE_PROXYLESS) {
        text(telling, "outcome", STR("UNAVAILABLE: gRPC clients do not follow redirects"));
        return;
    }
    struct str port =
        redirect->port != 0 ? arena_printf(telling->arena, ":%d", (int)redirect->port) : STR_NULL;
    struct str host = redirect->hostname.len > 0 ? redirect->hostname : telling->question->host;
    text(telling, "outcome",
         arena_printf(telling->arena, "%d: Location begins with %.*s://%.*s%.*s/",
                      (int)redirect->status, STR_FMT(redirect->scheme), STR_FMT(host),
                      STR_FMT(port)));
}

static void tell_decision(struct telling *telling, const struct ir_route *winner)
{
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    if (winner == NULL) {
        tell_no_match(telling);
    } else if (winner->action == IR_FORWARD) {
        text(telling, "action", STR("forward"));
        tell_rule_place(telling, winner->rule);
        tell_backends(telling, winner);
    } else if (winner->action == IR_REDIRECT) {
        text(telling, "action", STR("redirect"));
        tell_rule_place(telling, winner->rule);
        tell_redirect(telling, winner->redirect);
    } else {
        text(telling, "action", STR("error"));
        tell_rule_place(telling, winner->rule);
        text(telling, "outcome",
             arena_printf(telling->arena, "%d: %.*s", (int)winner->error_status,
                          STR_FMT(winner->reason)));
    }
    json_close(telling->json, '}');
}

/* --- all of it ------------------------------------------------------------------------------ */

static void tell_opaque(struct telling *telling, struct str key)
{
    text(telling, "routing",
         STR("opaque TCP: no route is attached, and appProtocol names no HTTP"));
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    text(telling, "action", STR("forward"));
    text(telling, "backend", key);
    tell_endpoints(telling, key);
    json_close(telling->json, '}');
}

static void tell_stranger(struct telling *telling)
{
    text(telling, "service", STR(""));
    text(telling, "routing",
         arena_printf(telling->arena,
                      "'%.*s:%d' is no Service port: a sidecar passes it through untouched, a "
                      "proxyless client is told that it does not exist",
                      STR_FMT(telling->question->host), (int)telling->question->port));
}

struct explained mesh_explain(const struct mesh *mesh, const struct question *question,
                              struct arena *arena, struct json *json)
{
    struct telling telling = {mesh, mesh_engine(mesh), question, arena, json};
    struct explained explained = {STR_NULL, STR_NULL};
    struct str key = find_port(&telling);
    if (key.len == 0) {
        tell_stranger(&telling);
        return explained;
    }
    text(&telling, "service", key);
    struct str own = arena_printf(arena, "%.*s@%.*s", STR_FMT(key), STR_FMT(question->client->ns));
    const struct ir_routing *consumer =
        (const struct ir_routing *)engine_get(telling.engine, T_ROUTING, own);
    const struct ir_routing *routing =
        consumer != NULL ? consumer
                         : (const struct ir_routing *)engine_get(telling.engine, T_ROUTING, key);
    bool proxyless = question->client->role == ROLE_PROXYLESS;
    if (routing == NULL) {
        text(&telling, "routing", STR("the port takes no TCP traffic"));
        return explained;
    }
    if (!routing->http && !proxyless) {
        tell_opaque(&telling, key);
        return explained;
    }
    text(&telling, "routing",
         consumer != NULL ? arena_printf(arena, "the consumer routes of namespace '%.*s'",
                                         STR_FMT(question->client->ns))
                          : STR("the producer routes of the Service, or its default"));
    explained.routes = key;
    explained.scope = scope_of(arena, proxyless ? STR(SCOPE_GRPC) : STR(SCOPE_ENVOY),
                               consumer != NULL ? question->client->ns : STR_NULL);
    tell_decision(&telling, tell_rules(&telling, routing));
    return explained;
}
