/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route: the route kinds of v1: all fields of Gateway API v1.7.0 that heddle serves or knows. All
 * begin with struct route, so that attachment and precedence need not know the kind.
 * Source: apis/v1/{httproute,grpcroute,tlsroute,tcproute,udproute,shared}_types.go.
 */
#ifndef HEDDLE_MODEL_ROUTE_H
#define HEDDLE_MODEL_ROUTE_H

#include "model/object.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"

/* ParentReference; defaults: the Gateway API's group, kind Gateway, the route's namespace. */
struct parent_ref {
    struct str group;
    struct str kind;
    struct str ns; /* empty when not written: the route's namespace */
    struct str name;
    struct str section_name; /* empty: absent */
    int32_t port;            /* 0: absent */
    bool has_group, has_kind;
    uint32_t line;
};
bool parent_ref_equal(const struct parent_ref *a, const struct parent_ref *b); /* what they say */
bool parent_ref_is_service(const struct parent_ref *ref); /* GEP-1294: a parent of the mesh */
struct parent_ref parent_ref_copy(struct arena *arena, const struct parent_ref *ref);

/* BackendObjectReference; defaults: group "", kind Service. */
struct object_ref {
    struct str group;
    struct str kind;
    struct str ns; /* empty: the route's */
    struct str name;
    int32_t port;
    bool has_port;
};

enum header_match_type { HEADER_EXACT, HEADER_REGEX };
struct header_match { /* also query parameters */
    int type;
    struct str name;
    struct str value;
};

struct header_value {
    struct str name;
    struct str value;
};
struct header_filter {
    LIST(struct header_value) set;
    LIST(struct header_value) add;
    LIST(struct str) remove;
};

struct fraction {
    int32_t numerator;
    int32_t denominator; /* default 100 */
};
struct mirror_filter {
    struct object_ref backend;
    int32_t percent;
    bool has_percent;
    struct fraction *fraction;
};

enum path_modifier_type { PATH_MODIFIER_FULL, PATH_MODIFIER_PREFIX };
struct path_modifier {
    int type;
    struct str full;   /* replaceFullPath */
    struct str prefix; /* replacePrefixMatch */
    bool has_full, has_prefix;
};
struct redirect_filter {
    struct str scheme;   /* http or https; empty: keep */
    struct str hostname; /* empty: keep */
    struct path_modifier *path;
    int32_t port;   /* 0: by the default-port rules */
    int32_t status; /* 302 */
};
struct rewrite_filter {
    struct str hostname;
    struct path_modifier *path;
};
struct cors_filter {
    LIST(struct str) allow_origins;
    bool allow_credentials;
    LIST(struct str) allow_methods;
    LIST(struct str) allow_headers;
    LIST(struct str) expose_headers;
    int32_t max_age; /* seconds, 5 */
};
enum auth_protocol { AUTH_HTTP, AUTH_GRPC };
struct auth_grpc {
    LIST(struct str) allowed_headers;
};
struct auth_http {
    struct str path;
    LIST(struct str) allowed_headers;
    LIST(struct str) allowed_response_headers;
};
struct auth_body {
    int32_t max_size; /* bytes; 0: the body is not forwarded */
};
struct auth_filter {
    int protocol;
    struct object_ref backend;
    struct auth_grpc *grpc;
    struct auth_http *http;
    struct auth_body *body;
};
struct extension_ref {
    struct str group;
    struct str kind;
    struct str name;
};

enum filter_type { /* order of the names table in route.c */
                   FILTER_REQUEST_HEADERS,
                   FILTER_RESPONSE_HEADERS,
                   FILTER_MIRROR,
                   FILTER_REDIRECT,
                   FILTER_REWRITE,
                   FILTER_CORS,
                   FILTER_EXTERNAL_AUTH,
                   FILTER_EXTENSION
};
struct filter { /* of either route kind; the schemas differ in what they admit */
    int type;
    struct header_filter *request_headers;
    struct header_filter *response_headers;
    struct mirror_filter *mirror;
    struct redirect_filter *redirect;
    struct rewrite_filter *rewrite;
    struct cors_filter *cors;
    struct auth_filter *auth;
    struct extension_ref *extension;
    uint32_t line;
};

