/* SPDX-License-Identifier: Apache-2.0 */
/* alias_gateway: the part of alias.h that only gateways need: TLS, QUIC, UDP, PROXY protocol. */
#ifndef HEDDLE_XDS_ALIAS_GATEWAY_H
#define HEDDLE_XDS_ALIAS_GATEWAY_H

#include "xds/alias.h"

#include "envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.pb-c.h"
#include "envoy/extensions/filters/udp/udp_proxy/v3/route.pb-c.h"
#include "envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy.pb-c.h"
#include "envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.pb-c.h"
#include "envoy/extensions/transport_sockets/quic/v3/quic_transport.pb-c.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb-c.h"

#define pb_transport_socket Envoy__Config__Core__V3__TransportSocket
#define pb_transport_socket_desc envoy__config__core__v3__transport_socket__descriptor
#define pb_data_source Envoy__Config__Core__V3__DataSource
#define pb_data_source_desc envoy__config__core__v3__data_source__descriptor
#define pb_http_options Envoy__Config__Core__V3__HttpProtocolOptions
#define pb_http_options_desc envoy__config__core__v3__http_protocol_options__descriptor
#define pb_http3_options Envoy__Config__Core__V3__Http3ProtocolOptions
#define pb_http3_options_desc envoy__config__core__v3__http3_protocol_options__descriptor
#define pb_early_mutation                                                                          \
    Envoy__Extensions__Http__EarlyHeaderMutation__HeaderMutation__V3__HeaderMutation
#define pb_early_mutation_desc                                                                     \
    envoy__extensions__http__early_header_mutation__header_mutation__v3__header_mutation__descriptor
#define pb_header_mutation Envoy__Config__Common__MutationRules__V3__HeaderMutation
#define pb_header_mutation_desc                                                                    \
    envoy__config__common__mutation_rules__v3__header_mutation__descriptor

/* TLS */
#define pb_downstream_tls Envoy__Extensions__TransportSockets__Tls__V3__DownstreamTlsContext
#define pb_downstream_tls_desc                                                                     \
    envoy__extensions__transport_sockets__tls__v3__downstream_tls_context__descriptor
#define pb_upstream_tls Envoy__Extensions__TransportSockets__Tls__V3__UpstreamTlsContext
#define pb_upstream_tls_desc                                                                       \
    envoy__extensions__transport_sockets__tls__v3__upstream_tls_context__descriptor
#define pb_common_tls Envoy__Extensions__TransportSockets__Tls__V3__CommonTlsContext
#define pb_common_tls_desc                                                                         \
    envoy__extensions__transport_sockets__tls__v3__common_tls_context__descriptor
#define pb_tls_parameters Envoy__Extensions__TransportSockets__Tls__V3__TlsParameters
#define pb_tls_parameters_desc                                                                     \
    envoy__extensions__transport_sockets__tls__v3__tls_parameters__descriptor
#define pb_validation Envoy__Extensions__TransportSockets__Tls__V3__CertificateValidationContext
#define pb_validation_desc                                                                         \
    envoy__extensions__transport_sockets__tls__v3__certificate_validation_context__descriptor
#define pb_combined_validation                                                                     \
    Envoy__Extensions__TransportSockets__Tls__V3__CommonTlsContext__CombinedCertificateValidationContext
#define pb_combined_validation_desc                                                                \
    envoy__extensions__transport_sockets__tls__v3__common_tls_context__combined_certificate_validation_context__descriptor
#define pb_san_matcher Envoy__Extensions__TransportSockets__Tls__V3__SubjectAltNameMatcher
#define pb_san_matcher_desc                                                                        \
    envoy__extensions__transport_sockets__tls__v3__subject_alt_name_matcher__descriptor
#define PB_SAN_DNS                                                                                 \
    ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__DNS
#define PB_SAN_URI                                                                                 \
    ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__URI
#define pb_sds Envoy__Extensions__TransportSockets__Tls__V3__SdsSecretConfig
#define pb_sds_desc envoy__extensions__transport_sockets__tls__v3__sds_secret_config__descriptor
#define pb_secret Envoy__Extensions__TransportSockets__Tls__V3__Secret
#define pb_secret_desc envoy__extensions__transport_sockets__tls__v3__secret__descriptor
#define pb_tls_certificate Envoy__Extensions__TransportSockets__Tls__V3__TlsCertificate
#define pb_tls_certificate_desc                                                                    \
    envoy__extensions__transport_sockets__tls__v3__tls_certificate__descriptor
#define pb_quic_transport Envoy__Extensions__TransportSockets__Quic__V3__QuicDownstreamTransport
#define pb_quic_transport_desc                                                                     \
    envoy__extensions__transport_sockets__quic__v3__quic_downstream_transport__descriptor

/* listeners */
#define pb_proxy_protocol Envoy__Extensions__Filters__Listener__ProxyProtocol__V3__ProxyProtocol
#define pb_proxy_protocol_desc                                                                     \
    envoy__extensions__filters__listener__proxy_protocol__v3__proxy_protocol__descriptor
#define pb_udp_listener Envoy__Config__Listener__V3__UdpListenerConfig
#define pb_udp_listener_desc envoy__config__listener__v3__udp_listener_config__descriptor
#define pb_quic_listener Envoy__Config__Listener__V3__QuicProtocolOptions
#define pb_quic_listener_desc envoy__config__listener__v3__quic_protocol_options__descriptor
#define pb_internal_listener Envoy__Config__Listener__V3__Listener__InternalListenerConfig
#define pb_internal_listener_desc                                                                  \
    envoy__config__listener__v3__listener__internal_listener_config__descriptor
#define pb_internal_address Envoy__Config__Core__V3__EnvoyInternalAddress
#define pb_internal_address_desc envoy__config__core__v3__envoy_internal_address__descriptor
#define pb_udp_proxy Envoy__Extensions__Filters__Udp__UdpProxy__V3__UdpProxyConfig
#define pb_udp_proxy_desc                                                                          \
    envoy__extensions__filters__udp__udp_proxy__v3__udp_proxy_config__descriptor
#define pb_udp_route Envoy__Extensions__Filters__Udp__UdpProxy__V3__Route
#define pb_udp_route_desc envoy__extensions__filters__udp__udp_proxy__v3__route__descriptor
#define pb_matcher Xds__Type__Matcher__V3__Matcher
#define pb_matcher_desc xds__type__matcher__v3__matcher__descriptor
#define pb_on_match Xds__Type__Matcher__V3__Matcher__OnMatch
#define pb_on_match_desc xds__type__matcher__v3__matcher__on_match__descriptor
#define pb_matcher_action Xds__Core__V3__TypedExtensionConfig
#define pb_matcher_action_desc xds__core__v3__typed_extension_config__descriptor
#define pb_locality_weighted                                                                       \
    Envoy__Config__Cluster__V3__Cluster__CommonLbConfig__LocalityWeightedLbConfig
#define pb_locality_weighted_desc                                                                  \
    envoy__config__cluster__v3__cluster__common_lb_config__locality_weighted_lb_config__descriptor

#endif
