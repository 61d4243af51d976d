/* SPDX-License-Identifier: Apache-2.0 */
/*
 * precedence: which of two matches does the spec try first?
 *
 * All functions return < 0 when a goes first. HTTPRoute: exact path, longest path, method, number
 * of headers, number of query parameters. GRPCRoute: length of the service, length of the method,
 * number of headers. What the spec leaves open is decided here: a regular expression goes after
 * every exact text and before every prefix (or absent text); a final '/' of a prefix does not
 * count. Ties are broken by route_age_cmp(), then by the order inside the route.
 */
#ifndef HEDDLE_MODEL_PRECEDENCE_H
#define HEDDLE_MODEL_PRECEDENCE_H

#include "model/route.h"

int http_match_cmp(const struct http_match *a, const struct http_match *b);
int grpc_match_cmp(const struct grpc_match *a, const struct grpc_match *b);
/* Order between routes that the spec calls "oldest first, then by {namespace}/{name}". A route
 * without creationTimestamp is as old as can be. */
int route_age_cmp(const struct route *a, const struct route *b);

#endif
