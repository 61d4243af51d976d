/* SPDX-License-Identifier: Apache-2.0 */
/* mesh_references: what a listener or a RouteConfiguration names is there for who sees it; the
 * first half of mesh_invariants.h. */
#ifndef HEDDLE_TESTS_MESH_REFERENCES_H
#define HEDDLE_TESTS_MESH_REFERENCES_H

#include "ir/client.h"
#include "mesh_rig.h"
#include "xds/alias.h"

#define BREACH(resource, ...) breach_at((resource), __LINE__, __VA_ARGS__)

__attribute__((format(printf, 3, 4))) _Noreturn static inline void
breach_at(const struct resource *resource, int line, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    panic_at(__FILE__, line, "%s '%.*s' of scope '%.*s': %s", xds_type_info(resource->type)->name,
             STR_FMT(resource->name), STR_FMT(resource->scope), text);
}

static inline void *unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t len)
{
    void *message = protobuf_c_message_unpack(type, NULL, len, data);
    ASSERT(message != NULL);
    return message;
}

/* Is there a resource of this name for every client that sees `from`? Its scope is "base" or
 * "base@ns"; such clients have, beside it, the scopes that `bases` lists. */
static inline bool visible(const struct rig_resources *all, const struct resource *from,
                           enum xds_type type, const char *const *bases, const char *text)
{
    size_t at = str_index(from->scope, '@');
    struct str suffix = str_sub(from->scope, at, from->scope.len);
    struct str name = str_from(text);
    for (; *bases != NULL; bases++) {
        char scope[128];
        (void)snprintf(scope, sizeof(scope), "%s%.*s", *bases, STR_FMT(suffix));
        if (rig_find(all, type, str_from(scope), name) != NULL ||
            rig_find(all, type, str_from(*bases), name) != NULL) {
            return true;
        }
    }
    return rig_find(all, type, from->scope, name) != NULL;
}

/* --- routes -------------------------------------------------------------------------------- */
static inline void check_header_options(const struct resource *from, size_t len,
                                        pb_header_option *const *options)
{
    for (size_t i = 0; i < len; i++) {
        const char *key = options[i]->header->key;
        if (key[0] == ':' || str_eq_nocase(str_from(key), STR("host"))) {
            BREACH(from, "Envoy lets nobody change header '%s'", key);
        }
    }
}

static inline void check_action(const struct rig_resources *all, const struct resource *from,
                                const pb_route_action *action)
{
    static const char *const envoy[] = {SCOPE_ENVOY, NULL};
    static const char *const grpc[] = {SCOPE_GRPC, NULL};
    const char *const *bases = str_starts_with(from->scope, STR("envoy")) ? envoy : grpc;
    if (action->cluster_specifier_case ==
        ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER) {
        bool inline_routes = from->type == XDS_LDS && bases == grpc;
        bases = inline_routes ? grpc + 1 : bases; /* their reasons stand beside them */
        if (!visible(all, from, XDS_CDS, bases, action->cluster)) {
            BREACH(from, "there is no cluster '%s'", action->cluster);
        }
        return;
    }
    const pb_weighted_clusters *weighted = action->weighted_clusters;
    uint64_t sum = 0;
    for (size_t i = 0; i < weighted->n_clusters; i++) {
        const pb_cluster_weight *item = weighted->clusters[i];
        if (!visible(all, from, XDS_CDS, bases, item->name)) {
            BREACH(from, "there is no cluster '%s'", item->name);
        }
        sum += item->weight->value;
        check_header_options(from, item->n_request_headers_to_add, item->request_headers_to_add);
        for (size_t j = 0; bases == grpc && j < i; j++) {
            if (strcmp(weighted->clusters[j]->name, item->name) == 0) {
                BREACH(from, "cluster '%s' has two weights", item->name);
            }
        }
    }
    if (sum == 0 || sum > UINT32_MAX) {
        BREACH(from, "the weights sum up to %llu", (unsigned long long)sum);
    }
}

static inline void check_routes(const struct rig_resources *all, const struct resource *from,
                                const pb_route_config *config)
{
    for (size_t i = 0; i < config->n_virtual_hosts; i++) {
        const pb_virtual_host *vhost = config->virtual_hosts[i];
        for (size_t j = 0; j < vhost->n_routes; j++) {
            const pb_route *route = vhost->routes[j];
            if (route->match->path_specifier_case ==
                ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER__NOT_SET) {
                BREACH(from, "route %zu matches no path", j);
            }
            check_header_options(from, route->n_request_headers_to_add,
                                 route->request_headers_to_add);
            if (route->action_case == ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_ROUTE) {
                check_action(all, from, route->route);
            } else if (!str_starts_with(from->scope, STR("envoy")) &&
                       route->action_case !=
                           ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_NON_FORWARDING_ACTION) {
                BREACH(from, "gRPC knows no actions but 'route' and 'non_forwarding_action'");
            }
        }
    }
}

static inline void check_route_config(const struct rig_resources *all, const struct resource *from)
{
    struct str message = resource_message(from);
    pb_route_config *config = unpack(&pb_route_config_desc, message.ptr, message.len);
    check_routes(all, from, config);
    protobuf_c_message_free_unpacked(&config->base, NULL);
}

/* --- listeners ----------------------------------------------------------------------------- */
static const int hcm_by_rds =
    ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;

