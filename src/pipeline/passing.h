/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passing: what becomes of a request on its way through a Gateway's Envoy: as what routes see it
 * when it comes in, and as what it is passed on.
 */
#ifndef HEDDLE_PIPELINE_PASSING_H
#define HEDDLE_PIPELINE_PASSING_H

#include "ir/request.h"
#include "pipeline/question.h"

/* The Host that the client sends: of a header, else of the URL, with its port where that is not the
 * scheme's own. In the arena, or the question's. */
struct str passing_host(const struct question *question, struct arena *arena);
/* Without the port (RFC 9110 7.2). Points into host. */
struct str passing_host_name(struct str host);
/* As its Envoy reads it (xds/gateway_hcm.c): without "." and "..", percent-encoding only where it
 * says something; "//" and "%2F" stay. In the arena, or as it was. */
struct str passing_path(struct str path, struct arena *arena);
/* The request with that path, and with what Envoy says of it in headers. */
void passing_arrive(const struct question *question, struct arena *arena,
                    struct request *ret_request);

/* The path of a request that the match takes, changed as HTTPPathModifier says. */
struct str passing_change(const struct ir_match *match, int change, struct str with,
                          struct str path, struct arena *arena);
/* What the backend of the rule gets: the filters of the rule, then those of the backend. host: the
 * request's; becomes the backend's. */
void passing_on(const struct ir_route *rule, const struct ir_backend *backend, struct arena *arena,
                struct request *request, struct str *host);

#endif
