/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubernetes: what `heddle serve --kubernetes` has beside what the directory mode has, in the order
 * in which it starts; it stops in the opposite one.
 *
 *   kube      the way to the API server
 *   status    mesh ──► their status, once the Lease is held
 *   cluster   its objects ──► mesh
 *   gateways  what runs the Gateways (app/gateways.h)
 *   webhook   what the API server asks (app/webhook.h)
 *
 * Thread 0.
 */
#ifndef HEDDLE_APP_KUBERNETES_H
#define HEDDLE_APP_KUBERNETES_H

#include <stdbool.h>

#include "base/err.h"

struct daemon;
struct keyring;
struct kubernetes;
struct webhook;

/* Fills daemon->kube and daemon->kubernetes. Clients wait until the cluster is read, so nothing is
 * known of the API server yet when this returns. */
bool kubernetes_start(struct daemon *daemon, struct err *err);
/* Whether all parts can do what the cluster counts on. */
bool kubernetes_ready(const struct daemon *daemon);
/* NULL: there is none. */
const struct webhook *kubernetes_webhook(const struct daemon *daemon);
/* Whom all replicas trust has changed. Borrowed until the next call. */
void kubernetes_keyring(struct daemon *daemon, const struct keyring *ring);
/* What was made of Gateways is known. */
void kubernetes_gateways_synced(struct daemon *daemon);
/* The mesh had its turn. Nothing in the directory mode. */
void kubernetes_turned(struct daemon *daemon);
/* Stops all parts; the loop must run while kubernetes_stopping(). */
void kubernetes_stop(struct daemon *daemon);
bool kubernetes_stopping(const struct daemon *daemon);
/* Once it has stopped. NULL is fine. */
void kubernetes_free(struct daemon *daemon);

#endif
