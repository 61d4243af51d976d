/* SPDX-License-Identifier: Apache-2.0 */
/* ir: the field tables of the IR rows, from which equality and dumps come; texts of them. */
#include "ir/ir.h"

#define F(type_, struct_, member_)                                                                 \
    {                                                                                              \
        .name = #member_, .type = (type_), .offset = offsetof(struct_, member_)                    \
    }
#define F_SUB(type_, struct_, member_, schema_)                                                    \
    {                                                                                              \
        .name = #member_, .type = (type_), .offset = offsetof(struct_, member_),                   \
        .schema = &(schema_)                                                                       \
    }
#define F_ENUM(struct_, member_, names_)                                                           \
    {                                                                                              \
        .name = #member_, .type = FIELD_ENUM, .offset = offsetof(struct_, member_),                \
        .names = (names_)                                                                          \
    }
#define SCHEMA(struct_, fields_)                                                                   \
    {                                                                                              \
        .name = #struct_, .size = sizeof(struct struct_), .fields = (fields_)                      \
    }

static const char *const protocol_names[] = {"TCP", "HTTP", "HTTP2", "UDP", NULL};
static const char *const family_names[] = {"Any", "IPv4", "IPv6", NULL};
static const char *const nearness_names[] = {"Anywhere", "PreferZone", "PreferNode", "OnlyNode",
                                             NULL};
static const char *const path_names[] = {"Any", "Exact", "Prefix", "RawPrefix", "Regex", NULL};
static const char *const action_names[] = {"Forward", "Error", "Redirect", NULL};
static const char *const carrier_names[] = {"Cookie", "Header", NULL};
static const char *const change_names[] = {"Keep", "Replace", "ReplacePrefix", NULL};

static const struct field port_fields[] = {
    F(FIELD_STR, struct ir_port, ns),
    F(FIELD_STR, struct ir_port, service),
    F(FIELD_INT, struct ir_port, port),
    F(FIELD_STR, struct ir_port, port_name),
    F(FIELD_STR, struct ir_port, app_protocol),
    F_ENUM(struct ir_port, protocol, protocol_names),
    F_ENUM(struct ir_port, family, family_names),
    F(FIELD_STR_LIST, struct ir_port, ips),
    F(FIELD_STR, struct ir_port, taken_by),
    F_ENUM(struct ir_port, nearness, nearness_names),
    F(FIELD_BOOL, struct ir_port, backend),
    F(FIELD_STR, struct ir_port, why_not),
    F(FIELD_BOOL, struct ir_port, publish_not_ready),
    F(FIELD_INT, struct ir_port, service_ports),
    {.name = NULL},
};
const struct schema ir_port_schema = SCHEMA(ir_port, port_fields);

static const struct field value_match_fields[] = {
    F(FIELD_STR, struct ir_value_match, name),
    F(FIELD_STR, struct ir_value_match, value),
    F(FIELD_BOOL, struct ir_value_match, regex),
    {.name = NULL},
};
static const struct schema value_match_schema = SCHEMA(ir_value_match, value_match_fields);

static const struct field match_fields[] = {
    F_ENUM(struct ir_match, path_type, path_names),
    F(FIELD_STR, struct ir_match, path),
    F(FIELD_STR, struct ir_match, method),
    F_SUB(FIELD_LIST, struct ir_match, headers, value_match_schema),
    F_SUB(FIELD_LIST, struct ir_match, query, value_match_schema),
    {.name = NULL},
};
static const struct schema match_schema = SCHEMA(ir_match, match_fields);

static const struct field header_fields[] = {
    F(FIELD_STR, struct ir_header, name),
    F(FIELD_STR, struct ir_header, value),
    {.name = NULL},
};
static const struct schema header_schema = SCHEMA(ir_header, header_fields);

static const struct field header_ops_fields[] = {
    F_SUB(FIELD_LIST, struct ir_header_ops, set, header_schema),
    F_SUB(FIELD_LIST, struct ir_header_ops, add, header_schema),
    F(FIELD_STR_LIST, struct ir_header_ops, remove),
    {.name = NULL},
};
static const struct schema header_ops_schema = SCHEMA(ir_header_ops, header_ops_fields);

static const struct field session_fields[] = {
    F_ENUM(struct ir_session, carrier, carrier_names),
    F(FIELD_STR, struct ir_session, name),
    F(FIELD_STR, struct ir_session, path),
    F(FIELD_INT64, struct ir_session, lifetime_ms),
    {.name = NULL},
};
static const struct schema session_schema = SCHEMA(ir_session, session_fields);

static const struct field backend_fields[] = {
    F(FIELD_STR, struct ir_backend, cluster),
    F(FIELD_INT64, struct ir_backend, weight),
    F(FIELD_STR, struct ir_backend, reason),
    F_SUB(FIELD_PTR, struct ir_backend, request_headers, header_ops_schema),
    F_SUB(FIELD_PTR, struct ir_backend, response_headers, header_ops_schema),
    F(FIELD_STR, struct ir_backend, hostname),
    F_ENUM(struct ir_backend, path_change, change_names),
    F(FIELD_STR, struct ir_backend, path),
    F_SUB(FIELD_PTR, struct ir_backend, session, session_schema),
    {.name = NULL},
};
static const struct schema backend_schema = SCHEMA(ir_backend, backend_fields);

