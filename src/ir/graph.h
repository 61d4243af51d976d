/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph: the names of all tables and indexes. pipeline/graph.c says how they hang together; this
 * is what the compute functions below it need in order to read one another.
 */
#ifndef HEDDLE_IR_GRAPH_H
#define HEDDLE_IR_GRAPH_H

enum table_id {
    /* inputs: objects (model/) */
    T_NAMESPACE, /* "ns" */
    T_SERVICE,   /* "ns/name" */
    T_SLICE,     /* "ns/name" */
    T_ROUTE,     /* "HTTPRoute/ns/name": all route kinds */
    T_GRANT,     /* "ns/name" */
    T_POLICY,    /* "ns/name": XBackendTrafficPolicies */
    T_CLASS,     /* "name": GatewayClasses */
    T_MESH,      /* "name": XMeshes */
    T_NODE,      /* "name": Nodes, for where they are */
    T_FAULT,     /* fault_key(): objects that cannot be read (model/fault.h) */
    /* inputs: what clients say (ir/client.h) */
    T_VIEW,      /* scope: present while some client has it */
    T_INTEREST,  /* "scope|name": a Listener that some client asks for by name */
    T_REJECTION, /* "type|name|node|…": what clients rejected, of whichever replica */
    T_SETTINGS,  /* "": options that translation depends on */
    /* rank 1 */
    T_PORT, /* "ns/svc:port": a Service port, as frontend and as backend */
    /* rank 2 */
    T_TARGET,     /* key of T_INTEREST: what a proxyless client dials */
    T_SERVER,     /* key of T_INTEREST: where a proxyless server listens */
    T_ATTACHMENT, /* key of T_ROUTE: which ports a route governs, and its resolved backends */
    T_PLACES,     /* key of T_PORT: the places from which its endpoints look different */
    /* rank 3: the IR */
    T_ROUTING,        /* "ns/svc:port" or "ns/svc:port@client-ns" */
    T_CLUSTER,        /* "ns/svc:port" */
    T_ENDPOINTS,      /* "ns/svc:port", "ns/svc:port@zone/ZONE" or "ns/svc:port@node/NODE" */
    T_SERVICE_STATUS, /* key of T_SERVICE: conditions */
    T_POLICY_STATUS,  /* key of T_POLICY: conditions */
    T_CLASS_STATUS,   /* key of T_CLASS: conditions */
    T_MESH_STATUS,    /* key of T_MESH: conditions and features */
    /* rank 4: conditions, fragments */
    T_STATUS,      /* key of T_ROUTE: conditions */
    T_ENVOY_VHOST, /* key of T_ROUTING */
    T_GRPC_VHOST,  /* key of T_ROUTING */
    /* rank 5: resources */
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
    X_SERVICE_FAULTS,    /* faults of Services by "ns/name" */
    X_POLICY_FAULTS,     /* faults of policies by "ns/name" */
    X_REJECTIONS,        /* rejections by "type|name" or, of a consumer's, "type|name@client-ns" */
    INDEX_COUNT
};

#endif
