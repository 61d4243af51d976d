/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway: the part of the IR (ir.h) that is of Gateways.
 *
 *   ir_gateway      a Gateway with all its listeners, its ListenerSets' among them: what is valid,
 *                   what is served, whom each admits (T_GATEWAYS)
 *   ir_backend_tls  how TLS is spoken to a Service port (T_BACKEND_TLS)
 *   ir_upstream     a cluster of one gateway (T_GATEWAY_CLUSTER)
 *   ir_rivals       routes that lost a listener to one of another kind (T_RIVALS)
 *   ir_parameters   what GatewayClass and Gateway ask of the data plane
 *   placed_row      where a Gateway is: what the cluster says of what heddle made for it (T_PLACED)
 *
 * An entry is what Envoy listens on: a port of a Gateway, of TCP or of UDP. Several listeners may
 * share one; what tells them apart is the hostname (of HTTP the Host, of TLS the SNI).
 * Routes of an entry are ir_routing rows: of HTTP one for each domain (T_GATEWAY_ROUTING), of
 * connections one for each entry (T_GATEWAY_L4).
 */
#ifndef HEDDLE_IR_GATEWAY_H
#define HEDDLE_IR_GATEWAY_H

#include "ir/attachment.h"
#include "ir/ir.h"
#include "model/gateway.h"

#define PRIVILEGED_PORTS 1024
#define SHIFTED_PORTS 64512 /* pods without privileges bind this + port instead */
/* Of a request to a backend: how many Gateways it has passed. */
#define PASSED_HEADER "x-heddle-passed"
#define PASSES_MAX "++++" /* gateways may stand behind gateways; this many is a circle */

/* --- listeners ----------------------------------------------------------------------------- */
enum ir_listener_protocol {
    IR_LISTENER_HTTP,
    IR_LISTENER_HTTPS,
    IR_LISTENER_TLS,
    IR_LISTENER_TCP,
    IR_LISTENER_UDP,
    IR_LISTENER_UNKNOWN
};

enum ir_client_certs {
    IR_CERTS_NONE,     /* clients are not asked */
    IR_CERTS_REQUIRED, /* one that `authorities` signed */
    IR_CERTS_ASKED     /* any or none is let in (AllowInsecureFallback) */
};

struct ir_listener {
    struct str key; /* "GW-NS/GW-NAME/LISTENER", "GW-NS/GW-NAME/SET-NS/SET-NAME/LISTENER" */
    struct str set; /* "ns/name" of its ListenerSet; empty: it is the Gateway's own */
    struct str name;
    int32_t port;
    int protocol;        /* enum ir_listener_protocol */
    struct str hostname; /* in lower case; empty: any */
    bool served;         /* it is in the data plane. Else routes attach to it nonetheless */
    struct str why_not;

    bool passthrough;              /* of TLS: the connection is not opened */
    LIST(struct str) certificates; /* keys of T_SECRET, those that are usable */
    int client_certs;              /* enum ir_client_certs */
    LIST(struct str) authorities;  /* keys of T_CONFIGMAP: who signs clients' certificates */

    int32_t kinds;   /* bits 1 << enum kind_id: which routes it admits */
    int from;        /* enum from_namespaces: of which namespaces; Same: as `home` */
    struct str home; /* the namespace of the Gateway or ListenerSet it is of */
    struct label_selector *selector;
    LIST(struct condition) conditions; /* all but what depends on the data plane */
};

struct ir_listener_set { /* one that names the Gateway as its parent */
    struct str key;      /* of T_LISTENERSET */
    bool allowed;        /* by the Gateway's allowedListeners; else it has no listeners here */
    bool accepted;       /* allowed, and some of its listeners are served: it counts */
    int32_t first, len;  /* which of the Gateway's listeners are its own */
    LIST(struct condition) conditions;
};

struct ir_address {
    struct str type; /* "IPAddress", "Hostname" */
    struct str value;
};

struct ir_parameters {                  /* parameter.def; defaults filled in */
    struct str service_type;            /* "LoadBalancer", "ClusterIP", "NodePort" */
    struct str external_traffic_policy; /* "Cluster", "Local" */
    struct str ip_families;             /* "PreferDualStack", "SingleStack", "RequireDualStack" */
    int32_t replicas;                   /* the fewest */
    int32_t max_replicas;               /* 0: no autoscaling */
    int32_t target_cpu;                 /* percent of the request */
    struct str cpu_request, memory_request, memory_limit; /* quantities; empty: none */
    struct str log_level;                                 /* of Envoy */
    bool mesh_routes; /* routes of a backend's Service apply, too */
    bool http3;
    bool proxy_protocol;
};

struct ir_gateway {
    struct row row;
    struct str ns, name;
    bool accepted; /* false: nothing is served */
    LIST(struct ir_listener)
    listeners;                         /* the Gateway's own as written, then by set (oldest first,
                                          then by name) as written */
    LIST(struct ir_listener_set) sets; /* sorted by key */
    LIST(struct ir_address)
    wanted; /* addresses that are asked for; those without a value left out */
    struct str client_certificate; /* key of T_SECRET, to show to backends; empty: none */
    struct ir_parameters *parameters;
    LIST(struct condition) conditions; /* all but what depends on the data plane */
};

