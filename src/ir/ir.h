/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ir: what is to happen, free of Kubernetes' spelling and of xDS' encoding. resolve/ writes these
 * rows, xds/ reads them; the two meet nowhere else.
 *
 *   ir_port      a Service port: addresses it is reached by, protocol, endpoint port name
 *   ir_routing   the ordered routes of one Service port (of one namespace's clients)
 *   ir_standings which of them have no say there
 *   ir_cluster, ir_places, ir_endpoints    what a port's endpoints are (backend.h)
 *   ir_target    what a proxyless client dials
 *   ir_server    where a proxyless server listens
 *   ir_gateway … what is of Gateways (gateway.h)
 *
 * Every row type is described by a field table (ir.c): equality and dumps come from there.
 */
#ifndef HEDDLE_IR_IR_H
#define HEDDLE_IR_IR_H

#include "engine/engine.h"
#include "ir/backend.h"
#include "model/field.h"

/* --- Service ports ------------------------------------------------------------------------- */
enum ir_protocol {
    IR_TCP,   /* opaque: passed through without inspection (design §10.14) */
    IR_HTTP,  /* the client's HTTP version is used towards the endpoint too */
    IR_HTTP2, /* prior knowledge: kubernetes.io/h2c, grpc */
    IR_UDP    /* not carried by the mesh */
};

/* Which endpoints a client is to use. */
enum ir_nearness {
    IR_ANYWHERE,
    IR_PREFER_ZONE,
    IR_PREFER_NODE, /* else the zone */
    IR_ONLY_NODE
};

enum ir_family { IR_ANY_FAMILY, IR_IPV4, IR_IPV6 };

struct ir_port {
    struct row row;
    struct str ns, service;
    int32_t port;
    struct str port_name;
    struct str app_protocol; /* as written; empty: nothing is said */
    int protocol;            /* enum ir_protocol, from appProtocol and the L4 protocol alone */
    int family;              /* enum ir_family, of the endpoints that are preferred */
    LIST(struct str) ips;    /* ClusterIPs; none for headless Services */
    struct str taken_by; /* the Service that has a ClusterIP and this port already; else empty */
    int nearness;        /* enum ir_nearness */
    bool backend; /* false: takes no traffic (ExternalName). "ns/svc:port" is of TCP, "…/udp"
                     of UDP */
    struct str why_not; /* when !backend */
    bool publish_not_ready;
    int32_t service_ports; /* how many ports the Service has, this one among them */
};

/* --- routing ------------------------------------------------------------------------------- */
enum ir_path_match {
    IR_PATH_ANY,
    IR_PATH_EXACT,
    IR_PATH_PREFIX,     /* by path elements; never "/" (that is IR_PATH_ANY) */
    IR_PATH_RAW_PREFIX, /* by bytes: "/pkg.Service/" */
    IR_PATH_REGEX       /* of the whole path */
};

struct ir_value_match { /* a header or query parameter */
    struct str name;    /* headers in lower case */
    struct str value;
    bool regex;
};

struct ir_match {
    int path_type; /* enum ir_path_match */
    struct str path;
    struct str method; /* empty: any */
    LIST(struct ir_value_match) headers;
    LIST(struct ir_value_match) query;
};

struct ir_header {
    struct str name;
    struct str value;
};
struct ir_header_ops {
    LIST(struct ir_header) set;
    LIST(struct ir_header) add;
    LIST(struct str) remove;
};

enum ir_session_carrier { IR_COOKIE, IR_HEADER };
struct ir_session { /* requests of one session go to one endpoint of the backend they got */
    int carrier;    /* enum ir_session_carrier */
    struct str name;
    struct str path;     /* of the cookie */
    int64_t lifetime_ms; /* of the cookie; 0: until the client ends its own session */
};

struct ir_backend {
    struct str cluster; /* key of T_CLUSTER, of a Gateway's upstream_name; empty: this share answers
                           with an error */
    int64_t weight;     /* > 0 */
    struct str reason;  /* why the share is an error */
    struct ir_header_ops *request_headers; /* only for this backend */
    struct ir_header_ops *response_headers;
    struct str hostname; /* the Host this backend gets; empty: as the rule has it */
    int path_change;     /* enum ir_path_change, of this backend's requests */
    struct str path;
    struct ir_session *session; /* of those that get this backend; none where the rule has one */
};

struct ir_mirror {
    struct str cluster;             /* key of T_CLUSTER */
    int64_t numerator, denominator; /* the share of requests that is copied; > 0 */
};
enum ir_path_change {
    IR_PATH_KEEP,
    IR_PATH_REPLACE,       /* by `path` */
    IR_PATH_REPLACE_PREFIX /* the prefix that matched by `path`: elements without a slash at the
                              end, so that nothing but slashes is empty */
};
struct ir_redirect {
    struct str scheme;   /* "http", "https" */
    struct str hostname; /* empty: the request's, without its port */
    int32_t port;        /* 0: none is written */
    int32_t status;
    int path_change; /* enum ir_path_change */
    struct str path;
};
struct ir_rewrite {
    struct str hostname; /* empty: keep */
    int path_change;     /* enum ir_path_change */
    struct str path;
};
struct ir_origin {     /* what an Origin header may be */
    struct str scheme; /* empty: any origin at all */
    struct str host;   /* in lower case; empty: any */
    bool below;        /* any name below host, not host itself */
    int32_t port;      /* what the origin says or its scheme means */
};
struct ir_cors {
    LIST(struct ir_origin) origins;
    LIST(struct str) methods; /* one "*": any */
    LIST(struct str) headers; /* one "*": any */
    LIST(struct str) expose;  /* never "*" beside credentials */
    bool credentials;
    int32_t max_age; /* seconds */
};
struct ir_retry { /* connection errors are always retried */
    LIST(int32_t) codes;
    int32_t attempts;   /* after the first; > 0 */
    int64_t backoff_ms; /* 0: the client's own */
};

enum ir_action {
    IR_FORWARD,
    IR_ERROR,   /* every request of this route gets `error_status`, for `reason` */
    IR_REDIRECT /* `redirect`; `reason`: what clients hear that follow none */
};

struct ir_route {
    struct str rule; /* for logs and `why`: "HTTPRoute/ns/name/0" (rule number) */
    struct ir_match match;
    int action;
    int32_t error_status; /* IR_ERROR, and error shares of IR_FORWARD: 500, for GRPCRoutes 503
                             (Envoy turns that into UNAVAILABLE) */
    struct str reason;
    LIST(struct ir_backend) backends; /* IR_FORWARD; weights sum to less than 2^32 */
    struct ir_header_ops *request_headers;
    struct ir_header_ops *response_headers;
    struct ir_redirect *redirect;
    struct ir_rewrite *rewrite;
    LIST(struct ir_mirror) mirrors;
    struct ir_retry *retry;
    struct ir_cors *cors;
    struct ir_session *session;
    int64_t timeout_ms;         /* of the request with all its attempts; 0: none */
    int64_t backend_timeout_ms; /* of each attempt; 0: none */
};

/* Where connections go that nobody looks into: TCPRoute, TLSRoute, and no route at all. Of Gateways
 * UDPRoute, too, whose connections are sessions. */
struct ir_l4_route {
    struct str rule; /* as in ir_route; empty: no route is attached */
    struct str name; /* what a listener knows the backends by, so that they can change without it;
                        empty: they do not change */
    /* Of TLS (SNI): a name, or "*." and one, which stands for any number of labels. Empty: every
     * connection, whatever it says. */
    LIST(struct str) server_names;
    LIST(struct ir_backend) backends; /* an error share is refused; weights sum to less than 2^32 */
    struct str reason;                /* why all is refused, when there are no backends */
    struct str listener;              /* of a Gateway: ir_listener.key; TLS may end there */
};

/* The routes of one listener for one set of clients. */
struct ir_routing {
    struct row row;
    struct str name;      /* "ns/svc:port": what listeners call it */
    struct str client_ns; /* clients of this namespace only; empty: all that have no own set */
    struct str kind;      /* of the routes that govern, such as "HTTPRoute"; empty: none does */
    bool http;            /* a proxy is to look into the requests: such routes are attached, or the
                             port is said to speak HTTP (design §10.14) */
    struct str domain;    /* of a Gateway's entry: whose requests, "*" or a hostname. Else empty */
    struct str listener;  /* of a Gateway's domain: ir_listener.key of who owns it */
    bool https;           /* of a Gateway's domain: requests come by TLS, … */
    bool http3;           /* … and may come by QUIC */
    /* Of requests, best match first. Also of a port that is not HTTP to proxies, for clients that
     * know nothing but requests. */
    LIST(struct ir_route) routes;
    /* Of connections, where proxies do not look into them. No server name stands twice; of several
     * that take a connection an exact one comes first, then the longest. What none takes is
     * refused. */
    LIST(struct ir_l4_route) connections;
};

/* Of the routes of one ir_routing, where some are in the way of others. */
struct ir_standings {
    struct row row;
    struct str kind;  /* the only one that is applied, where a route may have to give way to it */
    struct str first; /* of that kind: key of the oldest */
    LIST(struct str_pair) full; /* key of T_ROUTE: why there is no room for it; sorted */
};
/* Of pairs that are sorted by key, the value of one; empty: there is none. Borrowed. */
struct str ir_pair_value(const struct str_pair *pairs, size_t len, struct str key);

/* --- proxyless clients and servers ---------------------------------------------------------- */
struct ir_target {
    struct row row;
    struct str scope; /* "grpc.core", "grpc.go", "grpc.node": how reasons are told (docs/xds.md) */
    struct str name;  /* as asked for: the Listener's name */
    struct str port;  /* key of T_PORT; empty when there is none, for `reason` */
    struct str reason;
};

/* What a server demands of those who connect (TLS, who may call what) will stand here; by the scope
 * it can differ from namespace to namespace. Nothing is demanded yet: every call is let in. */
struct ir_server {
    struct row row;
    struct str scope;
    struct str name;    /* as asked for: the Listener's name */
    struct str address; /* IP, as the server wrote it: it compares texts */
    int32_t port;       /* 0: one that the kernel picks */
};
/* "0.0.0.0:50051" or "[::]:50051". */
struct str ir_server_text(struct arena *arena, const struct ir_server *server);

extern const struct schema ir_port_schema, ir_routing_schema, ir_target_schema, ir_server_schema;
/* Whether a sidecar that binds ClusterIPs can listen on it (design §10.5). */
bool ir_is_loopback(struct str ip);
bool ir_port_equal(const struct row *a, const struct row *b);
bool ir_routing_equal(const struct row *a, const struct row *b);
bool ir_standings_equal(const struct row *a, const struct row *b);
bool ir_target_equal(const struct row *a, const struct row *b);
bool ir_server_equal(const struct row *a, const struct row *b);

#endif
