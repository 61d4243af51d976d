/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alias: short names for the protobuf-c types that xds/ builds.
 *
 *   pb_cluster *cluster = NEW(arena, pb_cluster);
 *
 * NEW() takes the message from the arena, initialised. For each alias there is its descriptor,
 * NAME_desc, from which size and initial values come. Clusters and endpoints: alias_cluster.h.
 */
#ifndef HEDDLE_XDS_ALIAS_H
#define HEDDLE_XDS_ALIAS_H

#include "base/arena.h"
#include "xds/alias_cluster.h"

#include "envoy/config/listener/v3/listener.pb-c.h"
#include "envoy/config/route/v3/route.pb-c.h"
#include "envoy/extensions/access_loggers/stream/v3/stream.pb-c.h"
#include "envoy/extensions/filters/http/cors/v3/cors.pb-c.h"
#include "envoy/extensions/filters/http/router/v3/router.pb-c.h"
#include "envoy/extensions/filters/http/stateful_session/v3/stateful_session.pb-c.h"
#include "envoy/extensions/filters/listener/original_dst/v3/original_dst.pb-c.h"
#include "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.pb-c.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb-c.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb-c.h"
#include "envoy/extensions/http/stateful_session/cookie/v3/cookie.pb-c.h"
#include "envoy/extensions/http/stateful_session/header/v3/header.pb-c.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"

#define NEW(arena, name) ((name *)xds_new((arena), &name##_desc))

void *xds_new(struct arena *arena, const ProtobufCMessageDescriptor *type);

/* google.protobuf */
#define pb_any Google__Protobuf__Any
#define pb_any_desc google__protobuf__any__descriptor
#define pb_bool Google__Protobuf__BoolValue
#define pb_bool_desc google__protobuf__bool_value__descriptor
#define pb_u32 Google__Protobuf__UInt32Value
#define pb_u32_desc google__protobuf__uint32_value__descriptor
#define pb_duration Google__Protobuf__Duration
#define pb_duration_desc google__protobuf__duration__descriptor
#define pb_struct Google__Protobuf__Struct
#define pb_struct_desc google__protobuf__struct__descriptor
#define pb_struct_entry Google__Protobuf__Struct__FieldsEntry
#define pb_struct_entry_desc google__protobuf__struct__fields_entry__descriptor
#define pb_value Google__Protobuf__Value
#define pb_value_desc google__protobuf__value__descriptor

/* core */
#define pb_address Envoy__Config__Core__V3__Address
#define pb_address_desc envoy__config__core__v3__address__descriptor
#define pb_socket_address Envoy__Config__Core__V3__SocketAddress
#define pb_socket_address_desc envoy__config__core__v3__socket_address__descriptor
#define pb_config_source Envoy__Config__Core__V3__ConfigSource
#define pb_config_source_desc envoy__config__core__v3__config_source__descriptor
#define pb_ads Envoy__Config__Core__V3__AggregatedConfigSource
#define pb_ads_desc envoy__config__core__v3__aggregated_config_source__descriptor
#define pb_extension Envoy__Config__Core__V3__TypedExtensionConfig
#define pb_extension_desc envoy__config__core__v3__typed_extension_config__descriptor
#define pb_extension_source Envoy__Config__Core__V3__ExtensionConfigSource
#define pb_extension_source_desc envoy__config__core__v3__extension_config_source__descriptor
#define pb_locality Envoy__Config__Core__V3__Locality
#define pb_locality_desc envoy__config__core__v3__locality__descriptor
#define pb_metadata Envoy__Config__Core__V3__Metadata
#define pb_metadata_desc envoy__config__core__v3__metadata__descriptor
#define pb_metadata_entry Envoy__Config__Core__V3__Metadata__FilterMetadataEntry
#define pb_metadata_entry_desc envoy__config__core__v3__metadata__filter_metadata_entry__descriptor
#define pb_header_value Envoy__Config__Core__V3__HeaderValue
#define pb_header_value_desc envoy__config__core__v3__header_value__descriptor
#define pb_header_option Envoy__Config__Core__V3__HeaderValueOption
#define pb_header_option_desc envoy__config__core__v3__header_value_option__descriptor
#define PB_HEADER_OVERWRITE_OR_ADD                                                                 \
    ENVOY__CONFIG__CORE__V3__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__OVERWRITE_IF_EXISTS_OR_ADD
#define PB_HEADER_APPEND_OR_ADD                                                                    \
    ENVOY__CONFIG__CORE__V3__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__APPEND_IF_EXISTS_OR_ADD
#define pb_runtime_fraction Envoy__Config__Core__V3__RuntimeFractionalPercent
#define pb_runtime_fraction_desc envoy__config__core__v3__runtime_fractional_percent__descriptor
#define pb_http1_options Envoy__Config__Core__V3__Http1ProtocolOptions
#define pb_http1_options_desc envoy__config__core__v3__http1_protocol_options__descriptor
#define pb_http2_options Envoy__Config__Core__V3__Http2ProtocolOptions
#define pb_http2_options_desc envoy__config__core__v3__http2_protocol_options__descriptor
#define pb_access_log Envoy__Config__Accesslog__V3__AccessLog
#define pb_access_log_desc envoy__config__accesslog__v3__access_log__descriptor
#define pb_stdout_log Envoy__Extensions__AccessLoggers__Stream__V3__StdoutAccessLog
#define pb_stdout_log_desc                                                                         \
    envoy__extensions__access_loggers__stream__v3__stdout_access_log__descriptor
