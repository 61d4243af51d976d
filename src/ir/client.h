/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: what clients say, as input rows, and the options that translation depends on.
 * Scopes are named here because resolve/, xds/ and pipeline/ must agree on them (docs/xds.md).
 */
#ifndef HEDDLE_IR_CLIENT_H
#define HEDDLE_IR_CLIENT_H

#include "engine/engine.h"
#include "model/field.h"
#include "snapshot/type.h"

/* Scopes; "@ns" may follow one: its meaning for clients of that namespace (consumer routes). */
#define SCOPE_ALL "all"                     /* endpoints: one meaning for everybody … */
#define SCOPE_ZONE "all@zone/"              /* + ZONE: … but those who are to prefer their zone */
#define SCOPE_NODE "all@node/"              /* + NODE: … or their node */
#define SCOPE_ENVOY "envoy"                 /* clusters and routes of Envoy */
#define SCOPE_GRPC "grpc"                   /* clusters and routes of proxyless clients */
#define SCOPE_GATEWAY6 "gateway6/"          /* + "NS/NAME": its listeners, with IPv6 */
#define SCOPE_GATEWAY "gateway/"            /* + "NS/NAME": all that one Gateway is sent */
#define SCOPE_REDIRECT "sidecar.redirect"   /* listeners behind interception */
#define SCOPE_REDIRECT6 "sidecar.redirect6" /* those that interception needs, with IPv6 */
#define SCOPE_BIND "sidecar.bind"           /* listeners that bind ClusterIPs */
#define SCOPE_INBOUND "inbound/"            /* + "LISTEN>APP": inbound of a binding sidecar */
#define SCOPE_GRPC_CORE "grpc.core"         /* listeners, routes; reasons as cluster names */
#define SCOPE_GRPC_GO "grpc.go"             /* listeners; reasons as missing virtual hosts */
#define SCOPE_GRPC_NODE "grpc.node"         /* listeners; reasons as dropped calls */
#define SCOPE_GRPC_EARLY "grpc.early"       /* nothing; clients that end calls before their limit */
#define SCOPE_GRPC_STATELESS "grpc.stateless" /* nothing; clients that keep no sessions */

/* gRPC makes at most five attempts (gRFC A6). */
#define GRPC_RETRIES_MAX 4

#define VIEW_NODELESS "nodeless" /* no scope: T_VIEW has it while some client says no node */

/* T_VIEW: present while a client has the scope. T_ELSEWHERE: a client of another replica. */
struct view_row {
    struct row row;
    struct str scope;
};

/* T_INTEREST */
struct interest_row {
    struct row row;
    struct str scope;
    struct str name;
};

/* T_REJECTION */
struct rejection_row {
    struct row row;
    int type; /* enum xds_type */
    struct str name;
    struct str scope; /* of the resource */
    struct str version;
    struct str node;
    struct str text;
    struct str replica; /* whose client it is; empty: one that is connected here */
    uint64_t clients;   /* that one says in this row; of those here each has its own */
};

/* T_SETTINGS, key "" */
struct settings_row {
    struct row row;
    struct str cluster_domain; /* "cluster.local" */
    struct str trust_domain;
    LIST(struct str) authorities; /* of xdstp names, besides the two */
    bool kubernetes;              /* a cluster runs the gateways; else people do */
};

bool view_equal(const struct row *a, const struct row *b);
bool interest_equal(const struct row *a, const struct row *b);
bool rejection_equal(const struct row *a, const struct row *b);
bool settings_equal(const struct row *a, const struct row *b);

#endif
