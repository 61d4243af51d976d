/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inbound: the half of explain that is about calls that come in at a proxyless server, and not
 * about those that a client makes.
 */
#ifndef HEDDLE_PIPELINE_INBOUND_H
#define HEDDLE_PIPELINE_INBOUND_H

#include "codec/json.h"
#include "engine/engine.h"
#include "pipeline/question.h"

/* When a server of such a client listens where the question goes to: writes the members routing and
 * decision, and returns the key of its T_GRPC_SERVER. Else empty. */
struct str inbound_explain(const struct engine *engine, const struct question *question,
                           struct arena *arena, struct json *json);

#endif