struct backend_ref {
    struct object_ref ref;
    int32_t weight; /* 1 by default, 0..1000000 */
    LIST(struct filter) filters;
    uint32_t line;
};

enum session_type { SESSION_COOKIE, SESSION_HEADER };
enum cookie_lifetime { COOKIE_SESSION, COOKIE_PERMANENT };
struct session_cookie {
    struct str name; /* empty: heddle chooses */
    struct str path; /* "/" */
    int lifetime;
};
struct session_header {
    struct str name;
};
struct session_persistence {
    int type;
    int64_t absolute_timeout_ms;
    bool has_absolute_timeout;
    struct session_cookie *cookie;
    struct session_header *header;
};

struct retry {
    LIST(int32_t) codes; /* 400..599 */
    int32_t attempts;
    bool has_attempts;
    int64_t backoff_ms;
    bool has_backoff;
};
struct timeouts {
    int64_t request_ms, backend_ms; /* 0 disables */
    bool has_request, has_backend;
};

/* The head that all kinds share: a route is an object whose spec begins like this. */
struct route {
    struct object object;
    LIST(struct parent_ref) parents; /* at most 32 */
    LIST(struct str) hostnames;      /* at most 16; of a TLSRoute 1 to 1024, of TCP and UDP none */
    struct str default_gateways;     /* useDefaultGateways: "All", "None" or empty */
};

enum path_match_type { PATH_EXACT, PATH_PREFIX, PATH_REGEX };
struct path_match {
    int type;
    struct str value;
};
struct http_match {
    struct path_match path; /* default PathPrefix "/" */
    LIST(struct header_match) headers;
    LIST(struct header_match) query;
    struct str method; /* empty: any */
    uint32_t line;
    struct str fault; /* not empty: no request meets it */
};
struct http_rule {
    struct str name;
    LIST(struct http_match) matches; /* defaulted to one PathPrefix "/" when absent */
    LIST(struct filter) filters;
    LIST(struct backend_ref) backends;
    struct timeouts *timeouts;
    struct retry *retry;
    struct session_persistence *session;
    uint32_t line;
    struct str fault; /* FIELD_FAULT, of it or a match: its readable matches are errors */
};
struct http_route {
    struct route route;
    LIST(struct http_rule) rules; /* defaulted to one empty rule when absent; at most 16 */
};

enum method_match_type { METHOD_EXACT, METHOD_REGEX };
struct method_match {
    int type;
    struct str service; /* empty: any */
    struct str method;  /* empty: any */
};
struct grpc_match {
    struct method_match *method; /* NULL: any */
    LIST(struct header_match) headers;
    uint32_t line;
    struct str fault;
};
struct grpc_rule {
    struct str name;
    LIST(struct grpc_match) matches; /* may be empty: every request */
    LIST(struct filter) filters;
    LIST(struct backend_ref) backends;
    struct session_persistence *session;
    uint32_t line;
    struct str fault;
};
struct grpc_route {
    struct route route;
    LIST(struct grpc_rule) rules;
};

/* TLSRoute, TCPRoute, UDPRoute: what a connection is chosen by, if anything, are the hostnames. */
struct l4_rule {
    struct str name;
    LIST(struct backend_ref) backends; /* 1 to 16, without filters */
    uint32_t line;
    struct str fault;
};
struct l4_route {
    struct route route;
    LIST(struct l4_rule) rules; /* exactly one */
};

extern const char *const route_filter_names[]; /* by enum filter_type, then NULL */
extern const struct schema http_route_schema;
extern const struct schema grpc_route_schema;
extern const struct schema tls_route_schema;
extern const struct schema tcp_route_schema;
extern const struct schema udp_route_schema;

#endif
