/* SPDX-License-Identifier: Apache-2.0 */
/* api: what the admin endpoint answers under /api, from the daemon's parts. Thread 0. */
#ifndef HEDDLE_APP_API_H
#define HEDDLE_APP_API_H

#include <stdbool.h>
#include <stddef.h>

#include "admin/admin.h"

extern const struct admin_route api_routes[]; /* their user is struct daemon */
extern const size_t api_routes_len;
bool api_ready(void *user);
/* Of this replica alone: for the others, and for everywhere.h. */
void api_digest(void *user, struct buf *out);
void api_own_proxies(void *user, const struct h1_request *request, struct h1_reply *reply);
void api_own_dump(void *user, const struct h1_request *request, struct h1_reply *reply);
void api_own_why(void *user, const struct h1_request *request, struct h1_reply *reply);
/* How many Envoys of a Gateway here have acknowledged what api_own_why() tells. */
void api_own_envoys(void *user, const struct h1_request *request, struct h1_reply *reply);
/* why.c */
void api_why(void *user, const struct h1_request *request, struct h1_reply *reply);
/* plan.c */
void api_plan(void *user, const struct h1_request *request, struct h1_reply *reply);

#endif
