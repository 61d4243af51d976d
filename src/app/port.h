/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port: an HTTP port in plain text with a table of routes, for agents and, without Kubernetes, for
 * the other replicas. (In Kubernetes these ask at the HTTPS port, webhook/server.h.) Thread 0.
 */
#ifndef HEDDLE_APP_PORT_H
#define HEDDLE_APP_PORT_H

#include "base/err.h"
#include "net/loop.h"
#include "webhook/server.h"

struct port;

struct port_config {
    struct loop *loop;
    const char *name; /* in messages */
    struct str address;
    size_t conns_max;      /* connections at once; more are closed */
    size_t conns_per_peer; /* of these, of one address (of IPv6 a /64); 0: all */
    const struct webhook_route *routes;
    size_t nroutes;
    struct str token; /* for routes that need it; empty: nobody passes. Borrowed */
    void *user;       /* of the routes */
};

bool port_start(const struct port_config *config, struct port **ret_port, struct err *err);
const char *port_address(const struct port *port); /* as bound */
void port_stop(struct port *port);                 /* NULL is fine */

#endif
