/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin: the HTTP endpoint for people and probes. What it answers is given to it as a table, so
 * that it need not know the rest of the program.
 *
 *   /live     200 while the process answers
 *   /ready    200 once every source is synced and the first snapshot is built, else 503
 *   /metrics  Prometheus text
 *   /         a list of all paths
 *   others    tell about all clients and objects: only to who is on this host, unless `open`. What
 *             comes by kubectl exec or port-forward is, in the pod
 * Thread 0.
 */
#ifndef HEDDLE_ADMIN_ADMIN_H
#define HEDDLE_ADMIN_ADMIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "net/h1.h"

struct loop;

struct admin_route {
    const char *path;
    const char *help; /* one line, for the list at "/" */
    /* Either: writes JSON at once. */
    void (*json)(void *user, struct buf *out);
    /* Or: answers now or later through the reply. */
    void (*handle)(void *user, const struct h1_request *request, struct h1_reply *reply);
    bool post; /* takes a POST, and nothing else */
};

struct admin_config {
    struct loop *loop;
    struct str address;
    const struct admin_route *routes;
    size_t nroutes;
    bool open;        /* the routes are for everybody who can connect */
    size_t conns_max; /* connections at once; more are closed */
    bool (*ready)(void *user);
    void *user;
};

struct admin;

bool admin_start(const struct admin_config *config, struct admin **ret_admin, struct err *err);
const char *admin_address(const struct admin *admin); /* as bound */
void admin_stop(struct admin *admin);                 /* NULL is fine */

/* Answers with JSON; takes the contents of out. */
void admin_reply_json(struct h1_reply *reply, struct buf *out);
/* The value of a query parameter, unescaped into the arena; empty when absent. */
struct arena;
struct str admin_query(struct arena *arena, struct str query, struct str name);

#endif
