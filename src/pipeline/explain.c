/* SPDX-License-Identifier: Apache-2.0 */
/* explain: who is asked, and which routes a question leads to. */
#include "base/panic.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "model/route.h"
#include "pipeline/explain_internal.h"
#include "pipeline/inbound.h"
#include "pipeline/meant.h"
#include "pipeline/passing.h"
#include "resolve/key.h"
#include "resolve/listener_name.h"
#include "resolve/rule.h"

/* "HTTPRoute/ns/name/2" -> the route's row, and the rule's number. */
static const struct route *route_of(struct telling *telling, struct str rule, size_t *ret_rule)
{
    struct rule_key key = rule_key_parse(rule);
    *ret_rule = key.number;
    return (const struct route *)engine_get(telling->engine, T_ROUTE, key.route);
}

bool explain_leaves_out(const struct telling *telling, enum explain_part part)
{
    return (telling->leave_out & part) != 0;
}

bool explain_proxyless(const struct telling *telling)
{
    return telling->question->client->role == ROLE_PROXYLESS;
}

void explain_place_always(struct telling *telling, struct str rule)
{
    size_t number;
    const struct route *route = rule.len > 0 ? route_of(telling, rule, &number) : NULL;
    if (route == NULL) {
        explain_text(telling, "rule", telling->gateway != NULL ? STR("none") : STR("default"));
        return;
    }
    explain_text(telling, "rule", rule);
    explain_text(telling, "file", route->object.origin.file);
    json_key(telling->json, "line");
    json_uint(telling->json, number < route_rule_count(route) ? route_rule_line(route, number) : 0);
}

void explain_place(struct telling *telling, struct str rule)
{
    if (!explain_leaves_out(telling, EXPLAIN_PLACES)) {
        explain_place_always(telling, rule);
    }
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
    if (port->port != search->question->port || port->protocol == IR_UDP ||
        port->taken_by.len > 0) {
        return;
    }
    for (size_t i = 0; i < port->ips.len; i++) {
        if (str_eq(port->ips.items[i], search->question->host)) {
            search->key = key;
        }
    }
}

static const struct settings_row *settings_of(const struct telling *telling)
{
    const struct settings_row *settings =
        (const struct settings_row *)engine_get(telling->engine, T_SETTINGS, STR(""));
    ASSERT(settings != NULL);
    return settings;
}

/* A sidecar finds a Service by the address that the connection goes to, whatever name the
 * application looked up, so "svc" alone is known in the client's namespace; a proxyless client by
 * the name it dials. */
static struct str find_port(struct telling *telling)
{
    const struct question *question = telling->question;
    const struct settings_row *settings = settings_of(telling);
    struct by_ip search = {.question = question};
    struct str service = question->host;
    struct str ns = question->client->ns;
    if (!explain_proxyless(telling)) {
        engine_each(telling->engine, T_PORT, visit_port, &search);
        if (search.key.len > 0) {
            return search.key;
        }
    }
    bool short_name = str_index(service, '.') == service.len && !explain_proxyless(telling);
    if (!short_name &&
        !service_host_parse(question->host, settings->cluster_domain, &service, &ns)) {
        return STR_NULL;
    }
    struct str key = port_key_make(telling->arena, ns, service, question->port, STR_NULL);
    return engine_get(telling->engine, T_PORT, key) != NULL ? key : STR_NULL;
}

/* --- all of it ------------------------------------------------------------------------------ */

/* A connection where requests are looked into. */
static void tell_not_a_request(struct telling *telling, const struct ir_routing *routing)
{
    explain_text(telling, "routing", explain_routing(telling, routing));
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    explain_text(telling, "action", STR("error"));
    explain_text(
        telling, "outcome",
        STR("the sidecar reads HTTP here, and ends what is none; ask for a request, with METHOD "
            "and http://HOST:PORT/PATH"));
    json_close(telling->json, '}');
}

/* The connection is none of a Service port that the mesh carries. */
static void tell_stranger(struct telling *telling, struct str why)
{
    const struct failing failing = {.status = 0};
    explain_text(telling, "routing", why);
    json_key(telling->json, "decision");
    json_open(telling->json, '{');
    if (explain_proxyless(telling)) {
        explain_text(telling, "action", STR("error"));
        explain_text(telling, "code", STR("UNAVAILABLE"));
        explain_text(telling, "outcome", explain_failure(telling, failing, why));
    } else {
        explain_text(telling, "action", STR("passthrough"));
        explain_text(telling, "outcome", STR("the sidecar passes the connection on untouched"));
    }
    json_close(telling->json, '}');
}

/* What a gRPC client compares: no binary metadata, and its content type whatever was said. */
static void see_as_grpc(struct request *request)
{
    size_t kept = 0;
    for (size_t i = 0; i < request->nheaders; i++) {
        struct ir_header header = request->headers[i];
        if (!str_ends_with(header.name, STR("-bin")) &&
            !str_eq_nocase(header.name, STR("content-type")) && kept + 1 < REQUEST_HEADERS_MAX) {
            request->headers[kept++] = header;
        }
    }
    request->headers[kept++] = (struct ir_header){STR("content-type"), STR("application/grpc")};
    request->nheaders = kept;
    request->joins = true;
}