static const struct field mirror_fields[] = {
    F(FIELD_STR, struct ir_mirror, cluster),
    F(FIELD_INT64, struct ir_mirror, numerator),
    F(FIELD_INT64, struct ir_mirror, denominator),
    {.name = NULL},
};
static const struct schema mirror_schema = SCHEMA(ir_mirror, mirror_fields);

static const struct field redirect_fields[] = {
    F(FIELD_STR, struct ir_redirect, scheme),
    F(FIELD_STR, struct ir_redirect, hostname),
    F(FIELD_INT, struct ir_redirect, port),
    F(FIELD_INT, struct ir_redirect, status),
    F_ENUM(struct ir_redirect, path_change, change_names),
    F(FIELD_STR, struct ir_redirect, path),
    {.name = NULL},
};
static const struct schema redirect_schema = SCHEMA(ir_redirect, redirect_fields);

static const struct field rewrite_fields[] = {
    F(FIELD_STR, struct ir_rewrite, hostname),
    F_ENUM(struct ir_rewrite, path_change, change_names),
    F(FIELD_STR, struct ir_rewrite, path),
    {.name = NULL},
};
static const struct schema rewrite_schema = SCHEMA(ir_rewrite, rewrite_fields);

static const struct field retry_fields[] = {
    F(FIELD_INT_LIST, struct ir_retry, codes),
    F(FIELD_INT, struct ir_retry, attempts),
    F(FIELD_INT64, struct ir_retry, backoff_ms),
    {.name = NULL},
};
static const struct schema retry_schema = SCHEMA(ir_retry, retry_fields);

static const struct field origin_fields[] = {
    F(FIELD_STR, struct ir_origin, scheme),
    F(FIELD_STR, struct ir_origin, host),
    F(FIELD_BOOL, struct ir_origin, below),
    F(FIELD_INT, struct ir_origin, port),
    {.name = NULL},
};
static const struct schema origin_schema = SCHEMA(ir_origin, origin_fields);

static const struct field cors_fields[] = {
    F_SUB(FIELD_LIST, struct ir_cors, origins, origin_schema),
    F(FIELD_STR_LIST, struct ir_cors, methods),
    F(FIELD_STR_LIST, struct ir_cors, headers),
    F(FIELD_STR_LIST, struct ir_cors, expose),
    F(FIELD_BOOL, struct ir_cors, credentials),
    F(FIELD_INT, struct ir_cors, max_age),
    {.name = NULL},
};
static const struct schema cors_schema = SCHEMA(ir_cors, cors_fields);

static const struct field route_fields[] = {
    F(FIELD_STR, struct ir_route, rule),
    F_SUB(FIELD_STRUCT, struct ir_route, match, match_schema),
    F_ENUM(struct ir_route, action, action_names),
    F(FIELD_INT, struct ir_route, error_status),
    F(FIELD_STR, struct ir_route, reason),
    F_SUB(FIELD_LIST, struct ir_route, backends, backend_schema),
    F_SUB(FIELD_PTR, struct ir_route, request_headers, header_ops_schema),
    F_SUB(FIELD_PTR, struct ir_route, response_headers, header_ops_schema),
    F_SUB(FIELD_PTR, struct ir_route, redirect, redirect_schema),
    F_SUB(FIELD_PTR, struct ir_route, rewrite, rewrite_schema),
    F_SUB(FIELD_LIST, struct ir_route, mirrors, mirror_schema),
    F_SUB(FIELD_PTR, struct ir_route, retry, retry_schema),
    F_SUB(FIELD_PTR, struct ir_route, cors, cors_schema),
    F_SUB(FIELD_PTR, struct ir_route, session, session_schema),
    F(FIELD_INT64, struct ir_route, timeout_ms),
    F(FIELD_INT64, struct ir_route, backend_timeout_ms),
    {.name = NULL},
};
static const struct schema route_schema = SCHEMA(ir_route, route_fields);

static const struct field l4_route_fields[] = {
    F(FIELD_STR, struct ir_l4_route, rule),
    F(FIELD_STR, struct ir_l4_route, name),
    F(FIELD_STR_LIST, struct ir_l4_route, server_names),
    F_SUB(FIELD_LIST, struct ir_l4_route, backends, backend_schema),
    F(FIELD_STR, struct ir_l4_route, reason),
    F(FIELD_STR, struct ir_l4_route, listener),
    {.name = NULL},
};
static const struct schema l4_route_schema = SCHEMA(ir_l4_route, l4_route_fields);

