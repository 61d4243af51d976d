/* SPDX-License-Identifier: Apache-2.0 */
/* weight: see weight.h. */
#include "model/weight.h"

#include "model/route_schema.h"

size_t weight_of_matches(const struct route *route, size_t rule)
{
    size_t weight = 0;
    if (route->object.kind == KIND_GRPCROUTE) {
        const struct grpc_rule *grpc = &((const struct grpc_route *)route)->rules.items[rule];
        for (size_t i = 0; i < grpc->matches.len; i++) {
            weight += field_weight(&grpc_match_schema, &grpc->matches.items[i]);
        }
        return weight;
    }
    const struct http_rule *http = &((const struct http_route *)route)->rules.items[rule];
    for (size_t i = 0; i < http->matches.len; i++) {
        weight += field_weight(&http_match_schema, &http->matches.items[i]);
    }
    return weight;
}

size_t weight_of_filters(const struct filter *filters, size_t len)
{
    size_t weight = 0;
    for (size_t i = 0; i < len; i++) {
        weight += field_weight(&http_filter_schema, &filters[i]);
    }
    return weight;
}

size_t weight_of_session(const struct session_persistence *session)
{
    return field_weight(&session_schema, session);
}
