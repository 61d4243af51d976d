/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph: the map of the program. Read it from top to bottom: each table may read what stands
 * above it.
 *
 *   service ─┬─► port ─┬─► attachment ◄── route        ┌─► vhost ─► route configurations
 *            │         ├─► routing ◄── attached ───────┼─► backends of connections (ECDS)
 *   slice ───┼─► endpoints ◄── places ◄── view         └─► listeners
 *   interest ├─► target    └─► cluster ◄── policy          status ◄── rejection, elsewhere,
 *            │                                                         standings ◄── attached
 *            └─► server ─► listeners of servers
 *
 *   gateway, listenerset, secret ─► gateways ─► excerpt ─► attachment ─► rivals
 *                                                               │           ▼
 *                                                               ├─► gateway routing ─► vhost
 *                                                               ├─► gateway l4
 *                      backendtlspolicy ─► backend tls ─────────┴─► gateway cluster
 */
#include "pipeline/graph.h"

#include "ir/attachment.h"
#include "ir/bundle.h"
#include "ir/client.h"
#include "ir/gateway.h"
#include "ir/ir.h"
#include "model/fault.h"
#include "model/object.h"
#include "resolve/resolve.h"
#include "xds/xds.h"

#define INPUT(name_, equal_)                                                                       \
    {                                                                                              \
        .name = (name_), .equal = (equal_)                                                         \
    }
#define INPUT_TOLD(name_, equal_)                                                                  \
    {                                                                                              \
        .name = (name_), .equal = (equal_), .published = true                                      \
    }
