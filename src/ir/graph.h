/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph: the names of all tables and indexes. pipeline/graph.c says how they hang together; this
 * is what the compute functions below it need in order to read one another.
 */
#ifndef HEDDLE_IR_GRAPH_H
#define HEDDLE_IR_GRAPH_H

enum table_id {
    /* inputs: objects (model/) */
    T_NAMESPACE,   /* "ns" */
    T_SERVICE,     /* "ns/name" */
    T_SLICE,       /* "ns/name" */
    T_ROUTE,       /* "HTTPRoute/ns/name": all route kinds */
    T_GRANT,       /* "ns/name" */
    T_POLICY,      /* "ns/name": XBackendTrafficPolicies */
    T_CLASS,       /* "name": GatewayClasses */
    T_MESH,        /* "name": XMeshes */
    T_NODE,        /* "name": Nodes, for where they are */
    T_GATEWAY,     /* "ns/name" */
    T_LISTENERSET, /* "ns/name" */
    T_TLS_POLICY,  /* "ns/name": BackendTLSPolicies */
    T_SECRET,      /* "ns/name": of type kubernetes.io/tls */
    T_CONFIGMAP,   /* "ns/name" */
    T_FAULT,       /* fault_key(): objects that cannot be read (model/fault.h) */
    /* inputs: what clients say (ir/client.h) */
    T_VIEW,      /* scope: present while some client has it */
    T_ELSEWHERE, /* "scope|replica": present while a client of that replica has it */
    T_INTEREST,  /* "scope|name": a Listener that some client asks for by name */
    T_REJECTION, /* "type|name|node|…": what clients rejected, of whichever replica */
    T_SETTINGS,  /* "": options that translation depends on */
    T_PLACED,    /* key of T_GATEWAY: what the cluster says of what heddle made for it */
    T_BUNDLE,    /* name of a CRD: of which release of the Gateway API it is (ir/bundle.h) */
    /* rank 1 */
    T_PORT,     /* "ns/svc:port", "ns/svc:port/udp": a Service port, as frontend and as backend */
    T_GATEWAYS, /* key of T_GATEWAY: with all listeners (ir/gateway.h); NULL: it is not ours */
    /* rank 2 */
    T_EXCERPT, /* a parent: "NS/NAME", "NS/NAME|NS/SET"; or a hostname: "gateway/NS/NAME:PORT|HOST":
                  that part of T_GATEWAYS (resolve/excerpt.c) */
    T_BACKEND_TLS, /* key of T_PORT: how Gateways speak TLS to it; NULL: they do not */
    T_TARGET,      /* key of T_INTEREST: what a proxyless client dials */
    T_SERVER,      /* key of T_INTEREST: where a proxyless server listens */
    T_PLACES,      /* key of T_PORT: the places from which its endpoints look different */
    /* rank 3 */
    T_ATTACHMENT, /* key of T_ROUTE: which ports and listeners a route governs, its backends */
    /* rank 4 */
    T_RIVALS,    /* ir_listener.key: routes that lost it to routes of another kind */
    T_STANDINGS, /* key of T_ROUTING: routes that have no say there */
    /* rank 5: the IR */
    T_ROUTING,         /* "ns/svc:port" or "ns/svc:port@client-ns" */
    T_CLUSTER,         /* "ns/svc:port" */
    T_ENDPOINTS,       /* "ns/svc:port", "ns/svc:port@zone/ZONE" or "ns/svc:port@node/NODE" */
    T_SERVICE_STATUS,  /* key of T_SERVICE: conditions */
    T_POLICY_STATUS,   /* key of T_POLICY: conditions */
    T_CLASS_STATUS,    /* key of T_CLASS: conditions */
    T_MESH_STATUS,     /* key of T_MESH: conditions and features */
    T_GATEWAY_ROUTING, /* "gateway/NS/NAME:PORT|DOMAIN": an ir_routing of requests */
    T_GATEWAY_L4,      /* "gateway/NS/NAME:PORT", "…/udp": an ir_routing of connections */
    T_GATEWAY_CLUSTER, /* "NS/NAME|upstream_name": an ir_upstream */
    /* rank 6: conditions, fragments */
    T_STATUS,             /* key of T_ROUTE: conditions */
    T_ENVOY_VHOST,        /* key of T_ROUTING */
    T_GRPC_VHOST,         /* key of T_ROUTING */
    T_GATEWAY_STATUS,     /* key of T_GATEWAY */
    T_LISTENERSET_STATUS, /* key of T_LISTENERSET */
    T_TLS_POLICY_STATUS,  /* key of T_TLS_POLICY */
    T_GATEWAY_VHOST,      /* key of T_GATEWAY_ROUTING */
    /* rank 7: resources */
    T_ENVOY_RDS,
    T_GRPC_RDS,
    T_ENVOY_CDS,
    T_GRPC_CDS,
    T_EDS,          /* one for all dialects */
    T_REDIRECT_LDS, /* listeners of sidecars whose traffic is intercepted */
    T_BIND_LDS,     /* listeners of sidecars that bind the ClusterIPs themselves */
    T_ENVOY_ECDS,   /* key of T_ROUTING: backends of connections */
    T_SIDECAR_BASE, /* key of T_VIEW: inbound and pass-through of a sidecar */
    T_GRPC_TARGET,  /* key of T_TARGET: listeners of proxyless clients */
    T_GRPC_SERVER,  /* key of T_SERVER: listeners of proxyless servers */
    T_GATEWAY_LDS,  /* an entry: "gateway/NS/NAME:PORT", "…/udp" */
    T_GATEWAY_RDS,  /* an entry of HTTP */
    T_GATEWAY_ECDS, /* key of T_GATEWAY_L4: backends of connections */
    T_GATEWAY_CDS,  /* key of T_GATEWAY_CLUSTER */
    T_GATEWAY_UDP, /* key of T_GATEWAY_L4: of UDP, one cluster with the endpoints of all backends */
    T_GATEWAY_SDS, /* "NS/NAME|cert/NS/SECRET", "NS/NAME|ca/NS/CONFIGMAP" */
    TABLE_COUNT
};

