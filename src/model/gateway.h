/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway: Gateway v1 and ListenerSet v1: where traffic from outside comes in.
 * Source: apis/v1/{gateway,listenerset}_types.go of Gateway API v1.7.0, standard channel; of the
 * experimental one those are read that must not be taken for nothing: a listener's filters and the
 * routability of an address, which may be what keeps others out.
 */
#ifndef HEDDLE_MODEL_GATEWAY_H
#define HEDDLE_MODEL_GATEWAY_H

#include "model/class.h"
#include "model/object.h"
#include "model/selector.h"

#define GATEWAY_LISTENERS_MAX 64 /* of a Gateway, and of a ListenerSet */

enum from_namespaces { FROM_SAME, FROM_ALL, FROM_SELECTOR, FROM_NONE };

struct named_ref { /* SecretObjectReference, ObjectReference */
    struct str group;
    struct str kind;
    struct str ns; /* empty: that of who refers */
    struct str name;
    uint32_t line;
};

struct route_kind {   /* RouteGroupKind */
    struct str group; /* default: Gateway API's */
    struct str kind;
};
struct allowed_routes {
    int from; /* enum from_namespaces; default Same */
    struct label_selector *selector;
    LIST(struct route_kind) kinds; /* empty: what the protocol admits */
};

enum tls_mode { TLS_TERMINATE, TLS_PASSTHROUGH };
struct listener_tls {
    int mode; /* enum tls_mode; default Terminate */
    LIST(struct named_ref) certificates;
    LIST(struct str_pair) options;
};

struct listener_filter { /* before requests are routed (experimental) */
    struct str type;     /* "ExternalAuth", "ExtensionRef" */
};

struct listener { /* of a Gateway or (ListenerEntry) a ListenerSet */
    struct str name;
    struct str hostname; /* empty: any */
    int32_t port;
    struct str protocol; /* "HTTP", "HTTPS", "TLS", "TCP", "UDP", or one that heddle knows not */
    struct listener_tls *tls;
    struct allowed_routes *allowed; /* NULL: the defaults */
    LIST(struct listener_filter) filters;
    uint32_t line;
};

struct gateway_address {
    struct str type;  /* default "IPAddress"; "Hostname", or one with a domain */
    struct str value; /* empty: one is to be chosen */
    struct str
        routability; /* "Cluster", or one with a domain; empty: nothing is asked (experimental) */
};

enum frontend_mode { FRONTEND_ALLOW_VALID_ONLY, FRONTEND_ALLOW_INSECURE_FALLBACK };
struct frontend_validation {
    LIST(struct named_ref) authorities; /* caCertificateRefs */
    int mode;                           /* enum frontend_mode */
};
struct frontend_port {
    int32_t port;
    struct frontend_validation *validation; /* NULL: none on this port */
};
struct gateway_tls {
    struct named_ref *client_certificate; /* backend.clientCertificateRef */
    struct frontend_validation *frontend; /* frontend.default.validation */
    LIST(struct frontend_port) ports;     /* frontend.perPort */
};

struct gateway_infrastructure {
    LIST(struct str_pair) labels;
    LIST(struct str_pair) annotations;
    struct class_parameters *parameters; /* group, kind, name: in the Gateway's namespace */
};

struct gateway {
    struct object object;
    struct str class;
    LIST(struct listener) listeners;
    LIST(struct gateway_address) addresses;
    struct gateway_infrastructure *infrastructure;
    int sets_from; /* allowedListeners.namespaces.from: enum from_namespaces; default None */
    struct label_selector *sets_selector;
    struct gateway_tls *tls;
    struct str default_scope; /* "All", "None" or empty (experimental): model/ignored.c */
};

struct listener_set {
    struct object object;
    struct named_ref parent; /* group and kind default to a Gateway */
    LIST(struct listener) listeners;
};

extern const struct schema gateway_schema;
extern const struct schema listener_set_schema;

#endif
