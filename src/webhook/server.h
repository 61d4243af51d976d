/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: the HTTPS port of a replica: what the API server asks (admission), and what the other
 * replicas ask. Who answers what is given to it as tables of routes, so that it need not know the
 * rest of the program.
 *
 *   https ──► route table ──► needs_token? "Authorization: Bearer TOKEN" ──► handle(user, …)
 *
 * The certificate is asked for with each connection (ca/serving.h); a connection that comes before
 * there is one is closed.
 * Thread 0. Logs.
 */
#ifndef HEDDLE_WEBHOOK_SERVER_H
#define HEDDLE_WEBHOOK_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "net/h1.h"

#define WEBHOOK_BODY_MAX (16u << 20) /* a review: two objects, each at most 3 MiB in etcd */
#define WEBHOOK_CONNS_MAX 1024
#define WEBHOOK_TABLES_MAX 8

struct loop;
struct serving;
struct webhook_server;

struct webhook_route {
    const char *path; /* the whole of it; one that ends in '/' also stands for all below it */
    bool post;        /* takes a POST, and nothing else; else GET and HEAD only */
    bool needs_token; /* only for who knows the token: other replicas */
    /* Answers now or later, exactly once. */
    void (*handle)(void *user, const struct h1_request *request, struct h1_reply *reply);
};

struct webhook_server_config {
    struct loop *loop;
    struct str address;
    const struct serving *serving;
    /* What replicas say to each other now; empty: nobody passes. */
    struct str (*token)(void *user);
    void *user;
};
bool webhook_server_start(const struct webhook_server_config *config,
                          struct webhook_server **ret_server, struct err *err);
/* The table must live as long as the server. Of two routes for one path the first is asked. */
void webhook_server_routes(struct webhook_server *server, const struct webhook_route *routes,
                           size_t len, void *user);
const char *webhook_server_address(const struct webhook_server *server); /* as bound */
void webhook_server_stop(struct webhook_server *server);                 /* NULL is fine */

#endif