static inline void check_hcm(const struct rig_resources *all, const struct resource *from,
                             const pb_any *any)
{
    static const char *const envoy[] = {SCOPE_ENVOY, NULL};
    static const char *const grpc[] = {SCOPE_GRPC, NULL};
    pb_hcm *hcm = unpack(&pb_hcm_desc, any->value.data, any->value.len);
    bool is_grpc = str_starts_with(from->scope, STR("grpc."));
    if (hcm->route_specifier_case == hcm_by_rds) {
        if (!visible(all, from, XDS_RDS, is_grpc ? grpc : envoy, hcm->rds->route_config_name)) {
            BREACH(from, "there are no routes '%s'", hcm->rds->route_config_name);
        }
    } else {
        check_routes(all, from, hcm->route_config);
    }
    protobuf_c_message_free_unpacked(&hcm->base, NULL);
}

static inline void check_tcp(const struct rig_resources *all, const struct resource *from,
                             const pb_any *any)
{
    static const char *const bases[] = {SCOPE_ENVOY, SCOPE_REDIRECT, NULL};
    pb_tcp_proxy *proxy = unpack(&pb_tcp_proxy_desc, any->value.data, any->value.len);
    bool one =
        proxy->cluster_specifier_case ==
        ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;
    size_t len = one ? 1 : proxy->weighted_clusters->n_clusters;
    for (size_t i = 0; i < len; i++) {
        const char *name = one ? proxy->cluster : proxy->weighted_clusters->clusters[i]->name;
        if (!visible(all, from, XDS_CDS, bases, name)) {
            BREACH(from, "there is no cluster '%s'", name);
        }
        if (!one && proxy->weighted_clusters->clusters[i]->weight == 0) {
            BREACH(from, "Envoy wants of every weight that it is above 0");
        }
    }
    protobuf_c_message_free_unpacked(&proxy->base, NULL);
}

static inline void check_extension(const struct rig_resources *all, const struct resource *from)
{
    struct str message = resource_message(from);
    pb_extension *extension = unpack(&pb_extension_desc, message.ptr, message.len);
    check_tcp(all, from, extension->typed_config);
    protobuf_c_message_free_unpacked(&extension->base, NULL);
}

static inline void check_filter(const struct rig_resources *all, const struct resource *from,
                                const pb_filter *filter)
{
    static const char *const bases[] = {SCOPE_ENVOY, NULL};
    if (filter->config_type_case ==
        ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_CONFIG_DISCOVERY) {
        if (!visible(all, from, XDS_ECDS, bases, filter->name)) {
            BREACH(from, "there is no filter '%s'", filter->name);
        }
    } else if (strstr(filter->typed_config->type_url, "TcpProxy") != NULL) {
        check_tcp(all, from, filter->typed_config);
    } else {
        check_hcm(all, from, filter->typed_config);
    }
}

/* Envoy rejects two filter chains that take the same connection, and cannot know of a server name
 * without its inspector. */
static inline void check_server_names(const struct resource *from, const pb_listener *listener)
{
    const char *seen[64];
    size_t len = 0;
    for (size_t i = 0; i < listener->n_filter_chains; i++) {
        const pb_chain_match *match = listener->filter_chains[i]->filter_chain_match;
        if (match == NULL && listener->n_filter_chains > 1) {
            BREACH(from, "filter chain %zu takes everything, and is not alone", i);
        }
        for (size_t j = 0; match != NULL && j < match->n_server_names && len < 64; j++) {
            for (size_t k = 0; k < len; k++) {
                if (strcmp(seen[k], match->server_names[j]) == 0) {
                    BREACH(from, "'%s' belongs to two filter chains", seen[k]);
                }
            }
            seen[len++] = match->server_names[j];
        }
    }
    if ((len > 0) != (listener->n_listener_filters > 0) && listener->n_filter_chains > 0) {
        BREACH(from,
               "it reads ClientHellos where nobody asks for them, or does not where one does");
    }
}

/* What makes a server reject its Listener (gRFC A36). */
static inline void check_server(const struct resource *from, const pb_listener *listener)
{
    if (listener->n_listener_filters > 0 || listener->use_original_dst != NULL ||
        listener->traffic_direction != ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__INBOUND ||
        listener->default_filter_chain == NULL || listener->default_filter_chain->n_filters != 1 ||
        strstr(listener->default_filter_chain->filters[0]->typed_config->type_url,
               "HttpConnectionManager") == NULL) {
        BREACH(from, "gRPC servers do not take it");
    }
}

static inline void check_listener(const struct rig_resources *all, const struct resource *from)
{
    struct str message = resource_message(from);
    pb_listener *listener = unpack(&pb_listener_desc, message.ptr, message.len);
    if (listener->api_listener != NULL) {
        check_hcm(all, from, listener->api_listener->api_listener);
    } else if (listener->address == NULL) {
        BREACH(from, "it has no address");
    } else if (str_starts_with(from->scope, STR("grpc."))) {
        check_server(from, listener);
        check_hcm(all, from, listener->default_filter_chain->filters[0]->typed_config);
    }
    for (size_t i = 0; i < listener->n_filter_chains; i++) {
        check_filter(all, from, listener->filter_chains[i]->filters[0]);
    }
    check_server_names(from, listener);
    protobuf_c_message_free_unpacked(&listener->base, NULL);
}

#endif
