/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view: what a client is, from what it says of itself, and what it may therefore see.
 * The contract of node.id and the metadata keys is in docs/xds.md.
 */
#ifndef HEDDLE_PIPELINE_VIEW_H
#define HEDDLE_PIPELINE_VIEW_H

#include "base/arena.h"
#include "base/err.h"
#include "ir/client.h"
#include "serve/node.h"
#include "serve/serve.h"

enum client_role { ROLE_SIDECAR, ROLE_GATEWAY, ROLE_PROXYLESS };

struct client_class {
    enum client_role role;
    struct str ns;
    bool foreign;        /* node.id is not ROLE/NAMESPACE/NAME */
    const char *dialect; /* "envoy"; of proxyless clients the scope of their listeners */
    const char *trait;   /* of proxyless clients: a scope that says what they cannot do */
    bool bind;           /* a sidecar that binds the ClusterIPs itself */
    bool ipv6; /* a sidecar behind interception, or a gateway: it can listen on IPv6 addresses */
    struct str inbound; /* of one that binds: "LISTEN>APP"; empty: none */
    struct str zone;    /* where it runs; empty when unknown */
    struct str machine; /* the Kubernetes node, metadata.node_name; empty when unknown */
    struct str gateway; /* of a gateway: the Gateway it is of, "NS/NAME" */
    bool mesh_routes;   /* a gateway: routes of Services apply to it, too */
};

const char *client_role_name(enum client_role role);
/* Texts point into node and the arena. False with the reason when the node must not be served. */
bool client_classify(const struct node *node, struct arena *arena, struct client_class *ret_class,
                     struct err *err);
/* Whether it has proven to be what it says, where that is asked for: in a cluster a gateway is sent
 * private keys, and anybody may say to be one. */
bool client_prove(const struct node *node, const struct client_class *class,
                  const struct settings_row *settings, struct err *err);
/* Scope names are made in the arena. */
void client_view(const struct client_class *class, struct arena *arena, struct view *ret_view);

#endif
