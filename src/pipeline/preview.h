/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preview: what `heddle check` would say of an object that is not there yet, among those that are.
 *
 *   engine of thread 0 ──references──► an engine of its neighbours ◄── the object
 *                                              │ run, findings of the object alone
 *
 * Neighbours of a route are the Services that it names, their EndpointSlices, and the routes that
 * share a port with it, with the Services that these name; of a policy, its targets. So it costs
 * what the object has to do with, and not a translation of everything. What kinds of client do not
 * do is not told: there are none here. Thread 0, between turns.
 */
#ifndef HEDDLE_PIPELINE_PREVIEW_H
#define HEDDLE_PIPELINE_PREVIEW_H

#include "engine/engine.h"
#include "model/object.h"
#include "model/problem.h"

/* Of routes and policies; of other kinds nothing is told. The texts live during the call. Returns
 * how many rows were computed for it. */
size_t preview_findings(const struct engine *engine, const struct object *object, struct str key,
                        void (*visit)(void *user, const struct problem *problem), void *user);

#endif