enum index_id {
    X_SLICES_OF_SERVICE, /* slices by "ns/svc" */
    X_SLICES_OF_NAMES,   /* those that list names, no addresses, by "ns/svc" */
    X_PLACES_OF_CLIENTS, /* views of a zone under "zone", of a node under "node" */
    X_PLACES,            /* places by each of their keys of T_ENDPOINTS */
    X_POLICIES,          /* policies by each "ns/svc" that they target, oldest first */
    X_SERVICES_IN_NS,    /* services by "ns" */
    X_NAMESPACES,        /* all namespaces under "" */
    X_SERVICES_OF_IP,    /* services by each of their ClusterIPs */
    X_PORTS_OF_SERVICE,  /* service by each "ns/svc:port": the keys of T_PORT */
    X_ATTACHED,          /* attachments by the key of T_ROUTING they contribute to */
    X_ATTACHED_L4,       /* those of X_ATTACHED that route connections */
    X_ATTACHED_NAMES,    /* TLSRoutes of X_ATTACHED by "KEY|HOSTNAME", oldest first */
    X_GRANTS,            /* ReferenceGrants by each pair of who may refer to what (admit.c) */
    X_SERVICE_FAULTS,    /* faults of Services by "ns/name" */
    X_POLICY_FAULTS,     /* faults of policies by "ns/name" */
    X_GATEWAY_FAULTS,    /* faults of Gateways, ListenerSets, BackendTLSPolicies by "ns/name" */
    X_LISTENERSET_FAULTS,
    X_TLS_POLICY_FAULTS,
    X_TLS_FAULT_TARGETS, /* faults of BackendTLSPolicies by each "ns/svc" that they target */
    X_SETS,              /* ListenerSets by the key of their Gateway, oldest first, then by name */
    X_TLS_POLICIES,      /* BackendTLSPolicies by each "ns/svc" that they target, oldest first */
    X_LISTENER_ROUTES,   /* attachments by ir_listener.key, oldest route first */
    X_LISTENER_HOSTS,    /* attachments by "LISTENER|HOSTNAME" (of the route; "*": none) */
    X_ROUTE_DOMAINS,     /* attachments by the key of T_GATEWAY_ROUTING: what they add to it */
    X_LISTENER_DOMAINS,  /* gateways by the key of T_GATEWAY_ROUTING: their listeners' hostnames */
    X_PARENTS,           /* gateways by what routes name as their parent: keys of T_EXCERPT */
    X_ENTRIES,           /* gateways by each of their entries */
    X_UPSTREAMS,         /* attachments by the keys of T_GATEWAY_CLUSTER that they may need */
    X_ENTRY_VHOSTS,      /* fragments of T_GATEWAY_VHOST by their entry */
    X_LISTENER_SECRETS,  /* gateways by the keys of T_GATEWAY_SDS that they need */
    X_UPSTREAM_SECRETS,  /* ir_upstream by the keys of T_GATEWAY_SDS that they need */
    X_POLICY_GATEWAYS,   /* attachments by "ns/svc" of each backend: whose Gateways send there */
    X_SCOPES_ELSEWHERE,  /* scopes of other replicas' clients by "scope" */
    X_REJECTIONS,        /* rejections by "type|name" or, of a consumer's, "type|name@client-ns" */
    INDEX_COUNT
};

#endif
