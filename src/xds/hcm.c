/* SPDX-License-Identifier: Apache-2.0 */
/* hcm: the HttpConnectionManager. */
#include "xds/hcm.h"

#include "xds/build.h"

void xds_set_rds(struct arena *arena, struct str routes, pb_hcm *hcm)
{
    hcm->route_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
    hcm->rds = NEW(arena, pb_rds);
    hcm->rds->config_source = xds_ads(arena);
    hcm->rds->route_config_name = xds_text(arena, routes);
}

static void set_router(struct arena *arena, pb_hcm *hcm)
{
    hcm->http_filters = ARENA_ARRAY(arena, 1, pb_http_filter *);
    hcm->http_filters[hcm->n_http_filters++] = xds_router(arena, false);
}

/* Filters that do nothing until a route speaks to them are always there: a route that comes or
 * goes must not change the Listener, since Envoy ends the connections of one that changes. */
void xds_set_envoy_filters(struct arena *arena, pb_hcm *hcm)
{
    hcm->http_filters = ARENA_ARRAY(arena, 3, pb_http_filter *);
    hcm->http_filters[hcm->n_http_filters++] =
        xds_http_filter(arena, CORS_FILTER, &NEW(arena, pb_cors)->base);
    hcm->http_filters[hcm->n_http_filters++] =
        xds_http_filter(arena, SESSION_FILTER, &NEW(arena, pb_session)->base);
    hcm->http_filters[hcm->n_http_filters++] = xds_router(arena, true);
    hcm->access_log = ARENA_ARRAY(arena, 1, pb_access_log *);
    hcm->access_log[hcm->n_access_log++] = xds_access_log(arena);
}

void xds_set_websocket(struct arena *arena, pb_hcm *hcm)
{
    hcm->upgrade_configs = ARENA_ARRAY(arena, 1, pb_hcm_upgrade *);
    hcm->upgrade_configs[hcm->n_upgrade_configs++] = NEW(arena, pb_hcm_upgrade);
    hcm->upgrade_configs[0]->upgrade_type = (char *)"websocket";
}

/* HTTP/1.0 is spoken still (nginx does, towards its upstreams), and Envoy refuses it with 426
 * unless told otherwise. Without a Host such a request is for the Service, "svc.ns:port". */
static pb_http1_options *http1_options(struct arena *arena, struct str routes)
{
    struct str service = routes;
    struct str ns = str_cut(&service, '/');
    size_t colon = str_rindex(service, ':');
    pb_http1_options *options = NEW(arena, pb_http1_options);
    options->accept_http_10 = true;
    options->default_host_for_http_10 =
        (char *)(uintptr_t)arena_printf(arena, "%.*s.%.*s%.*s", STR_FMT(str_sub(service, 0, colon)),
                                        STR_FMT(ns), STR_FMT(str_sub(service, colon, service.len)))
            .ptr;
    return options;
}

pb_hcm *xds_envoy_hcm(struct arena *arena, struct str routes)
{
    pb_hcm *hcm = NEW(arena, pb_hcm);
    hcm->stat_prefix = xds_text(arena, routes);
    xds_set_rds(arena, routes, hcm);
    xds_set_envoy_filters(arena, hcm);
    hcm->server_header_transformation =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__SERVER_HEADER_TRANSFORMATION__PASS_THROUGH;
    hcm->http_protocol_options = http1_options(arena, routes);
    hcm->skip_xff_append = true;
    hcm->preserve_external_request_id = true;
    hcm->stream_idle_timeout = xds_ms(arena, 0); /* long polls and streams live as they like */
    xds_set_websocket(arena, hcm);
    return hcm;
}

pb_hcm *xds_grpc_hcm(struct arena *arena, struct str routes, bool sessions)
{
    pb_hcm *hcm = NEW(arena, pb_hcm);
    xds_set_rds(arena, routes, hcm);
    hcm->http_filters = ARENA_ARRAY(arena, 2, pb_http_filter *);
    if (sessions) {
        pb_http_filter *filter =
            xds_http_filter(arena, SESSION_FILTER, &NEW(arena, pb_session)->base);
        filter->is_optional = true;
        hcm->http_filters[hcm->n_http_filters++] = filter;
    }
    hcm->http_filters[hcm->n_http_filters++] = xds_router(arena, false);
    return hcm;
}

/* A route of every path, without an action yet. */
static pb_route *any_route(struct arena *arena)
{
    pb_route *route = NEW(arena, pb_route);
    route->match = NEW(arena, pb_route_match);
    route->match->path_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PREFIX;
    route->match->prefix = xds_text(arena, STR(""));
    return route;
}

/* The routes within: one virtual host, named like them, with one route or none. */
static pb_hcm *inline_hcm(struct arena *arena, const char *name, struct str domain, pb_route *route)
{
    pb_virtual_host *vhost = NEW(arena, pb_virtual_host);
    vhost->name = xds_text(arena, str_from(name));
    vhost->domains = ARENA_ARRAY(arena, 1, char *);
    vhost->domains[vhost->n_domains++] = xds_text(arena, domain);
    vhost->routes = ARENA_ARRAY(arena, 1, pb_route *);
    if (route != NULL) {
        vhost->routes[vhost->n_routes++] = route;
    }
    pb_hcm *hcm = NEW(arena, pb_hcm);
    hcm->route_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_ROUTE_CONFIG;
    hcm->route_config = NEW(arena, pb_route_config);
    hcm->route_config->name = vhost->name;
    hcm->route_config->virtual_hosts = ARENA_ARRAY(arena, 1, pb_virtual_host *);
    hcm->route_config->virtual_hosts[hcm->route_config->n_virtual_hosts++] = vhost;
    set_router(arena, hcm);
    return hcm;
}

pb_hcm *xds_grpc_hcm_inline(struct arena *arena, struct str domain, const char *cluster)
{
    pb_route *route = NULL;
    if (cluster != NULL) {
        route = any_route(arena);
        route->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_ROUTE;
        route->route = NEW(arena, pb_route_action);
        route->route->cluster_specifier_case =
            ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER;
        route->route->cluster = (char *)(uintptr_t)cluster;
    }
    return inline_hcm(arena, "reason", domain, route);
}

pb_hcm *xds_grpc_server_hcm(struct arena *arena)
{
    pb_route *route = any_route(arena);
    route->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_NON_FORWARDING_ACTION;
    route->non_forwarding_action = NEW(arena, pb_non_forwarding);
    return inline_hcm(arena, "inbound", STR("*"), route);
}
