/* SPDX-License-Identifier: Apache-2.0 */
/* build: the small messages that all encoders need. Everything lives in the arena that is given. */
#ifndef HEDDLE_XDS_BUILD_H
#define HEDDLE_XDS_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "xds/alias.h"

char *xds_text(struct arena *arena, struct str text); /* NUL-terminated copy */
pb_any *xds_any(struct arena *arena, const ProtobufCMessage *message);
pb_u32 *xds_u32(struct arena *arena, uint32_t value);
pb_bool *xds_bool(struct arena *arena, bool value);
pb_duration *xds_ms(struct arena *arena, int64_t milliseconds);
pb_address *xds_address(struct arena *arena, struct str ip, int32_t port);
/* ads: {}, the only source of configuration heddle's clients have. */
pb_config_source *xds_ads(struct arena *arena);
/* Envoy and gRPC limit a cluster to 1,024 requests (and Envoy to 3 retries) at a time unless told
 * otherwise; without a mesh there is no such limit, so there is none with it. */
pb_circuit_breakers *xds_no_limits(struct arena *arena);
pb_access_log *xds_access_log(struct arena *arena); /* to standard output, Envoy's own format */
pb_regex *xds_regex(struct arena *arena, struct str regex);
/* Quotes all characters that mean something in RE2. */
struct str xds_quote_regex(struct arena *arena, struct str text);
/* A filter chain of one network filter. */
pb_filter_chain *xds_chain(struct arena *arena, const char *filter_name,
                           const ProtobufCMessage *config);
/* The same, with a configuration of that type that comes by ECDS under `name`: a change of it
 * leaves the chain, and the connections that it has, as they are. */
pb_filter_chain *xds_discovered_chain(struct arena *arena, struct str name,
                                      const ProtobufCMessageDescriptor *type);
/* Behind those that the listener has; there is room for LISTENER_FILTERS_MAX of them. */
void xds_add_listener_filter(struct arena *arena, pb_listener *listener, const char *name,
                             const ProtobufCMessage *config);
pb_http_filter *xds_http_filter(struct arena *arena, const char *name,
                                const ProtobufCMessage *config);
pb_http_filter *xds_router(struct arena *arena, bool envoy);
/* A route's own words to the HTTP filter `name`; there is room for ROUTE_FILTERS_MAX of them. */
void xds_route_filter(struct arena *arena, const char *name, const ProtobufCMessage *config,
                      pb_route *route);

#define ROUTE_FILTERS_MAX 2
#define LISTENER_FILTERS_MAX 2
#define CORS_FILTER "envoy.filters.http.cors"
#define SESSION_FILTER "envoy.filters.http.stateful_session"

#endif
