/* SPDX-License-Identifier: Apache-2.0 */
/* refs: names out of packed resources of our own making. */
#include "xds/refs.h"

#include "base/panic.h"
#include "xds/alias_gateway.h"

static const int by_rds =
    ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;

static const int to_one_cluster =
    ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;

static const int combined =
    ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_COMBINED_VALIDATION_CONTEXT;

struct refs {
    xds_ref_fn *visit;
    void *user;
};

/* Resources were packed by heddle, so that they always unpack. */
static void *unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t len)
{
    void *message = protobuf_c_message_unpack(type, NULL, len, bytes);
    ASSERT(message != NULL);
    return message;
}

static void name(const struct refs *refs, enum xds_type type, const char *text)
{
    refs->visit(refs->user, type, str_from(text));
}

static void route_config(const struct refs *refs, const pb_route_config *config)
{
    for (size_t i = 0; i < config->n_virtual_hosts; i++) {
        const pb_virtual_host *vhost = config->virtual_hosts[i];
        for (size_t j = 0; j < vhost->n_routes; j++) {
            const pb_route *route = vhost->routes[j];
            if (route->action_case != ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_ROUTE) {
                continue;
            }
            for (size_t k = 0; k < route->route->n_request_mirror_policies; k++) {
                name(refs, XDS_CDS, route->route->request_mirror_policies[k]->cluster);
            }
            if (route->route->cluster_specifier_case ==
                ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER) {
                name(refs, XDS_CDS, route->route->cluster);
                continue;
            }
            const pb_weighted_clusters *weighted = route->route->weighted_clusters;
            for (size_t k = 0; k < weighted->n_clusters; k++) {
                name(refs, XDS_CDS, weighted->clusters[k]->name);
            }
        }
    }
}

static void hcm(const struct refs *refs, const pb_any *any)
{
    pb_hcm *config = unpack(&pb_hcm_desc, any->value.data, any->value.len);
    if (config->route_specifier_case == by_rds) {
        name(refs, XDS_RDS, config->rds->route_config_name);
    } else {
        route_config(refs, config->route_config);
    }
    protobuf_c_message_free_unpacked(&config->base, NULL);
}

static void tcp_proxy(const struct refs *refs, const pb_any *any)
{
    pb_tcp_proxy *proxy = unpack(&pb_tcp_proxy_desc, any->value.data, any->value.len);
    if (proxy->cluster_specifier_case == to_one_cluster) {
        name(refs, XDS_CDS, proxy->cluster);
    } else {
        for (size_t i = 0; i < proxy->weighted_clusters->n_clusters; i++) {
            name(refs, XDS_CDS, proxy->weighted_clusters->clusters[i]->name);
        }
    }
    protobuf_c_message_free_unpacked(&proxy->base, NULL);
}

/* --- secrets -------------------------------------------------------------------------------- */

static void common_tls(const struct refs *refs, const pb_common_tls *of)
{
    for (size_t i = 0; i < of->n_tls_certificate_sds_secret_configs; i++) {
        name(refs, XDS_SDS, of->tls_certificate_sds_secret_configs[i]->name);
    }
    if (of->validation_context_type_case == combined) {
        name(refs, XDS_SDS,
             of->combined_validation_context->validation_context_sds_secret_config->name);
    }
}

static void downstream_tls(const struct refs *refs, const pb_any *any)
{
    pb_downstream_tls *tls = unpack(&pb_downstream_tls_desc, any->value.data, any->value.len);
    common_tls(refs, tls->common_tls_context);
    protobuf_c_message_free_unpacked(&tls->base, NULL);
}

static void quic(const struct refs *refs, const pb_any *any)
{
    pb_quic_transport *transport = unpack(&pb_quic_transport_desc, any->value.data, any->value.len);
    common_tls(refs, transport->downstream_tls_context->common_tls_context);
    protobuf_c_message_free_unpacked(&transport->base, NULL);
}

