/* SPDX-License-Identifier: Apache-2.0 */
/* service: which fields do Services and Namespaces have, and what must hold between them? */
#include "model/service.h"

#define PORTS_MAX 1000
#define CLUSTER_IPS_MAX 2 /* one for each address family */

static const char *const protocol_names[] = {
    [PROTOCOL_TCP] = "TCP", [PROTOCOL_UDP] = "UDP", [PROTOCOL_SCTP] = "SCTP", NULL};
static const char *const type_names[] = {[SERVICE_CLUSTER_IP] = "ClusterIP",
                                         [SERVICE_NODE_PORT] = "NodePort",
                                         [SERVICE_LOAD_BALANCER] = "LoadBalancer",
                                         [SERVICE_EXTERNAL_NAME] = "ExternalName",
                                         NULL};
static const char *const family_names[] = {"IPv4", "IPv6", NULL};
static const char *const policy_names[] = {
    [TRAFFIC_CLUSTER] = "Cluster", [TRAFFIC_LOCAL] = "Local", NULL};
static const char *const distribution_names[] = {"PreferClose", "PreferSameZone", "PreferSameNode",
                                                 NULL};

static const struct field port_fields[] = {
    FIELD(STR, "name", struct service_port, name, .format = &format_label),
    FIELD(INT, "port", struct service_port, port, .required = true, .min = 1, .max = 65535),
    FIELD(ENUM, "protocol", struct service_port, protocol, .names = protocol_names,
          .fallback = "TCP"),
    FIELD(INT_OR_STR, "targetPort", struct service_port, target_port, .min = 1, .max = 65535,
          .format = &format_port_name, FIELD_HAS(struct service_port, has_target_port)),
    FIELD(STR, "appProtocol", struct service_port, app_protocol, .format = &format_qualified_name),
    FIELD_LINE_OF(struct service_port),
    FIELD_KNOWN("nodePort"),
    FIELD_END,
};
static const struct schema port_schema = {
    .name = "a Service port", .size = sizeof(struct service_port), .fields = port_fields};

/* The item's node of a list that was read, for problems. */
static const struct doc_node *item_node(const struct doc_node *node, struct str list, size_t i)
{
    return doc_get(node, list)->items[i];
}

static void report_port(const struct doc_node *node, struct problems *problems, struct str path,
                        size_t i, const char *what, const char *remedy)
{
    const struct doc_node *at = item_node(node, STR("ports"), i);
    problems_report(problems, PROBLEM_union, at->line, at->column,
                    arena_printf(problems->arena, "%.*s.ports[%zu]", STR_FMT(path), i),
                    str_from(remedy), "%s", what);
}

static void check_ports(const struct service *service, const struct doc_node *node,
                        struct problems *problems, struct str path)
{
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct service_port *port = &service->ports.items[i];
        if (port->name.len == 0 && service->ports.len > 1) {
            report_port(node, problems, path, i,
                        "a port of a Service with several ports has no name", "add 'name'");
        }
        for (size_t j = 0; j < i; j++) {
            const struct service_port *other = &service->ports.items[j];
            if (other->port == port->port && other->protocol == port->protocol) {
                report_port(node, problems, path, i,
                            "the same port and protocol stand twice in the Service",
                            "remove one of them");
                break;
            }
        }
    }
}

static void report(const struct doc_node *node, const char *field, struct problems *problems,
                   struct str path, const char *what, const char *remedy)
{
    const struct doc_node *at = doc_get(node, str_from(field));
    at = at != NULL ? at : node;
    problems_report(problems, PROBLEM_union, at->line, at->column,
                    arena_printf(problems->arena, "%.*s.%s", STR_FMT(path), field),
                    str_from(remedy), "%s", what);
}

static void check_addresses(const struct service *service, const struct doc_node *node,
                            struct problems *problems, struct str path)
{
    bool headless = str_eq(service->cluster_ip, STR("None"));
    if (service->cluster_ips.len > 0 &&
        !str_eq(service->cluster_ips.items[0], service->cluster_ip)) {
        report(node, "clusterIPs", problems, path, "the first of 'clusterIPs' is not 'clusterIP'",
               "make both equal");
    }
    if (headless && service->cluster_ips.len > 1) {
        report(node, "clusterIPs", problems, path, "a headless Service has several addresses",
               "write 'None' alone");
    }
    if (headless && service->type != SERVICE_CLUSTER_IP) {
        report(node, "clusterIP", problems, path,
               "'clusterIP' may be 'None' only when the type is 'ClusterIP'",
               "write an address, or change 'type'");
    }
}

