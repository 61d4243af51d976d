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
#include "status/propagation.h"

struct status_store;

struct status_store *status_store_new(void);
void status_store_free(struct status_store *store);
/* Told of every object whose row came, changed or went. */
typedef void status_changed_fn(void *user, enum kind_id kind, struct str ns, struct str name);
void status_store_watch(struct status_store *store, status_changed_fn *changed, void *user);
/* Who counts for heddle.dev/Propagated; without it there is no such condition. */
void status_store_propagation(struct status_store *store, const struct propagation *propagation);
/* Changes of a table of struct status rows; now_ms: wall clock. */
void status_store_apply(struct status_store *store, struct row_changes changes, uint64_t now_ms);
/* times: with lastTransitionTime; golden files go without.
 * {"items": [{apiVersion, kind, metadata, status}, …]}, by kind, namespace, name. */
void status_store_render(const struct status_store *store, bool times, struct json *json);
/* The status of one object, {"conditions": …} or {"parents": …}, with times. False, and nothing
 * written: there is nothing to say of it. */
bool status_store_render_one(const struct status_store *store, enum kind_id kind, struct str ns,
                             struct str name, struct json *json);
/* Whether what its heddle.dev/Propagated says is about to change: clients have not acknowledged
 * everything. */
bool status_store_unsettled(const struct status_store *store, enum kind_id kind, struct str ns,
                            struct str name);

#endif
