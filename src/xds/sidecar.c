/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sidecar: what a sidecar has whatever the Services are: the entrance of intercepted traffic, the
 * way through for what is no Service, and the way in to the application.
 *
 *   scope sidecar.redirect      outbound 127.0.0.1:15001 ─► passthrough (original destination)
 *                               inbound  0.0.0.0:15006   ─► inbound     (original destination)
 *   scope sidecar.redirect6     the same two listeners, also on [::1]:15001 and [::]:15006
 *   scope inbound/LISTEN>APP    inbound  LISTEN          ─► inbound     (APP)
 */
#include <string.h>

#include "base/panic.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/pod.h"
#include "xds/build.h"
#include "xds/tcp_proxy.h"
#include "xds/xds.h"

static pb_cluster *original_dst_cluster(struct arena *arena, const char *name)
{
    pb_cluster *cluster = NEW(arena, pb_cluster);
    cluster->name = (char *)(uintptr_t)name;
    cluster->cluster_discovery_type_case =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
    cluster->type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__ORIGINAL_DST;
    cluster->lb_policy = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__CLUSTER_PROVIDED;
    cluster->connect_timeout = xds_ms(arena, 5000);
    cluster->circuit_breakers = xds_no_limits(arena);
    return cluster;
}

static pb_listener *base_listener(struct arena *arena, const char *name, pb_address *address,
                                  const char *cluster)
{
    pb_listener *listener = NEW(arena, pb_listener);
    listener->name = (char *)(uintptr_t)name;
    listener->address = address;
    listener->default_filter_chain = xds_tcp_chain(arena, str_from(name), str_from(cluster));
    return listener;
}

/* An entrance of intercepted traffic; ip6 empty: of IPv4 only. */
static pb_listener *entrance(struct arena *arena, const char *name, struct str ip, struct str ip6,
                             int32_t port)
{
    const char *way_on = strcmp(name, "outbound") == 0 ? "passthrough" : "inbound";
    pb_listener *listener = base_listener(arena, name, xds_address(arena, ip, port), way_on);
    if (ip6.len > 0) {
        pb_additional_address *more = NEW(arena, pb_additional_address);
        more->address = xds_address(arena, ip6, port);
        listener->additional_addresses = ARENA_ARRAY(arena, 1, pb_additional_address *);
        listener->additional_addresses[listener->n_additional_addresses++] = more;
    }
    return listener;
}

/* The listeners. Redirected connections go to the loopback address of their family where they are
 * made here, to the pod's own where they come in. */
static void add_entrances(struct arena *arena, struct str scope, bool ipv6,
                          struct resource_row *row)
{
    pb_listener *outbound = entrance(arena, "outbound", STR("127.0.0.1"),
                                     ipv6 ? STR("::1") : STR_NULL, POD_OUTBOUND_PORT);
    outbound->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__OUTBOUND;
    outbound->use_original_dst = xds_bool(arena, true);
    resource_row_add(row, XDS_LDS, scope, STR("outbound"), STR_NULL, &outbound->base);
    pb_listener *inbound =
        entrance(arena, "inbound", STR("0.0.0.0"), ipv6 ? STR("::") : STR_NULL, POD_INBOUND_PORT);
    inbound->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__INBOUND;
    xds_add_listener_filter(arena, inbound, "envoy.filters.listener.original_dst",
                            &NEW(arena, pb_original_dst)->base);
    resource_row_add(row, XDS_LDS, scope, STR("inbound"), STR_NULL, &inbound->base);
}

static const struct row *redirect_base(struct arena *arena, struct str scope)
{
    struct resource_row *row = resource_row_new(4);
    const char *names[] = {"passthrough", "inbound"};
    for (size_t i = 0; i < 2; i++) {
        resource_row_add(row, XDS_CDS, scope, str_from(names[i]), STR_NULL,
                         &original_dst_cluster(arena, names[i])->base);
    }
    add_entrances(arena, scope, false, row);
    return &row->row;
}

/* Who has this scope has sidecar.redirect behind it, and its clusters from there. */
static const struct row *redirect6_base(struct arena *arena, struct str scope)
{
    struct resource_row *row = resource_row_new(2);
    add_entrances(arena, scope, true, row);
    return &row->row;
}

/* "ADDR:PORT", checked when the client was given the scope (pipeline/view.c). */
static pb_address *parse_address(struct arena *arena, struct str text)
{
    size_t colon = str_rindex(text, ':');
    uint64_t port;
    ASSERT(colon < text.len && str_to_u64(str_sub(text, colon + 1, text.len), &port));
    return xds_address(arena, str_sub(text, 0, colon), (int32_t)port);
}

static pb_cluster *app_cluster(struct arena *arena, struct str app)
{
    pb_cluster *cluster = NEW(arena, pb_cluster);
    cluster->name = (char *)"inbound";
    cluster->cluster_discovery_type_case =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
    cluster->type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC;
    cluster->connect_timeout = xds_ms(arena, 5000);
    cluster->circuit_breakers = xds_no_limits(arena);
    pb_lb_endpoint *endpoint = NEW(arena, pb_lb_endpoint);
    endpoint->host_identifier_case =
        ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
    endpoint->endpoint = NEW(arena, pb_endpoint);
    endpoint->endpoint->address = parse_address(arena, app);
    pb_locality_endpoints *group = NEW(arena, pb_locality_endpoints);
    group->lb_endpoints = ARENA_ARRAY(arena, 1, pb_lb_endpoint *);
    group->lb_endpoints[group->n_lb_endpoints++] = endpoint;
    cluster->load_assignment = NEW(arena, pb_load_assignment);
    cluster->load_assignment->cluster_name = cluster->name;
    cluster->load_assignment->endpoints = ARENA_ARRAY(arena, 1, pb_locality_endpoints *);
    cluster->load_assignment->endpoints[cluster->load_assignment->n_endpoints++] = group;
    return cluster;
}

static const struct row *inbound_base(struct arena *arena, struct str scope)
{
    struct str rest = str_sub(scope, sizeof(SCOPE_INBOUND) - 1, scope.len);
    struct str listen = str_cut(&rest, '>');
    struct resource_row *row = resource_row_new(2);
    resource_row_add(row, XDS_CDS, scope, STR("inbound"), STR_NULL,
                     &app_cluster(arena, rest)->base);
    pb_listener *inbound = base_listener(arena, "inbound", parse_address(arena, listen), "inbound");
    inbound->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__INBOUND;
    inbound->enable_reuse_port = xds_bool(arena, false);
    resource_row_add(row, XDS_LDS, scope, STR("inbound"), STR_NULL, &inbound->base);
    return &row->row;
}

const struct row *xds_sidecar_base(struct eval *ev, struct str key)
{
    if (eval_get(ev, T_VIEW, key) == NULL) {
        return NULL;
    }
    if (str_eq(key, STR(SCOPE_REDIRECT))) {
        return redirect_base(eval_scratch(ev), key);
    }
    if (str_eq(key, STR(SCOPE_REDIRECT6))) {
        return redirect6_base(eval_scratch(ev), key);
    }
    if (str_starts_with(key, STR(SCOPE_INBOUND))) {
        return inbound_base(eval_scratch(ev), key);
    }
    return NULL;
}
