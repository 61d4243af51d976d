/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configurations: heddle's two webhook configurations in the API server, whose caBundle says whom
 * it is to trust when it asks heddle. deploy/ makes them without one; the replica that leads writes
 * it, and again whenever somebody else has written them (an upgrade, a hand).
 *
 *   watch ──► what each entry has ┐
 *   keyring ──► what it should    ┴─► JSON patch of those that differ, with resourceVersion
 *
 * Only entries that lead to heddle's own Service are touched. Thread 0. Logs.
 */
#ifndef HEDDLE_WEBHOOK_CONFIGURATIONS_H
#define HEDDLE_WEBHOOK_CONFIGURATIONS_H

#include <stdbool.h>

#include "base/str.h"
#include "kube/kube.h"

#define CONFIGURATIONS_SERVICE "heddle"

struct configurations;

struct configurations *configurations_start(struct kube *kube, struct str ns);
/* PEM; copied. */
void configurations_bundle(struct configurations *configurations, struct str bundle);
void configurations_lead(struct configurations *configurations, bool leads);
void configurations_stop(struct configurations *configurations); /* NULL is fine */

#endif