static void upstream_tls(const struct refs *refs, const pb_any *any)
{
    pb_upstream_tls *tls = unpack(&pb_upstream_tls_desc, any->value.data, any->value.len);
    common_tls(refs, tls->common_tls_context);
    protobuf_c_message_free_unpacked(&tls->base, NULL);
}

static void transport(const struct refs *refs, const pb_transport_socket *of)
{
    static const struct {
        const char *type;
        void (*visit)(const struct refs *refs, const pb_any *any);
    } kinds[] = {
        {".DownstreamTlsContext", downstream_tls},
        {".QuicDownstreamTransport", quic},
        {".UpstreamTlsContext", upstream_tls},
    };
    for (size_t i = 0; of != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (str_ends_with(str_from(of->typed_config->type_url), str_from(kinds[i].type))) {
            kinds[i].visit(refs, of->typed_config);
        }
    }
}

/* --- listeners ------------------------------------------------------------------------------ */

static void udp_proxy(const struct refs *refs, const pb_any *any)
{
    pb_udp_proxy *proxy = unpack(&pb_udp_proxy_desc, any->value.data, any->value.len);
    const pb_any *action = proxy->matcher->on_no_match->action->typed_config;
    pb_udp_route *route = unpack(&pb_udp_route_desc, action->value.data, action->value.len);
    name(refs, XDS_CDS, route->cluster);
    protobuf_c_message_free_unpacked(&route->base, NULL);
    protobuf_c_message_free_unpacked(&proxy->base, NULL);
}

static void chain(const struct refs *refs, const pb_filter_chain *of)
{
    transport(refs, of->transport_socket);
    const pb_filter *filter = of->filters[0];
    if (filter->config_type_case ==
        ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_CONFIG_DISCOVERY) {
        name(refs, XDS_ECDS, filter->name);
    } else if (str_ends_with(str_from(filter->typed_config->type_url), STR(".TcpProxy"))) {
        tcp_proxy(refs, filter->typed_config);
    } else {
        hcm(refs, filter->typed_config);
    }
}

static void listener(const struct refs *refs, const pb_listener *of)
{
    if (of->api_listener != NULL) {
        hcm(refs, of->api_listener->api_listener);
    }
    for (size_t i = 0; i < of->n_listener_filters; i++) {
        const pb_any *config = of->listener_filters[i]->typed_config;
        if (str_ends_with(str_from(config->type_url), STR(".UdpProxyConfig"))) {
            udp_proxy(refs, config);
        }
    }
    for (size_t i = 0; i < of->n_filter_chains; i++) {
        chain(refs, of->filter_chains[i]);
    }
    if (of->default_filter_chain != NULL) {
        chain(refs, of->default_filter_chain);
    }
}

void xds_each_ref(const struct resource *resource, xds_ref_fn *visit, void *user)
{
    const struct refs refs = {visit, user};
    struct str bytes = resource_message(resource);
    if (resource->type == XDS_LDS) {
        pb_listener *message = unpack(&pb_listener_desc, bytes.ptr, bytes.len);
        listener(&refs, message);
        protobuf_c_message_free_unpacked(&message->base, NULL);
    } else if (resource->type == XDS_RDS) {
        pb_route_config *message = unpack(&pb_route_config_desc, bytes.ptr, bytes.len);
        route_config(&refs, message);
        protobuf_c_message_free_unpacked(&message->base, NULL);
    } else if (resource->type == XDS_ECDS) {
        pb_extension *message = unpack(&pb_extension_desc, bytes.ptr, bytes.len);
        tcp_proxy(&refs, message->typed_config);
        protobuf_c_message_free_unpacked(&message->base, NULL);
    } else if (resource->type == XDS_CDS) {
        pb_cluster *message = unpack(&pb_cluster_desc, bytes.ptr, bytes.len);
        transport(&refs, message->transport_socket);
        protobuf_c_message_free_unpacked(&message->base, NULL);
        if (resource->follow.len > 0) {
            visit(user, XDS_EDS, resource->follow);
        }
    }
}