#define pb_fraction Envoy__Type__V3__FractionalPercent
#define pb_fraction_desc envoy__type__v3__fractional_percent__descriptor
#define pb_percent Envoy__Type__V3__Percent
#define pb_percent_desc envoy__type__v3__percent__descriptor
#define pb_string_matcher Envoy__Type__Matcher__V3__StringMatcher
#define pb_string_matcher_desc envoy__type__matcher__v3__string_matcher__descriptor
#define pb_regex Envoy__Type__Matcher__V3__RegexMatcher
#define pb_regex_desc envoy__type__matcher__v3__regex_matcher__descriptor

/* routes */
#define pb_route_config Envoy__Config__Route__V3__RouteConfiguration
#define pb_route_config_desc envoy__config__route__v3__route_configuration__descriptor
#define pb_virtual_host Envoy__Config__Route__V3__VirtualHost
#define pb_virtual_host_desc envoy__config__route__v3__virtual_host__descriptor
#define pb_route Envoy__Config__Route__V3__Route
#define pb_route_desc envoy__config__route__v3__route__descriptor
#define pb_route_match Envoy__Config__Route__V3__RouteMatch
#define pb_route_match_desc envoy__config__route__v3__route_match__descriptor
#define pb_header_matcher Envoy__Config__Route__V3__HeaderMatcher
#define pb_header_matcher_desc envoy__config__route__v3__header_matcher__descriptor
#define pb_query_matcher Envoy__Config__Route__V3__QueryParameterMatcher
#define pb_query_matcher_desc envoy__config__route__v3__query_parameter_matcher__descriptor
#define pb_route_action Envoy__Config__Route__V3__RouteAction
#define pb_route_action_desc envoy__config__route__v3__route_action__descriptor
#define pb_redirect Envoy__Config__Route__V3__RedirectAction
#define pb_redirect_desc envoy__config__route__v3__redirect_action__descriptor
#define pb_redirect_code Envoy__Config__Route__V3__RedirectAction__RedirectResponseCode
#define PB_REDIRECT_301                                                                            \
    ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__MOVED_PERMANENTLY
#define PB_REDIRECT_302 ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__FOUND
#define PB_REDIRECT_303 ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__SEE_OTHER
#define PB_REDIRECT_307                                                                            \
    ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__TEMPORARY_REDIRECT
#define PB_REDIRECT_308                                                                            \
    ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__PERMANENT_REDIRECT
#define pb_regex_rewrite Envoy__Type__Matcher__V3__RegexMatchAndSubstitute
#define pb_regex_rewrite_desc envoy__type__matcher__v3__regex_match_and_substitute__descriptor
#define pb_mirror Envoy__Config__Route__V3__RouteAction__RequestMirrorPolicy
#define pb_mirror_desc envoy__config__route__v3__route_action__request_mirror_policy__descriptor
#define pb_max_stream_duration Envoy__Config__Route__V3__RouteAction__MaxStreamDuration
#define pb_max_stream_duration_desc                                                                \
    envoy__config__route__v3__route_action__max_stream_duration__descriptor
#define pb_retry_policy Envoy__Config__Route__V3__RetryPolicy
#define pb_retry_policy_desc envoy__config__route__v3__retry_policy__descriptor
#define pb_retry_back_off Envoy__Config__Route__V3__RetryPolicy__RetryBackOff
#define pb_retry_back_off_desc envoy__config__route__v3__retry_policy__retry_back_off__descriptor
#define pb_grpc_request Envoy__Config__Route__V3__RouteMatch__GrpcRouteMatchOptions
#define pb_grpc_request_desc                                                                       \
    envoy__config__route__v3__route_match__grpc_route_match_options__descriptor
#define pb_direct_response Envoy__Config__Route__V3__DirectResponseAction
#define pb_direct_response_desc envoy__config__route__v3__direct_response_action__descriptor
#define pb_non_forwarding Envoy__Config__Route__V3__NonForwardingAction
#define pb_non_forwarding_desc envoy__config__route__v3__non_forwarding_action__descriptor
#define pb_weighted_clusters Envoy__Config__Route__V3__WeightedCluster
#define pb_weighted_clusters_desc envoy__config__route__v3__weighted_cluster__descriptor
#define pb_cluster_weight Envoy__Config__Route__V3__WeightedCluster__ClusterWeight
#define pb_cluster_weight_desc                                                                     \
    envoy__config__route__v3__weighted_cluster__cluster_weight__descriptor

