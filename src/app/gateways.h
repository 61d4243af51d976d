/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateways: what runs the Gateways of a cluster (provision/), wired to the mesh.
 *
 *   watch of Gateways ──► uid ─┐                  ┌─► Deployments, Services, …
 *   turn: T_GATEWAY(S) changed ┼──► provision ────┤
 *   keyring, lease ────────────┘                  └─► T_PLACED: where each Gateway is
 *
 * Thread 0.
 */
#ifndef HEDDLE_APP_GATEWAYS_H
#define HEDDLE_APP_GATEWAYS_H

#include <stdbool.h>

#include "ca/keyring.h"
#include "codec/doc.h"

struct daemon;
struct gateways;

/* Needs daemon->kube. */
struct gateways *gateways_start(struct daemon *daemon);
void gateways_seen(struct gateways *gateways, struct str ns, struct str name,
                   const struct doc_node *object);
void gateways_gone(struct gateways *gateways, struct str ns, struct str name);
void gateways_turned(struct gateways *gateways); /* the mesh had its turn */
void gateways_keyring(struct gateways *gateways, const struct keyring *ring);
void gateways_lead(struct gateways *gateways, bool leads);
bool gateways_synced(const struct gateways *gateways); /* all that was made is known */
void gateways_stop(struct gateways *gateways);         /* NULL is fine */

#endif
