/* SPDX-License-Identifier: Apache-2.0 */
/* alias_cluster: the part of alias.h that is of clusters and endpoints. */
#ifndef HEDDLE_XDS_ALIAS_CLUSTER_H
#define HEDDLE_XDS_ALIAS_CLUSTER_H

#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include "envoy/config/endpoint/v3/endpoint.pb-c.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb-c.h"

#define pb_cluster Envoy__Config__Cluster__V3__Cluster
#define pb_cluster_desc envoy__config__cluster__v3__cluster__descriptor
#define pb_eds_config Envoy__Config__Cluster__V3__Cluster__EdsClusterConfig
#define pb_eds_config_desc envoy__config__cluster__v3__cluster__eds_cluster_config__descriptor
#define pb_common_lb Envoy__Config__Cluster__V3__Cluster__CommonLbConfig
#define pb_common_lb_desc envoy__config__cluster__v3__cluster__common_lb_config__descriptor
#define pb_health_status Envoy__Config__Core__V3__HealthStatus
#define pb_health_status_set Envoy__Config__Core__V3__HealthStatusSet
#define pb_health_status_set_desc envoy__config__core__v3__health_status_set__descriptor
#define pb_protocol_options_entry                                                                  \
    Envoy__Config__Cluster__V3__Cluster__TypedExtensionProtocolOptionsEntry
#define pb_protocol_options_entry_desc                                                             \
    envoy__config__cluster__v3__cluster__typed_extension_protocol_options_entry__descriptor
#define pb_protocol_options Envoy__Extensions__Upstreams__Http__V3__HttpProtocolOptions
#define pb_protocol_options_desc                                                                   \
    envoy__extensions__upstreams__http__v3__http_protocol_options__descriptor
#define pb_explicit_http                                                                           \
    Envoy__Extensions__Upstreams__Http__V3__HttpProtocolOptions__ExplicitHttpConfig
#define pb_explicit_http_desc                                                                      \
    envoy__extensions__upstreams__http__v3__http_protocol_options__explicit_http_config__descriptor
#define pb_downstream_http                                                                         \
    Envoy__Extensions__Upstreams__Http__V3__HttpProtocolOptions__UseDownstreamHttpConfig
#define pb_downstream_http_desc                                                                    \
    envoy__extensions__upstreams__http__v3__http_protocol_options__use_downstream_http_config__descriptor
#define pb_circuit_breakers Envoy__Config__Cluster__V3__CircuitBreakers
#define pb_circuit_breakers_desc envoy__config__cluster__v3__circuit_breakers__descriptor
#define pb_thresholds Envoy__Config__Cluster__V3__CircuitBreakers__Thresholds
#define pb_thresholds_desc envoy__config__cluster__v3__circuit_breakers__thresholds__descriptor
#define pb_retry_budget Envoy__Config__Cluster__V3__CircuitBreakers__Thresholds__RetryBudget
#define pb_retry_budget_desc                                                                       \
    envoy__config__cluster__v3__circuit_breakers__thresholds__retry_budget__descriptor
#define pb_load_assignment Envoy__Config__Endpoint__V3__ClusterLoadAssignment
#define pb_load_assignment_desc envoy__config__endpoint__v3__cluster_load_assignment__descriptor
#define pb_load_policy Envoy__Config__Endpoint__V3__ClusterLoadAssignment__Policy
#define pb_load_policy_desc envoy__config__endpoint__v3__cluster_load_assignment__policy__descriptor
#define pb_drop Envoy__Config__Endpoint__V3__ClusterLoadAssignment__Policy__DropOverload
#define pb_drop_desc                                                                               \
    envoy__config__endpoint__v3__cluster_load_assignment__policy__drop_overload__descriptor
#define pb_locality_endpoints Envoy__Config__Endpoint__V3__LocalityLbEndpoints
#define pb_locality_endpoints_desc envoy__config__endpoint__v3__locality_lb_endpoints__descriptor
#define pb_lb_endpoint Envoy__Config__Endpoint__V3__LbEndpoint
#define pb_lb_endpoint_desc envoy__config__endpoint__v3__lb_endpoint__descriptor
#define pb_endpoint Envoy__Config__Endpoint__V3__Endpoint
#define pb_endpoint_desc envoy__config__endpoint__v3__endpoint__descriptor
#define pb_endpoint_address Envoy__Config__Endpoint__V3__Endpoint__AdditionalAddress
#define pb_endpoint_address_desc                                                                   \
    envoy__config__endpoint__v3__endpoint__additional_address__descriptor

#endif
