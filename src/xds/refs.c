/* SPDX-License-Identifier: Apache-2.0 */
/* refs: names out of packed resources of our own making. */
#include "xds/refs.h"

#include "base/panic.h"
#include "xds/alias.h"

static const int by_rds =
    ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;

static const int to_one_cluster =
    ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;

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

static void chain(const struct refs *refs, const pb_filter_chain *of)
{
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
    } else if (resource->type == XDS_CDS && resource->follow.len > 0) {
        visit(user, XDS_EDS, resource->follow);
    }
}