#define TABLE(name_, rank_, compute_, equal_, ...)                                                 \
    {                                                                                              \
        .name = (name_), .rank = (rank_), .compute = (compute_), .equal = (equal_), .sources = {   \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define TOLD(name_, rank_, compute_, equal_, ...) /* and its changes are told: engine_changes() */ \
    {                                                                                              \
        .name = (name_), .rank = (rank_), .compute = (compute_), .equal = (equal_),                \
        .sources = {__VA_ARGS__}, .published = true                                                \
    }
#define STATUS(name_, rank_, compute_, ...) TOLD(name_, rank_, compute_, status_equal, __VA_ARGS__)
#define RESOURCES(name_, compute_, ...)                                                            \
    {                                                                                              \
        .name = (name_), .rank = 7, .compute = (compute_), .equal = resource_row_equal,            \
        .release = resource_row_release, .sources = {__VA_ARGS__}, .published = true               \
    }
#define OF(table)                                                                                  \
    {                                                                                              \
        KEYS_OF_TABLE, (table)                                                                     \
    }
#define BY(index)                                                                                  \
    {                                                                                              \
        KEYS_OF_INDEX, (index)                                                                     \
    }

static const struct table_spec tables[TABLE_COUNT] = {
    /* clang-format off */
    [T_NAMESPACE]    = INPUT("namespace", object_equal),
    [T_SERVICE]      = INPUT("service", object_equal),
    [T_SLICE]        = INPUT_TOLD("endpointslice", object_equal),
    [T_ROUTE]        = INPUT_TOLD("route", object_equal),
    [T_GRANT]        = INPUT("referencegrant", object_equal),
    [T_POLICY]       = INPUT("policy", object_equal),
    [T_CLASS]        = INPUT("gatewayclass", object_equal),
    [T_MESH]         = INPUT("xmesh", object_equal),
    [T_NODE]         = INPUT("node", object_equal),
    [T_GATEWAY]      = INPUT_TOLD("gateway", object_equal),
    [T_LISTENERSET]  = INPUT("listenerset", object_equal),
    [T_TLS_POLICY]   = INPUT("backendtlspolicy", object_equal),
    [T_SECRET]       = INPUT("secret", object_equal),
    [T_CONFIGMAP]    = INPUT("configmap", object_equal),
    [T_FAULT]        = INPUT("fault", fault_equal),
    [T_VIEW]         = INPUT("view", view_equal),
    [T_ELSEWHERE]    = INPUT("elsewhere", view_equal),
    [T_INTEREST]     = INPUT("interest", interest_equal),
    [T_REJECTION]    = INPUT("rejection", rejection_equal),
    [T_SETTINGS]     = INPUT("settings", settings_equal),
    [T_PLACED]       = INPUT("placed", placed_equal),
    [T_BUNDLE]       = INPUT("bundle", bundle_equal),

    [T_PORT]         = TABLE("port", 1, resolve_port, ir_port_equal, BY(X_PORTS_OF_SERVICE)),
    [T_GATEWAYS]     = TOLD("gateways", 1, resolve_gateway, ir_gateway_equal, OF(T_GATEWAY)),
    [T_EXCERPT]      = TABLE("excerpt", 2, resolve_excerpt, ir_gateway_equal,
                             BY(X_PARENTS), BY(X_LISTENER_DOMAINS)),
    [T_BACKEND_TLS]  = TABLE("backend-tls", 2, resolve_backend_tls, ir_backend_tls_equal,
                             OF(T_PORT)),
    [T_TARGET]       = TABLE("target", 2, resolve_target, ir_target_equal, OF(T_INTEREST)),
    [T_SERVER]       = TABLE("server", 2, resolve_server, ir_server_equal, OF(T_INTEREST)),
    [T_PLACES]       = TABLE("places", 2, resolve_places, ir_places_equal, OF(T_PORT)),
    [T_ATTACHMENT]   = TOLD("attachment", 3, resolve_attachment, attachment_equal, OF(T_ROUTE)),
    [T_RIVALS]       = TABLE("rivals", 4, resolve_rivals, ir_rivals_equal, BY(X_LISTENER_ROUTES)),
    [T_STANDINGS]    = TABLE("standings", 4, resolve_standings, ir_standings_equal,
                             BY(X_ATTACHED)),
    [T_ROUTING]      = TOLD("routing", 5, resolve_routing, ir_routing_equal,
                            OF(T_PORT), BY(X_ATTACHED)),
    [T_CLUSTER]      = TABLE("cluster", 5, resolve_cluster, ir_cluster_equal, OF(T_PORT)),
    [T_ENDPOINTS]    = TABLE("endpoints", 5, resolve_endpoints, ir_endpoints_equal,
                             OF(T_PORT), BY(X_PLACES)),
    [T_SERVICE_STATUS] = STATUS("service-status", 5, resolve_service_status,
                                OF(T_SERVICE), BY(X_SERVICE_FAULTS)),
    [T_POLICY_STATUS] = STATUS("policy-status", 5, resolve_policy_status,
                               OF(T_POLICY), BY(X_POLICY_FAULTS)),
    [T_CLASS_STATUS] = STATUS("class-status", 5, resolve_class_status, OF(T_CLASS)),
    [T_MESH_STATUS]  = STATUS("mesh-status", 5, resolve_mesh_status, OF(T_MESH)),

    [T_GATEWAY_ROUTING] = TOLD("gateway-routing", 5, resolve_gateway_routing, ir_routing_equal,
                               BY(X_LISTENER_DOMAINS), BY(X_ROUTE_DOMAINS)),
    [T_GATEWAY_L4]   = TOLD("gateway-l4", 5, resolve_gateway_l4, ir_routing_equal, BY(X_ENTRIES)),
    [T_GATEWAY_CLUSTER] = TABLE("gateway-cluster", 5, resolve_upstream, ir_upstream_equal,
                                BY(X_UPSTREAMS)),

    [T_STATUS]       = STATUS("status", 6, resolve_status, OF(T_ROUTE), OF(T_FAULT)),
    [T_ENVOY_VHOST]  = TABLE("envoy-vhost", 6, xds_envoy_vhost, fragment_equal, OF(T_ROUTING)),
    [T_GRPC_VHOST]   = TABLE("grpc-vhost", 6, xds_grpc_vhost, fragment_equal, OF(T_ROUTING)),
    [T_GATEWAY_STATUS] = STATUS("gateway-status", 6, resolve_gateway_status,
                                OF(T_GATEWAY), BY(X_GATEWAY_FAULTS)),
    [T_LISTENERSET_STATUS] = STATUS("listenerset-status", 6, resolve_listener_set_status,
                                    OF(T_LISTENERSET), BY(X_LISTENERSET_FAULTS)),
    [T_TLS_POLICY_STATUS] = STATUS("backendtlspolicy-status", 6, resolve_tls_policy_status,
                                   OF(T_TLS_POLICY), BY(X_TLS_POLICY_FAULTS)),
    [T_GATEWAY_VHOST] = TABLE("gateway-vhost", 6, xds_gateway_vhost, fragment_equal,
                              OF(T_GATEWAY_ROUTING)),

    [T_ENVOY_RDS]    = RESOURCES("envoy-rds", xds_envoy_routes, OF(T_ENVOY_VHOST)),
    [T_GRPC_RDS]     = RESOURCES("grpc-rds", xds_grpc_routes, OF(T_GRPC_VHOST)),
    [T_ENVOY_CDS]    = RESOURCES("envoy-cds", xds_envoy_cluster, OF(T_CLUSTER)),
    [T_GRPC_CDS]     = RESOURCES("grpc-cds", xds_grpc_cluster, OF(T_CLUSTER)),
    [T_EDS]          = RESOURCES("eds", xds_endpoints, OF(T_ENDPOINTS)),
    [T_REDIRECT_LDS] = RESOURCES("redirect-lds", xds_redirect_listener, OF(T_ROUTING)),
    [T_BIND_LDS]     = RESOURCES("bind-lds", xds_bind_listener, OF(T_ROUTING)),
    [T_ENVOY_ECDS]   = RESOURCES("envoy-ecds", xds_envoy_l4, BY(X_ATTACHED_L4)),
    [T_SIDECAR_BASE] = RESOURCES("sidecar-base", xds_sidecar_base, OF(T_VIEW)),
    [T_GRPC_TARGET]  = RESOURCES("grpc-target", xds_grpc_target, OF(T_TARGET)),
    [T_GRPC_SERVER]  = RESOURCES("grpc-server", xds_grpc_server, OF(T_SERVER)),
    [T_GATEWAY_LDS]  = RESOURCES("gateway-lds", xds_gateway_listener, BY(X_ENTRIES)),
    [T_GATEWAY_RDS]  = RESOURCES("gateway-rds", xds_gateway_routes, BY(X_ENTRIES)),
    [T_GATEWAY_ECDS] = RESOURCES("gateway-ecds", xds_gateway_l4, OF(T_GATEWAY_L4)),
    [T_GATEWAY_CDS]  = RESOURCES("gateway-cds", xds_gateway_cluster, OF(T_GATEWAY_CLUSTER)),
    [T_GATEWAY_UDP]  = RESOURCES("gateway-udp", xds_gateway_udp, OF(T_GATEWAY_L4)),
    [T_GATEWAY_SDS]  = RESOURCES("gateway-sds", xds_gateway_secret,
                                 BY(X_LISTENER_SECRETS), BY(X_UPSTREAM_SECRETS)),
    /* clang-format on */
};

static const struct index_spec indexes[INDEX_COUNT] = {
    /* clang-format off */
    [X_SLICES_OF_SERVICE] = {"slices-of-service", T_SLICE, resolve_slices_of_service, NULL},
    [X_SLICES_OF_NAMES]   = {"slices-of-names", T_SLICE, resolve_slices_of_names, NULL},
    [X_PLACES_OF_CLIENTS] = {"places-of-clients", T_VIEW, resolve_places_of_clients, NULL},
    [X_PLACES]            = {"places", T_PLACES, resolve_endpoints_of_places, NULL},
    [X_POLICIES]          = {"policies", T_POLICY, resolve_policies, resolve_policies_order},
    [X_SERVICES_IN_NS]    = {"services-in-namespace", T_SERVICE, resolve_services_in_ns, NULL},
    [X_NAMESPACES]        = {"namespaces", T_NAMESPACE, resolve_namespaces, NULL},
    [X_SERVICES_OF_IP]    = {"services-of-ip", T_SERVICE, resolve_services_of_ip, NULL},
    [X_PORTS_OF_SERVICE]  = {"ports-of-service", T_SERVICE, resolve_ports_of_service, NULL},
    [X_ATTACHED]          = {"attached", T_ATTACHMENT, resolve_attached, resolve_attached_order},
    [X_ATTACHED_L4]       = {"attached-l4", T_ATTACHMENT, resolve_attached_l4, NULL},
    [X_ATTACHED_NAMES]    = {"attached-names", T_ATTACHMENT, resolve_attached_names,
                             resolve_attached_order},
    [X_GRANTS]            = {"grants", T_GRANT, resolve_grants, NULL},
    [X_SERVICE_FAULTS]    = {"service-faults", T_FAULT, resolve_service_faults, NULL},
    [X_POLICY_FAULTS]     = {"policy-faults", T_FAULT, resolve_policy_faults, NULL},
    [X_GATEWAY_FAULTS]    = {"gateway-faults", T_FAULT, resolve_gateway_faults, NULL},
    [X_LISTENERSET_FAULTS] = {"listenerset-faults", T_FAULT, resolve_listener_set_faults, NULL},
    [X_TLS_POLICY_FAULTS] = {"backendtlspolicy-faults", T_FAULT, resolve_tls_policy_faults, NULL},
    [X_TLS_FAULT_TARGETS] = {"backendtlspolicy-fault-targets", T_FAULT, resolve_tls_fault_targets,
                             NULL},
    [X_SETS]              = {"listenersets", T_LISTENERSET, resolve_sets_of_gateway,
                             resolve_sets_order},
    [X_TLS_POLICIES]      = {"backendtlspolicies", T_TLS_POLICY, resolve_tls_policies,
                             resolve_tls_policies_order},
    [X_LISTENER_ROUTES]   = {"listener-routes", T_ATTACHMENT, resolve_listener_routes,
                             resolve_attached_order},
    [X_LISTENER_HOSTS]    = {"listener-hosts", T_ATTACHMENT, resolve_listener_hosts,
                             resolve_attached_order},
    [X_ROUTE_DOMAINS]     = {"route-domains", T_ATTACHMENT, resolve_route_domains, NULL},
    [X_LISTENER_DOMAINS]  = {"listener-domains", T_GATEWAYS, resolve_listener_domains, NULL},
    [X_PARENTS]           = {"parents", T_GATEWAYS, resolve_parents, NULL},
    [X_ENTRIES]           = {"entries", T_GATEWAYS, resolve_entries, NULL},
    [X_UPSTREAMS]         = {"upstreams", T_ATTACHMENT, resolve_upstreams, NULL},
    [X_ENTRY_VHOSTS]      = {"entry-vhosts", T_GATEWAY_VHOST, xds_entry_vhosts, NULL},
    [X_LISTENER_SECRETS]  = {"listener-secrets", T_GATEWAYS, resolve_listener_secrets, NULL},
    [X_UPSTREAM_SECRETS]  = {"upstream-secrets", T_GATEWAY_CLUSTER, resolve_upstream_secrets,
                             NULL},
    [X_POLICY_GATEWAYS]   = {"gateways-of-services", T_ATTACHMENT, resolve_gateways_of_services,
                             NULL},
    [X_SCOPES_ELSEWHERE]  = {"scopes-elsewhere", T_ELSEWHERE, resolve_scopes_elsewhere, NULL},
    [X_REJECTIONS]        = {"rejections", T_REJECTION, resolve_rejections, NULL},
    /* clang-format on */
};

const struct graph heddle_graph = {tables, TABLE_COUNT, indexes, INDEX_COUNT};

const unsigned resource_tables[] = {
    T_ENVOY_RDS,    T_GRPC_RDS,     T_ENVOY_CDS,   T_GRPC_CDS,    T_EDS,          T_BIND_LDS,
    T_REDIRECT_LDS, T_ENVOY_ECDS,   T_GRPC_TARGET, T_GRPC_SERVER, T_SIDECAR_BASE, T_GATEWAY_LDS,
    T_GATEWAY_RDS,  T_GATEWAY_ECDS, T_GATEWAY_CDS, T_GATEWAY_UDP, T_GATEWAY_SDS,
};
const unsigned resource_tables_len = sizeof(resource_tables) / sizeof(resource_tables[0]);

const unsigned status_tables[] = {
    T_STATUS,      T_SERVICE_STATUS, T_POLICY_STATUS,      T_CLASS_STATUS,
    T_MESH_STATUS, T_GATEWAY_STATUS, T_LISTENERSET_STATUS, T_TLS_POLICY_STATUS,
};
const unsigned status_tables_len = sizeof(status_tables) / sizeof(status_tables[0]);