const struct ir_routing *explain_find_routing(struct telling *telling, struct str port,
                                              struct str *ret_key)
{
    struct str ns = telling->question->client->ns;
    struct str own = arena_printf(telling->arena, "%.*s@%.*s", STR_FMT(port), STR_FMT(ns));
    const struct row *routing = engine_get(telling->engine, T_ROUTING, own);
    *ret_key = routing != NULL ? own : port;
    return (const struct ir_routing *)(routing != NULL
                                           ? routing
                                           : engine_get(telling->engine, T_ROUTING, port));
}

static const struct ir_routing *find_routing(struct telling *telling, struct str key,
                                             struct explained *explained)
{
    struct str own;
    const struct ir_routing *routing = explain_find_routing(telling, key, &own);
    if (routing != NULL) {
        explained->routing = own;
        explained->config = explained->routing;
        explained->http = routing->http || explain_proxyless(telling);
    }
    return routing;
}

struct str explain_routing(const struct telling *telling, const struct ir_routing *routing)
{
    if (routing->kind.len > 0 && explain_proxyless(telling) && routing->routes.len > 0 &&
        routing->routes.items[0].rule.len == 0) {
        return arena_printf(telling->arena,
                            "the Service's own endpoints: gRPC clients do not follow %.*ss",
                            STR_FMT(routing->kind));
    }
    if (routing->client_ns.len > 0) {
        return arena_printf(telling->arena,
                            "consumer %.*ss: those of the client's namespace '%.*s'",
                            STR_FMT(routing->kind), STR_FMT(routing->client_ns));
    }
    if (routing->kind.len == 0) {
        return STR("the Service's own endpoints: no route is attached");
    }
    return arena_printf(telling->arena, "producer %.*ss: those of the Service's namespace",
                        STR_FMT(routing->kind));
}

/* With what was probably meant; of a name of another kind nothing was. */
static struct str why_no_port(struct telling *telling)
{
    const struct question *question = telling->question;
    struct arena *arena = telling->arena;
    struct str name = question->host;
    struct str ns = question->client->ns;
    struct str meant = STR_NULL;
    if (str_index(name, '.') == name.len ||
        service_host_parse(question->host, settings_of(telling)->cluster_domain, &name, &ns)) {
        const struct service *service = (const struct service *)engine_get(
            telling->engine, T_SERVICE,
            arena_printf(arena, "%.*s/%.*s", STR_FMT(ns), STR_FMT(name)));
        meant = service != NULL ? meant_port(service, question->port, STR_NULL, arena)
                                : meant_service(telling->engine, ns, name, arena);
    }
    return arena_printf(arena, "'%.*s:%d' is no Service port%s%.*s", STR_FMT(question->host),
                        (int)question->port, meant.len > 0 ? ": " : "", STR_FMT(meant));
}

static void explain_mesh(struct telling *telling, struct request *request,
                         struct explained *explained)
{
    const struct question *question = telling->question;
    const struct settings_row *settings = settings_of(telling);
    if (!authority_is_ours(settings, question->authority)) {
        tell_stranger(telling, authority_why_not(telling->arena, settings, question->authority));
        return;
    }
    struct str key = find_port(telling);
    if (key.len == 0) {
        tell_stranger(telling, why_no_port(telling));
        return;
    }
    explain_text(telling, "service", key);
    const struct ir_routing *routing = find_routing(telling, key, explained);
    if (routing == NULL) {
        const struct ir_port *port =
            (const struct ir_port *)engine_get(telling->engine, T_PORT, key);
        tell_stranger(telling, port->why_not);
    } else if (!explained->http) {
        explain_connection(telling, routing, explained);
    } else if (question->about != ABOUT_REQUEST) {
        tell_not_a_request(telling, routing);
    } else {
        if (explain_proxyless(telling)) {
            see_as_grpc(request);
        }
        explain_text(telling, "routing", explain_routing(telling, routing));
        explained->taker = explain_rules(telling, routing);
        explain_decision(telling, explained->taker);
    }
    if (routing != NULL) {
        bool taken = explained->connection != NULL
                         ? explained->connection->rule.len > 0
                         : explained->taker != NULL && explained->taker->rule.len > 0;
        explain_unasked(telling, routing, key, taken);
    }
}

struct explained explain(const struct engine *engine, const struct question *question,
                         unsigned leave_out, struct arena *arena, struct json *json)
{
    struct request request = question->request;
    struct explained explained = {.table = T_ROUTING};
    struct telling telling = {
        .engine = engine,
        .question = question,
        .request = &request,
        .arena = arena,
        .json = json,
        .leave_out = leave_out,
        .host = passing_host(question, arena),
    };
    explained.listener = inbound_explain(telling.engine, question, arena, json);
    if (explained.listener.len > 0) {
        return explained;
    }
    if (question->client->role == ROLE_GATEWAY) {
        explain_gateway(&telling, &explained);
    } else {
        explain_mesh(&telling, &request, &explained);
    }
    return explained;
}

struct str explained_text(const struct engine *engine, const struct question *question,
                          unsigned leave_out, struct arena *arena, struct explained *ret_explained)
{
    struct json json;
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 0);
    json_open(&json, '{');
    *ret_explained = explain(engine, question, leave_out, arena, &json);
    json_close(&json, '}');
    struct str text = arena_str(arena, buf_str(&out));
    buf_release(&out);
    return text;
}
