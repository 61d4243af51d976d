/* SPDX-License-Identifier: Apache-2.0 */
/* kind: which kinds does heddle read, and with which table? */
#include "base/panic.h"
#include "model/class.h"
#include "model/gateway.h"
#include "model/grant.h"
#include "model/membership.h"
#include "model/node.h"
#include "model/object.h"
#include "model/policy.h"
#include "model/reach.h"
#include "model/route.h"
#include "model/secret.h"
#include "model/service.h"
#include "model/tls_policy.h"
#include "model/unmet.h"

static void review_namespace(const struct object *object, const struct doc_node *node,
                             struct problems *problems)
{
    (void)object;
    membership_review(node, problems);
}

static void review_http(const struct object *object, const struct doc_node *node,
                        struct problems *problems)
{
    reach_http(object, node, problems);
    unmet_http(object, node, problems);
}

static void review_grpc(const struct object *object, const struct doc_node *node,
                        struct problems *problems)
{
    reach_grpc(object, node, problems);
    unmet_grpc(object, node, problems);
}

/* What kind.def cannot say: the table, the form of a name, whether it is a route, the review. */
#define READING_NAMESPACE &namespace_schema, &format_label, false, review_namespace
#define READING_SERVICE &service_schema, &format_service_name, false, NULL
#define READING_ENDPOINTSLICE                                                                      \
    &endpoint_slice_schema, &format_subdomain, false, endpoint_slice_review
#define READING_HTTPROUTE &http_route_schema, &format_subdomain, true, review_http
#define READING_GRPCROUTE &grpc_route_schema, &format_subdomain, true, review_grpc
#define READING_TLSROUTE &tls_route_schema, &format_subdomain, true, NULL
#define READING_TCPROUTE &tcp_route_schema, &format_subdomain, true, NULL
#define READING_REFERENCEGRANT &reference_grant_schema, &format_subdomain, false, NULL
#define READING_XBACKENDTRAFFICPOLICY &backend_policy_schema, &format_subdomain, false, NULL
#define READING_GATEWAYCLASS &gateway_class_schema, &format_subdomain, false, NULL
#define READING_XMESH &mesh_schema, &format_subdomain, false, NULL
#define READING_GATEWAY &gateway_schema, &format_subdomain, false, NULL
#define READING_LISTENERSET &listener_set_schema, &format_subdomain, false, NULL
#define READING_UDPROUTE &udp_route_schema, &format_subdomain, true, NULL
#define READING_BACKENDTLSPOLICY &tls_policy_schema, &format_subdomain, false, NULL
#define READING_SECRET                                                                             \
    &tls_secret_schema, &format_subdomain, false, tls_secret_review,                               \
        .is_read = tls_secret_is_read, .secret = true
#define READING_CONFIGMAP &config_map_schema, &format_subdomain, false, config_map_review
#define READING_NODE &node_schema, &format_subdomain, false, NULL

static const struct kind_info kinds[] = {
#define KIND(id, kind, group, versions, plural, namespaced)                                        \
    [KIND_##id] = {KIND_##id, kind, group, versions, plural, namespaced, READING_##id},
#include "model/kind.def"
#undef KIND
};

const struct kind_info *kind_info(enum kind_id id)
{
    ASSERT(id < KIND_COUNT);
    return &kinds[id];
}

const struct kind_info *kind_find(struct str group, struct str kind)
{
    const struct kind_info *info = kind_find_any_group(kind);
    return info != NULL && str_eq(str_from(info->group), group) ? info : NULL;
}

const struct kind_info *kind_find_any_group(struct str kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (str_eq(str_from(kinds[i].kind), kind)) {
            return &kinds[i];
        }
    }
    return NULL;
}
