/* SPDX-License-Identifier: Apache-2.0 */
/* explain_backends: the shares of what a rule takes, the endpoints of each, and what becomes of a
 * share that is sent nowhere. */
#include "ir/gateway.h"
#include "ir/graph.h"
#include "pipeline/explain_internal.h"

#define ENDPOINTS_TOLD_MAX 100 /* of each backend */

/* --- failures ------------------------------------------------------------------------------- */

const char *explain_grpc_code(int32_t status)
{
    switch (status) {
    case HTTP_NOT_FOUND:
        return "UNIMPLEMENTED";
    case HTTP_MISDIRECTED:
    case HTTP_LOOP_DETECTED:
        return "UNKNOWN";
    default:
        return "UNAVAILABLE"; /* 500: see xds/route_action.c */
    }
}

struct str explain_failure(const struct telling *telling, struct failing failing, struct str reason)
{
    struct arena *arena = telling->arena;
    if (failing.opaque) {
        return arena_printf(arena, "the connection is closed: %.*s", STR_FMT(reason));
    }
    return explain_proxyless(telling)
               ? arena_printf(arena, "UNAVAILABLE: %.*s", STR_FMT(reason))
               : arena_printf(arena, "%d (for gRPC %s): %.*s", (int)failing.status,
                              explain_grpc_code(failing.status), STR_FMT(reason));
}

/* --- endpoints ------------------------------------------------------------------------------ */

/* Those of the client's node, else of its zone, else for everybody (pipeline/view.c). */
static const struct ir_endpoints *find_endpoints(struct telling *telling, struct str port)
{
    const struct client_class *client = telling->question->client;
    const struct row *found = NULL;
    if (client->machine.len > 0) {
        found = engine_get(telling->engine, T_ENDPOINTS,
                           arena_printf(telling->arena, "%.*s@node/%.*s", STR_FMT(port),
                                        STR_FMT(client->machine)));
    }
    if (found == NULL && client->zone.len > 0) {
        found = engine_get(
            telling->engine, T_ENDPOINTS,
            arena_printf(telling->arena, "%.*s@zone/%.*s", STR_FMT(port), STR_FMT(client->zone)));
    }
    if (found == NULL) {
        found = engine_get(telling->engine, T_ENDPOINTS, port);
    }
    return (const struct ir_endpoints *)found;
}

static void tell_endpoint(struct telling *telling, const struct ir_locality *locality,
                          const struct ir_endpoint *endpoint)
{
    json_open(telling->json, '{');
    explain_text(
        telling, "address",
        arena_printf(telling->arena, "%.*s:%d", STR_FMT(endpoint->address), (int)endpoint->port));
    if (locality->zone.len > 0) {
        explain_text(telling, "zone", locality->zone);
    }
    if (locality->priority > 0) {
        json_key(telling->json, "priority");
        json_int(telling->json, locality->priority);
    }
    if (endpoint->draining) {
        json_key(telling->json, "draining");
        json_bool(telling->json, true);
    }
    json_close(telling->json, '}');
}

static void tell_endpoints(struct telling *telling, const struct ir_endpoints *endpoints)
{
    size_t told = 0;
    json_key(telling->json, "endpoints");
    json_open(telling->json, '[');
    for (size_t i = 0; endpoints != NULL && i < endpoints->localities.len; i++) {
        const struct ir_locality *locality = &endpoints->localities.items[i];
        for (size_t j = 0; j < locality->endpoints.len && told < ENDPOINTS_TOLD_MAX; j++, told++) {
            tell_endpoint(telling, locality, &locality->endpoints.items[j]);
        }
    }
    json_close(telling->json, ']');
}

static bool any_endpoint(const struct ir_endpoints *endpoints)
{
    bool any = false;
    for (size_t i = 0; endpoints != NULL && i < endpoints->localities.len; i++) {
        any = any || endpoints->localities.items[i].endpoints.len > 0;
    }
    return any;
}

/* --- shares --------------------------------------------------------------------------------- */

/* How a Gateway's Envoys speak to one of its clusters; empty: as the port says. */
static struct str manner_of(struct telling *telling, struct str cluster)
{
    struct arena *arena = telling->arena;
    struct str gateway = telling->question->client->gateway;
    struct upstream_name name = upstream_name_parse(cluster);
    const struct ir_upstream *upstream = (const struct ir_upstream *)engine_get(
        telling->engine, T_GATEWAY_CLUSTER,
        arena_printf(arena, "%.*s|%.*s", STR_FMT(gateway), STR_FMT(cluster)));
    const struct ir_backend_tls *tls =
        (const struct ir_backend_tls *)engine_get(telling->engine, T_BACKEND_TLS, name.port);
    if (name.mesh) {
        return STR("by the mesh's routes of the Service (mesh-routes: apply)");
    }
    if (upstream != NULL && upstream->tls && tls != NULL) {
        return arena_printf(arena, "by TLS, as '%.*s' (BackendTLSPolicy %.*s)%s",
                            STR_FMT(upstream->hostname), STR_FMT(tls->policy),
                            upstream->client_certificate.len > 0 ? ", with a client certificate"
                                                                 : "");
    }
    return name.http2 ? STR("by HTTP/2: the route is a GRPCRoute") : STR_NULL;
}

static void tell_backend(struct telling *telling, const struct ir_route *rule,
                         const struct ir_backend *backend, struct failing failing)
{
    struct str cluster = backend->cluster;
    bool gateway = telling->gateway != NULL;
    struct str port = gateway ? upstream_name_parse(cluster).port : cluster;
    struct str manner = gateway ? manner_of(telling, cluster) : STR_NULL;
    const struct ir_endpoints *endpoints = find_endpoints(telling, port);
    explain_text(telling, "backend", port);
    if (manner.len > 0) {
        explain_text(telling, "manner", manner);
    }
    if (gateway && upstream_name_parse(cluster).mesh) {
        explain_then(telling, rule, backend, port);
        return;
    }
    if (!explain_leaves_out(telling, EXPLAIN_ENDPOINTS)) {
        tell_endpoints(telling, endpoints);
    }
    if (!any_endpoint(endpoints)) {
        failing.status = HTTP_UNAVAILABLE;
        explain_text(telling, "outcome",
                     explain_failure(telling, failing, STR("no endpoint is ready")));
        explain_idle(telling, port);
    }
}

void explain_backends(struct telling *telling, const struct ir_route *rule, struct str name,
                      const struct ir_backend *backends, size_t len, struct failing failing)
{
    int64_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += backends[i].weight;
    }
    json_key(telling->json, "backends");
    json_open(telling->json, '[');
    for (size_t i = 0; i < len; i++) {
        json_open(telling->json, '{');
        json_key(telling->json, "share");
        json_double(telling->json, (double)backends[i].weight / (double)sum);
        if (backends[i].cluster.len > 0) {
            tell_backend(telling, rule, &backends[i], failing);
        } else {
            explain_text(telling, "outcome", explain_failure(telling, failing, backends[i].reason));
            explain_remedy(telling, name, backends[i].reason);
        }
        json_close(telling->json, '}');
    }
    json_close(telling->json, ']');
}
