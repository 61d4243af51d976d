/* SPDX-License-Identifier: Apache-2.0 */
/*
 * everywhere: questions about clients, whichever replica these are connected to. What a replica
 * tells of its own clients it answers alone (api_own_…); the rest is put together here. Thread 0.
 */
#ifndef HEDDLE_APP_EVERYWHERE_H
#define HEDDLE_APP_EVERYWHERE_H

#include <stdbool.h>

#include "base/buf.h"
#include "net/h1.h"

struct daemon;

/* Whether there are others to ask at all. */
bool everywhere_others(const struct daemon *daemon);
/* A client with this node id is connected to this replica. */
bool everywhere_is_here(const struct daemon *daemon, struct str node);
/* begun: {"proxies": [ and this replica's, taken. Adds the others', and answers. */
void everywhere_proxies(struct daemon *daemon, struct buf *begun, struct h1_reply *reply);
/* The replica that has the client answers, asked at `path`; if none has it, `own` does, here. */
void everywhere_forward(struct daemon *daemon, struct str path, struct str query,
                        h1_handler_fn *own, struct h1_reply *reply);

#endif
