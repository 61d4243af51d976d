/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook: the HTTPS port of a heddle in a cluster, and all it needs.
 *
 *   keeper (Secret heddle-ca) ──► serving certificate ──► server ──► /inject…, /check
 *                            ├──► caBundle of the webhook configurations
 *                            └──► xDS with TLS (xds_port.h)
 *
 * Thread 0.
 */
#ifndef HEDDLE_APP_WEBHOOK_H
#define HEDDLE_APP_WEBHOOK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "ca/keyring.h"

struct daemon;
struct webhook;
struct webhook_server;

/* Nothing (NULL) without --webhook. Needs daemon->kube. */
bool webhook_start(struct daemon *daemon, struct webhook **ret_webhook, struct err *err);
/* Whether there is a certificate: before that the API server cannot be answered. NULL is. */
bool webhook_ready(const struct webhook *webhook);
/* Whether this replica writes what is one for all: the Secret's rotation, the configurations. */
void webhook_lead(struct webhook *webhook, bool leads); /* NULL is fine */
/* For the routes of others. */
struct webhook_server *webhook_server(struct webhook *webhook);
/* Whom to trust and what to say when other replicas are asked; NULL until it is known. */
const struct keyring *webhook_keyring(const struct webhook *webhook); /* NULL: there is none */
/* By which names and addresses this replica is called; in the arena. Needs daemon->kube. */
void webhook_hosts(const struct daemon *daemon, struct arena *arena, const struct str **ret_hosts,
                   size_t *ret_nhosts);
void webhook_stop(struct webhook *webhook); /* NULL is fine */

#endif
