/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_routes: a virtual host for each domain of an entry, a RouteConfiguration for each entry,
 * spliced from them.
 *
 *   Host of nobody                                no virtual host                    404
 *   has passed PASSES_MAX of Gateways             first route, by PASSED_HEADER      508
 *   Host of another listener than the one that    first route, by LISTENER_HEADER    421
 *     the connection's SNI chose (HTTPS)
 *   Host of a listener without a route for it     no route                           404
 *   else                                          the routes of the domain
 *
 * "Misdirected Request" is what tells a client that reuses a connection for another host to open
 * one of its own (RFC 9110 15.5.20; Listener.hostname).
 */
#include <string.h>

#include "base/buf.h"
#include "codec/pb.h"
#include "ir/graph.h"
#include "xds/build.h"
#include "xds/gateway.h"
#include "xds/route_action.h"
#include "xds/vhost.h"
#include "xds/xds.h"

#define ROUTE_CONFIG_VIRTUAL_HOSTS 2 /* field of envoy.config.route.v3.RouteConfiguration */
#define HTTP_MISDIRECTED 421
#define HTTP_LOOP_DETECTED 508
#define PASS "+" /* of a Gateway, in PASSED_HEADER */
#define ALT_SVC_SECONDS 86400

/* A route that answers by itself where the header is so. */
static pb_route *refusal(struct arena *arena, const char *name, pb_header_matcher *header,
                         uint32_t status)
{
    pb_route *route = NEW(arena, pb_route);
    route->name = (char *)(uintptr_t)name;
    route->match = NEW(arena, pb_route_match);
    route->match->path_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PREFIX;
    route->match->prefix = (char *)"/";
    route->match->headers = ARENA_ARRAY(arena, 1, pb_header_matcher *);
    route->match->headers[route->match->n_headers++] = header;
    route->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_DIRECT_RESPONSE;
    route->direct_response = NEW(arena, pb_direct_response);
    route->direct_response->status = status;
    return route;
}

static pb_header_matcher *header_matcher(struct arena *arena, const char *name)
{
    pb_header_matcher *header = NEW(arena, pb_header_matcher);
    header->name = (char *)(uintptr_t)name;
    header->header_match_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
    header->string_match = NEW(arena, pb_string_matcher);
    return header;
}

static pb_route *misdirected(struct arena *arena, struct str owner)
{
    pb_header_matcher *other = header_matcher(arena, LISTENER_HEADER);
    other->invert_match = true;
    other->string_match->match_pattern_case =
        ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_EXACT;
    other->string_match->exact = xds_text(arena, owner);
    return refusal(arena, "misdirected", other, HTTP_MISDIRECTED);
}

/* A route may lead back to its own Gateway, by a Service with the Gateway's address or by other
 * Gateways, and so may each of its mirrors: one request would become ever more of them, which take
 * all there is from everybody else. */
static pb_route *looped(struct arena *arena)
{
    pb_header_matcher *passed = header_matcher(arena, PASSED_HEADER);
    passed->string_match->match_pattern_case =
        ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_SUFFIX;
    passed->string_match->suffix = (char *)PASSES_MAX;
    return refusal(arena, "looped", passed, HTTP_LOOP_DETECTED);
}

/* Tells clients that came by TCP where QUIC is spoken: the port that they know, not the one that is
 * bound. */
static void offer_http3(struct arena *arena, int32_t port, pb_virtual_host *vhost)
{
    pb_header_option *option = NEW(arena, pb_header_option);
    option->header = NEW(arena, pb_header_value);
    option->header->key = (char *)"alt-svc";
    option->header->value =
        xds_text(arena, arena_printf(arena, "h3=\":%d\"; ma=%d", (int)port, ALT_SVC_SECONDS));
    option->append_action = PB_HEADER_OVERWRITE_OR_ADD;
    vhost->response_headers_to_add = ARENA_ARRAY(arena, 1, pb_header_option *);
    vhost->response_headers_to_add[vhost->n_response_headers_to_add++] = option;
}

const struct row *xds_gateway_vhost(struct eval *ev, struct str key)
{
    struct entry_key parts = entry_key_parse(key);
    const struct ir_routing *ir = (const struct ir_routing *)eval_get(ev, T_GATEWAY_ROUTING, key);
    if (ir == NULL || xds_gateway_scope(ev, parts.gateway).len == 0) {
        return NULL;
    }
    struct arena *scratch = eval_scratch(ev);
    pb_virtual_host *vhost = xds_new_vhost(scratch, ir->domain, ir->domain);
    struct route_list list;
    memset(&list, 0, sizeof(list));
    if (ir->routes.len > 0) {
        vec_push(&list.routes, looped(scratch));
    }
    if (ir->https) {
        vec_push(&list.routes, misdirected(scratch, ir->listener));
    }
    if (ir->http3) {
        offer_http3(scratch, parts.port, vhost);
    }
    for (size_t i = 0; i < ir->routes.len; i++) {
        xds_envoy_route(scratch, &ir->routes.items[i], &list);
    }
    return xds_vhost_fragment(ir, vhost, &list);
}

void xds_entry_vhosts(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    group_emit(emit, entry_key_parse(key).entry);
}

/* All but the virtual hosts. */
static struct str config_head(struct arena *arena, struct str entry)
{
    pb_route_config *config = NEW(arena, pb_route_config);
    config->name = xds_text(arena, entry);
    config->ignore_port_in_host_matching = true;
    config->request_headers_to_remove = ARENA_ARRAY(arena, 1, char *);
    config->request_headers_to_remove[config->n_request_headers_to_remove++] =
        (char *)LISTENER_HEADER;
    pb_header_option *passed = NEW(arena, pb_header_option);
    passed->header = NEW(arena, pb_header_value);
    passed->header->key = (char *)PASSED_HEADER;
    passed->header->value = (char *)"%REQ(" PASSED_HEADER ")%" PASS; /* "-+" the first time */
    passed->append_action = PB_HEADER_OVERWRITE_OR_ADD;
    config->request_headers_to_add = ARENA_ARRAY(arena, 1, pb_header_option *);
    config->request_headers_to_add[config->n_request_headers_to_add++] = passed;
    return pb_pack(arena, &config->base);
}

const struct row *xds_gateway_routes(struct eval *ev, struct str key)
{
    struct entry_key parts = entry_key_parse(key);
    const struct ir_gateway *gateway =
        (const struct ir_gateway *)eval_get(ev, T_GATEWAYS, parts.gateway);
    struct str scope = xds_gateway_scope(ev, parts.gateway);
    if (gateway == NULL || scope.len == 0 || parts.udp ||
        xds_gateway_http(gateway, parts.port) == NULL) {
        return NULL;
    }
    struct row_span vhosts = eval_group(ev, X_ENTRY_VHOSTS, key);
    struct buf message;
    buf_init(&message, BUF_UNLIMITED);
    buf_add_str(&message, config_head(eval_scratch(ev), parts.entry));
    for (size_t i = 0; i < vhosts.len; i++) {
        const struct fragment_row *fragment = (const struct fragment_row *)vhosts.rows[i];
        pb_put_bytes(&message, ROUTE_CONFIG_VIRTUAL_HOSTS, fragment->bytes);
    }
    struct resource_row *row = resource_row_new(1);
    resource_row_add_bytes(row, XDS_RDS, scope, parts.entry, STR_NULL, buf_str(&message));
    buf_release(&message);
    return &row->row;
}