/* Borrowed; NULL when there is none. */
const struct ir_listener *ir_gateway_listener(const struct ir_gateway *gateway, struct str key);
const struct ir_listener_set *ir_gateway_set(const struct ir_gateway *gateway, struct str key);
bool ir_listener_is_http(const struct ir_listener *listener); /* HTTP or HTTPS */
/* Whether TLS ends here, for which it needs a certificate. */
bool ir_listener_ends_tls(const struct ir_listener *listener);
/* Whether clients may come to a listener by QUIC: HTTPS, where parameters ask for it. Envoy asks
 * nobody for a certificate there, so not where one is wanted. */
bool ir_speaks_http3(const struct ir_gateway *gateway, const struct ir_listener *listener);
/* Where it is bound (SHIFTED_PORTS). */
int32_t ir_bound_port(bool kubernetes, int32_t port);

/* --- keys ---------------------------------------------------------------------------------- */
/* "gateway/NS/NAME:PORT" */
struct str entry_name(struct arena *arena, struct str gateway, int32_t port);
struct entry_key {
    struct str gateway; /* "NS/NAME" */
    int32_t port;
    bool udp;          /* "…/udp" */
    struct str domain; /* what follows '|'; empty: nothing does */
    struct str entry;  /* without "|…" */
};
/* Parts point into key. Panics on what entry_name() did not make. */
struct entry_key entry_key_parse(struct str key);
/* "NS/NAME|REST": T_GATEWAY_CLUSTER, T_GATEWAY_SECRET. Parts point into key. */
struct gateway_part {
    struct str gateway;
    struct str part;
};
struct gateway_part gateway_part_parse(struct str key);
/* A cluster of a gateway, as its routes call it: "ns/svc:port", "ns/svc:port#h2",
 * "ns/svc:port#raw", "mesh|ns/svc:port". Points into name. */
struct upstream_name {
    struct str port; /* key of T_PORT and T_ENDPOINTS */
    bool http2;      /* of a GRPCRoute, to a port that does not say what it speaks */
    bool raw;        /* TLS that passes through: a BackendTLSPolicy of the port is not for it */
    bool mesh;       /* the mesh's routes of the Service decide */
};
struct upstream_name upstream_name_parse(struct str name);

/* --- TLS to backends ------------------------------------------------------------------------ */
struct ir_san {
    bool uri;
    struct str value;
};
struct ir_backend_tls { /* of a Service port that a BackendTLSPolicy governs */
    struct row row;
    struct str policy;   /* key of T_TLS_POLICY */
    struct str fault;    /* not empty: nobody may send to the port (5xx), never in plain text */
    struct str hostname; /* SNI, and what the certificate must be for unless `sans` are given */
    LIST(struct ir_san) sans;
    bool system;                  /* trust what the data plane's system trusts */
    LIST(struct str) authorities; /* keys of T_CONFIGMAP */
};

struct ir_upstream {
    struct row row;
    struct str gateway; /* "NS/NAME" */
    struct str name;    /* upstream_name */
    struct str port;    /* key of T_ENDPOINTS */
    struct str ns, service;
    int protocol; /* enum ir_protocol: IR_HTTP is HTTP/1.1, as is IR_TCP to requests */
    bool mesh;
    struct ir_retry_budget *retry_budget;
    bool tls;
    struct str hostname;
    LIST(struct ir_san) sans;
    bool system;
    LIST(struct str) authorities;
    struct str client_certificate; /* key of T_SECRET; empty: none is shown */
};

struct ir_rivals { /* of one listener */
    struct row row;
    LIST(struct str_pair) losers; /* key of T_ROUTE: who won; sorted */
};
/* Key of the route that has the listener instead of `route`; empty: nobody has. Borrowed, as is
 * rivals; NULL: there are none. */
struct str ir_rivals_winner(const struct ir_rivals *rivals, struct str route);

/* --- what the cluster says ------------------------------------------------------------------ */
struct placed_row {
    struct row row;
    LIST(struct ir_address) addresses; /* at which the Gateway can be reached */
    bool pending;                      /* an address is still waited for */
    int32_t ready;                     /* Envoys that serve */
    struct str error;                  /* what the API server refused, or empty */
    bool address_unusable;             /* `error` is about the addresses that are asked for */
    struct str former; /* not empty: it still is where it was before it had its class; why */
};

extern const struct schema ir_gateway_schema, ir_backend_tls_schema, ir_upstream_schema,
    ir_rivals_schema;
bool ir_gateway_equal(const struct row *a, const struct row *b);
bool ir_backend_tls_equal(const struct row *a, const struct row *b);
bool ir_upstream_equal(const struct row *a, const struct row *b);
bool ir_rivals_equal(const struct row *a, const struct row *b);
bool placed_equal(const struct row *a, const struct row *b);

#endif