static const struct field routing_fields[] = {
    F(FIELD_STR, struct ir_routing, name),
    F(FIELD_STR, struct ir_routing, client_ns),
    F(FIELD_STR, struct ir_routing, kind),
    F(FIELD_BOOL, struct ir_routing, http),
    F(FIELD_STR, struct ir_routing, domain),
    F(FIELD_STR, struct ir_routing, listener),
    F(FIELD_BOOL, struct ir_routing, https),
    F(FIELD_BOOL, struct ir_routing, http3),
    F_SUB(FIELD_LIST, struct ir_routing, routes, route_schema),
    F_SUB(FIELD_LIST, struct ir_routing, connections, l4_route_schema),
    {.name = NULL},
};
const struct schema ir_routing_schema = SCHEMA(ir_routing, routing_fields);

static const struct field standings_fields[] = {
    F(FIELD_STR, struct ir_standings, kind),
    F(FIELD_STR, struct ir_standings, first),
    F(FIELD_STR_MAP, struct ir_standings, full),
    {.name = NULL},
};
static const struct schema ir_standings_schema = SCHEMA(ir_standings, standings_fields);

static const struct field budget_fields[] = {
    F(FIELD_INT, struct ir_retry_budget, percent),
    F(FIELD_INT64, struct ir_retry_budget, interval_ms),
    F(FIELD_INT64, struct ir_retry_budget, min_concurrency),
    {.name = NULL},
};
static const struct schema budget_schema = SCHEMA(ir_retry_budget, budget_fields);

static const struct field cluster_fields[] = {
    F(FIELD_STR, struct ir_cluster, name),
    F(FIELD_STR, struct ir_cluster, ns),
    F(FIELD_STR, struct ir_cluster, service),
    F_ENUM(struct ir_cluster, protocol, protocol_names),
    F_SUB(FIELD_PTR, struct ir_cluster, retry_budget, budget_schema),
    {.name = NULL},
};
const struct schema ir_cluster_schema = SCHEMA(ir_cluster, cluster_fields);

static const struct field places_fields[] = {
    F(FIELD_STR_LIST, struct ir_places, keys),
    {.name = NULL},
};
const struct schema ir_places_schema = SCHEMA(ir_places, places_fields);

static const struct field endpoint_fields[] = {
    F(FIELD_STR, struct ir_endpoint, address),   F(FIELD_INT, struct ir_endpoint, port),
    F(FIELD_STR, struct ir_endpoint, other),     F(FIELD_INT, struct ir_endpoint, other_port),
    F(FIELD_BOOL, struct ir_endpoint, draining), {.name = NULL},
};
static const struct schema endpoint_schema = SCHEMA(ir_endpoint, endpoint_fields);

static const struct field locality_fields[] = {
    F(FIELD_STR, struct ir_locality, zone),
    F(FIELD_STR, struct ir_locality, part),
    F(FIELD_INT, struct ir_locality, priority),
    F_SUB(FIELD_LIST, struct ir_locality, endpoints, endpoint_schema),
    {.name = NULL},
};
static const struct schema locality_schema = SCHEMA(ir_locality, locality_fields);

static const struct field endpoints_fields[] = {
    F(FIELD_STR, struct ir_endpoints, name),
    F(FIELD_BOOL, struct ir_endpoints, udp),
    F_SUB(FIELD_LIST, struct ir_endpoints, localities, locality_schema),
    {.name = NULL},
};
const struct schema ir_endpoints_schema = SCHEMA(ir_endpoints, endpoints_fields);

static const struct field target_fields[] = {
    F(FIELD_STR, struct ir_target, scope),
    F(FIELD_STR, struct ir_target, name),
    F(FIELD_STR, struct ir_target, port),
    F(FIELD_STR, struct ir_target, reason),
    {.name = NULL},
};
const struct schema ir_target_schema = SCHEMA(ir_target, target_fields);

static const struct field server_fields[] = {
    F(FIELD_STR, struct ir_server, scope),
    F(FIELD_STR, struct ir_server, name),
    F(FIELD_STR, struct ir_server, address),
    F(FIELD_INT, struct ir_server, port),
    {.name = NULL},
};
const struct schema ir_server_schema = SCHEMA(ir_server, server_fields);

struct str ir_server_text(struct arena *arena, const struct ir_server *server)
{
    bool six = str_index(server->address, ':') < server->address.len;
    return arena_printf(arena, six ? "[%.*s]:%d" : "%.*s:%d", STR_FMT(server->address),
                        (int)server->port);
}

#define EQUAL(name)                                                                                \
    bool name##_equal(const struct row *a, const struct row *b)                                    \
    {                                                                                              \
        return field_equal(&name##_schema, a, b);                                                  \
    }

EQUAL(ir_port)
EQUAL(ir_routing)
EQUAL(ir_standings)
EQUAL(ir_cluster)
EQUAL(ir_places)
EQUAL(ir_endpoints)
EQUAL(ir_target)
EQUAL(ir_server)

struct str ir_pair_value(const struct str_pair *pairs, size_t len, struct str key)
{
    size_t low = 0, high = len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(pairs[middle].key, key);
        if (order == 0) {
            return pairs[middle].value;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return STR_NULL;
}

bool ir_is_loopback(struct str ip)
{
    return str_starts_with(ip, STR("127.")) || str_eq(ip, STR("::1"));
}
