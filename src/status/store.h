/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the status of every object as it is, or would be, written to Kubernetes: the condition
 * rows of the engine, stamped with observedGeneration and lastTransitionTime.
 *
 * compute functions know no clock, so the time at which a condition turned is kept here. A
 * condition whose status stays the same keeps its time, whatever its reason and message do
 * (metav1.Condition).
 */
#ifndef HEDDLE_STATUS_STORE_H
#define HEDDLE_STATUS_STORE_H

#include "codec/json.h"
#include "engine/engine.h"

struct status_store;

struct status_store *status_store_new(void);
void status_store_free(struct status_store *store);
/* Changes of a table of struct status rows; now_ms: wall clock. */
void status_store_apply(struct status_store *store, struct row_changes changes, uint64_t now_ms);
/* times: with lastTransitionTime; golden files go without.
 * {"items": [{apiVersion, kind, metadata, status}, …]}, by kind, namespace, name. */
void status_store_render(const struct status_store *store, bool times, struct json *json);

#endif
