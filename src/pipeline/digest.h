/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest: short texts by which two replicas see that they serve the same.
 *
 *   digest   of what is to happen: routings, clusters and endpoints, whoever is connected
 *   scopes   of the bytes in each scope that some client has; replicas that have other clients
 *            have other scopes, but of a scope that both have the digests are equal. What is made
 *            only for the names that clients ask for is left out.
 */
#ifndef HEDDLE_PIPELINE_DIGEST_H
#define HEDDLE_PIPELINE_DIGEST_H

#include "codec/json.h"
#include "engine/engine.h"

/* Writes the members "digest", "rows" and "scopes": {"envoy": {"resources": 3, "digest": …}}. */
void digest_tell(const struct engine *engine, struct json *json);

#endif
