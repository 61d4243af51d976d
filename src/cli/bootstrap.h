/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootstrap: the file with which a client finds heddle, made in memory: settings in, JSON out.
 * `heddle bootstrap` prints it (bootstrap.c), the agent of a pod writes it (agent/).
 */
#ifndef HEDDLE_CLI_BOOTSTRAP_H
#define HEDDLE_CLI_BOOTSTRAP_H

#include <stdbool.h>

#include "base/buf.h"
#include "cli/host_port.h"
#include "cli/option.h"

#define BOOTSTRAP_MAX (1u << 20)

/* Who the client is, where it is and whom it asks. All texts are borrowed; empty: not said. */
struct bootstrap {
    const struct option_values *xds;         /* HOST:PORT each; Envoy uses the last one */
    const struct option_values *authorities; /* of gRPC: names of xds://NAME/… */
    struct str tls_ca, tls_cert, tls_key;    /* files; no tls_ca: plain text */
    struct str ns, name, service_account, node_name, region, zone;
    struct str interception;   /* of Envoy: "redirect" or "none" … */
    struct str inbound;        /* … with none: LISTEN>APP … */
    bool ipv6;                 /* … with redirect, and a gateway: it can listen on IPv6, too */
    struct str envoy_admin;    /* ADDR:PORT */
    struct str metrics;        /* ADDR:PORT where Envoy's metrics are answered; empty: nowhere */
    struct str gateway;        /* Envoy is of this Gateway of ns; empty: it is a sidecar */
    bool mesh_routes;          /* of a gateway: routes of Services apply to it, too … */
    uint64_t max_clients;      /* … connections it has at a time … */
    uint64_t memory_limit_mib; /* … and the memory that it may have; 0: nobody says */
    struct str secrets; /* folder of the files of bootstrap_secret(); empty: the files of TLS are
                           named in the bootstrap itself, and read once */
    bool sotw;
};

/* What is the same for all commands: --xds, --tls-…, --namespace, --node-name, --region, … */
void bootstrap_from(const struct options *options, enum option_id xds,
                    struct bootstrap *ret_bootstrap);
/* Whether the addresses can be used; err says which option to mend. */
bool bootstrap_check(const struct bootstrap *bootstrap, bool envoy, struct err *err);
/* Of settings that bootstrap_check() likes. */
void bootstrap_envoy(const struct bootstrap *bootstrap, struct buf *out);
void bootstrap_grpc(const struct bootstrap *bootstrap, struct buf *out);

/* What Envoy's TLS towards heddle needs, each in a file of its own (bootstrap_tls.c). */
enum bootstrap_secret { BOOTSTRAP_IDENTITY, BOOTSTRAP_AUTHORITIES };
void bootstrap_secret_path(const struct bootstrap *bootstrap, enum bootstrap_secret which,
                           struct buf *out);
void bootstrap_secret(const struct bootstrap *bootstrap, enum bootstrap_secret which,
                      struct buf *out);

#endif