/* listeners */
#define pb_listener Envoy__Config__Listener__V3__Listener
#define pb_listener_desc envoy__config__listener__v3__listener__descriptor
#define pb_additional_address Envoy__Config__Listener__V3__AdditionalAddress
#define pb_additional_address_desc envoy__config__listener__v3__additional_address__descriptor
#define pb_api_listener Envoy__Config__Listener__V3__ApiListener
#define pb_api_listener_desc envoy__config__listener__v3__api_listener__descriptor
#define pb_filter_chain Envoy__Config__Listener__V3__FilterChain
#define pb_filter_chain_desc envoy__config__listener__v3__filter_chain__descriptor
#define pb_chain_match Envoy__Config__Listener__V3__FilterChainMatch
#define pb_chain_match_desc envoy__config__listener__v3__filter_chain_match__descriptor
#define pb_filter Envoy__Config__Listener__V3__Filter
#define pb_filter_desc envoy__config__listener__v3__filter__descriptor
#define pb_listener_filter Envoy__Config__Listener__V3__ListenerFilter
#define pb_listener_filter_desc envoy__config__listener__v3__listener_filter__descriptor
#define pb_original_dst Envoy__Extensions__Filters__Listener__OriginalDst__V3__OriginalDst
#define pb_original_dst_desc                                                                       \
    envoy__extensions__filters__listener__original_dst__v3__original_dst__descriptor
#define pb_tls_inspector Envoy__Extensions__Filters__Listener__TlsInspector__V3__TlsInspector
#define pb_tls_inspector_desc                                                                      \
    envoy__extensions__filters__listener__tls_inspector__v3__tls_inspector__descriptor
#define pb_tcp_proxy Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy
#define pb_tcp_proxy_desc envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy__descriptor
#define pb_tcp_weighted Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy__WeightedCluster
#define pb_tcp_weighted_desc                                                                       \
    envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy__weighted_cluster__descriptor
#define pb_tcp_weight                                                                              \
    Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy__WeightedCluster__ClusterWeight
#define pb_tcp_weight_desc                                                                         \
    envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy__weighted_cluster__cluster_weight__descriptor
#define pb_hcm Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager
#define pb_hcm_desc                                                                                \
    envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__descriptor
#define pb_hcm_upgrade                                                                             \
    Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager__UpgradeConfig
#define pb_hcm_upgrade_desc                                                                        \
    envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__upgrade_config__descriptor
#define pb_rds Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__Rds
#define pb_rds_desc                                                                                \
    envoy__extensions__filters__network__http_connection_manager__v3__rds__descriptor
#define pb_http_filter Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpFilter
#define pb_http_filter_desc                                                                        \
    envoy__extensions__filters__network__http_connection_manager__v3__http_filter__descriptor
#define pb_router Envoy__Extensions__Filters__Http__Router__V3__Router
#define pb_router_desc envoy__extensions__filters__http__router__v3__router__descriptor
#define pb_cors Envoy__Extensions__Filters__Http__Cors__V3__Cors
#define pb_cors_desc envoy__extensions__filters__http__cors__v3__cors__descriptor
#define pb_cors_policy Envoy__Extensions__Filters__Http__Cors__V3__CorsPolicy
#define pb_cors_policy_desc envoy__extensions__filters__http__cors__v3__cors_policy__descriptor
#define pb_session Envoy__Extensions__Filters__Http__StatefulSession__V3__StatefulSession
#define pb_session_desc                                                                            \
    envoy__extensions__filters__http__stateful_session__v3__stateful_session__descriptor
#define pb_session_per_route                                                                       \
    Envoy__Extensions__Filters__Http__StatefulSession__V3__StatefulSessionPerRoute
#define pb_session_per_route_desc                                                                  \
    envoy__extensions__filters__http__stateful_session__v3__stateful_session_per_route__descriptor
#define pb_session_cookie                                                                          \
    Envoy__Extensions__Http__StatefulSession__Cookie__V3__CookieBasedSessionState
#define pb_session_cookie_desc                                                                     \
    envoy__extensions__http__stateful_session__cookie__v3__cookie_based_session_state__descriptor
#define pb_session_header                                                                          \
    Envoy__Extensions__Http__StatefulSession__Header__V3__HeaderBasedSessionState
#define pb_session_header_desc                                                                     \
    envoy__extensions__http__stateful_session__header__v3__header_based_session_state__descriptor
#define pb_cookie Envoy__Type__Http__V3__Cookie
#define pb_cookie_desc envoy__type__http__v3__cookie__descriptor
#define pb_extension Envoy__Config__Core__V3__TypedExtensionConfig
#define pb_extension_desc envoy__config__core__v3__typed_extension_config__descriptor
#define pb_backend_filter                                                                          \
    Envoy__Config__Route__V3__WeightedCluster__ClusterWeight__TypedPerFilterConfigEntry
#define pb_backend_filter_desc                                                                     \
    envoy__config__route__v3__weighted_cluster__cluster_weight__typed_per_filter_config_entry__descriptor
#define pb_filter_config Envoy__Config__Route__V3__FilterConfig
#define pb_filter_config_desc envoy__config__route__v3__filter_config__descriptor
#define pb_route_filter Envoy__Config__Route__V3__Route__TypedPerFilterConfigEntry
#define pb_route_filter_desc                                                                       \
    envoy__config__route__v3__route__typed_per_filter_config_entry__descriptor

#endif
