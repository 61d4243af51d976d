/* SPDX-License-Identifier: Apache-2.0 */
/* service: Service, EndpointSlice and Namespace, as far as heddle reads them. */
#ifndef HEDDLE_MODEL_SERVICE_H
#define HEDDLE_MODEL_SERVICE_H

#include "model/object.h"

enum ip_protocol { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };
enum service_type {
    SERVICE_CLUSTER_IP,
    SERVICE_NODE_PORT,
    SERVICE_LOAD_BALANCER,
    SERVICE_EXTERNAL_NAME
};

enum traffic_policy { TRAFFIC_CLUSTER, TRAFFIC_LOCAL };

struct service_port {
    struct str name;               /* may be empty when the Service has one port */
    int32_t port;                  /* 1..65535, required */
    int protocol;                  /* enum ip_protocol; default TCP */
    struct int_or_str target_port; /* absent: equal to port */
    bool has_target_port;
    struct str app_protocol; /* "http", "kubernetes.io/h2c", …; empty when absent */
    uint32_t line;
};

struct service {
    struct object object;
    int type;                     /* enum service_type */
    struct str cluster_ip;        /* "None" for headless; empty when not assigned */
    LIST(struct str) cluster_ips; /* dual stack; holds cluster_ip alone when only that is written */
    LIST(struct str) ip_families; /* "IPv4", "IPv6"; the first is preferred */
    struct str external_name;
    LIST(struct service_port) ports;
    LIST(struct str_pair) selector;
    bool publish_not_ready;
    struct str traffic_distribution; /* "PreferClose", …; empty: none */
    int internal_policy;             /* enum traffic_policy */
};

struct endpoint_hint { /* forZones, forNodes */
    struct str name;
};
struct endpoint_hints { /* whom an endpoint is meant for */
    LIST(struct endpoint_hint) zones, nodes;
};
struct endpoint_target { /* of targetRef: the pod */
    struct str uid, name;
};

enum address_type { ADDRESS_IPV4, ADDRESS_IPV6, ADDRESS_FQDN };

struct endpoint {
    LIST(struct str) addresses; /* 1..100; the first counts */
    /* nil conditions read as in the API: ready true, serving = ready, terminating false */
    bool ready, has_ready;
    bool serving, has_serving;
    bool terminating, has_terminating;
    struct str hostname;
    struct str node_name;
    struct str zone;
    struct endpoint_target *target; /* NULL: not said; so are hints */
    struct endpoint_hints *hints;
    uint32_t line;
};

struct endpoint_port {
    struct str name; /* matches the Service port's name */
    int32_t port;    /* absent: all ports (has_port false) */
    bool has_port;
    int protocol;
    struct str app_protocol;
};

#define SERVICE_NAME_LABEL "kubernetes.io/service-name"

struct endpoint_slice {
    struct object object;
    struct str service; /* label kubernetes.io/service-name; empty: belongs to none */
    int address_type;
    LIST(struct endpoint) endpoints;  /* at most 1000 */
    LIST(struct endpoint_port) ports; /* at most 100 */
};

struct namespace_object {
    struct object object; /* labels are all that counts */
};

extern const struct schema namespace_schema;
extern const struct schema service_schema;
extern const struct schema endpoint_slice_schema;

/* Warns of endpoints that no client can be sent. */
void endpoint_slice_review(const struct object *object, const struct doc_node *node,
                           struct problems *problems);

#endif