static void check_spec(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct service *service = obj;
    check_ports(service, node, problems, path);
    if (service->type == SERVICE_EXTERNAL_NAME) {
        if (service->external_name.len == 0) {
            report(node, "externalName", problems, path,
                   "a Service of type 'ExternalName' lacks 'externalName'", "add 'externalName'");
        }
        if (service->cluster_ip.len > 0) {
            report(node, "clusterIP", problems, path,
                   "a Service of type 'ExternalName' has a 'clusterIP'", "remove 'clusterIP'");
        }
        return;
    }
    check_addresses(service, node, problems, path);
    if (service->ports.len == 0 && !str_eq(service->cluster_ip, STR("None"))) {
        report(node, "ports", problems, path, "the Service has no ports",
               "add 'ports', or write \"clusterIP: None\" for a headless Service");
    }
}

/* The two fields say one thing: whichever is written, both hold it. */
static void finish_spec(void *obj, struct arena *arena)
{
    struct service *service = obj;
    if (service->cluster_ip.len > 0 && service->cluster_ips.len == 0) {
        service->cluster_ips.items = ARENA_NEW(arena, struct str);
        service->cluster_ips.items[0] = service->cluster_ip;
        service->cluster_ips.len = 1;
    } else if (service->cluster_ip.len == 0 && service->cluster_ips.len > 0) {
        service->cluster_ip = service->cluster_ips.items[0];
    }
}

static const struct field spec_fields[] = {
    FIELD(ENUM, "type", struct service, type, .names = type_names, .fallback = "ClusterIP"),
    FIELD(STR, "clusterIP", struct service, cluster_ip, .format = &format_cluster_ip),
    FIELD(STR_LIST, "clusterIPs", struct service, cluster_ips, .max = CLUSTER_IPS_MAX,
          .format = &format_cluster_ip),
    FIELD(STR_LIST, "ipFamilies", struct service, ip_families, .names = family_names,
          .max = CLUSTER_IPS_MAX, .unique = true),
    FIELD(STR, "externalName", struct service, external_name, .format = &format_external_name),
    FIELD(LIST, "ports", struct service, ports, .schema = &port_schema, .max = PORTS_MAX,
          .unique = true),
    FIELD(STR_MAP, "selector", struct service, selector, .format = &format_label_key),
    FIELD(BOOL, "publishNotReadyAddresses", struct service, publish_not_ready),
    FIELD(STR, "trafficDistribution", struct service, traffic_distribution,
          .names = distribution_names),
    FIELD(ENUM, "internalTrafficPolicy", struct service, internal_policy, .names = policy_names,
          .fallback = "Cluster"),
    FIELD_KNOWN("allocateLoadBalancerNodePorts"),
    FIELD_KNOWN("externalIPs"),
    FIELD_KNOWN("externalTrafficPolicy"),
    FIELD_KNOWN("healthCheckNodePort"),
    FIELD_KNOWN("ipFamilyPolicy"),
    FIELD_KNOWN("loadBalancerClass"),
    FIELD_KNOWN("loadBalancerIP"),
    FIELD_KNOWN("loadBalancerSourceRanges"),
    FIELD_KNOWN("sessionAffinity"),
    FIELD_KNOWN("sessionAffinityConfig"),
    FIELD_END,
};
static const struct schema spec_schema = {
    .name = "a Service's spec", .fields = spec_fields, .check = check_spec, .finish = finish_spec};

static const struct field service_fields[] = {
    OBJECT_FIELDS,
    FIELD_FLAT("spec", &spec_schema, .required = true),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema service_schema = {
    .name = "a Service", .size = sizeof(struct service), .fields = service_fields, .open = true};

static const struct field namespace_fields[] = {
    OBJECT_FIELDS,
    FIELD_KNOWN("spec"),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema namespace_schema = {.name = "a Namespace",
                                        .size = sizeof(struct namespace_object),
                                        .fields = namespace_fields,
                                        .open = true};
