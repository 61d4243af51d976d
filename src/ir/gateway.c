/* SPDX-License-Identifier: Apache-2.0 */
/* gateway: the field tables of Gateways' rows; keys. */
#include "ir/gateway.h"

#include "base/panic.h"

#define F(type_, struct_, member_)                                                                 \
    {                                                                                              \
        .name = #member_, .type = (type_), .offset = offsetof(struct struct_, member_)             \
    }
#define F_SUB(type_, struct_, member_, schema_)                                                    \
    {                                                                                              \
        .name = #member_, .type = (type_), .offset = offsetof(struct struct_, member_),            \
        .schema = &(schema_)                                                                       \
    }
#define SCHEMA(struct_, fields_)                                                                   \
    {                                                                                              \
        .name = #struct_, .size = sizeof(struct struct_), .fields = (fields_)                      \
    }
#define EQUAL(name, schema_)                                                                       \
    bool name(const struct row *a, const struct row *b)                                            \
    {                                                                                              \
        return field_equal(&(schema_), a, b);                                                      \
    }

static const struct field listener_fields[] = {
    F(FIELD_STR, ir_listener, key),
    F(FIELD_STR, ir_listener, set),
    F(FIELD_STR, ir_listener, name),
    F(FIELD_INT, ir_listener, port),
    F(FIELD_INT, ir_listener, protocol),
    F(FIELD_STR, ir_listener, hostname),
    F(FIELD_BOOL, ir_listener, served),
    F(FIELD_STR, ir_listener, why_not),
    F(FIELD_BOOL, ir_listener, passthrough),
    F(FIELD_STR_LIST, ir_listener, certificates),
    F(FIELD_INT, ir_listener, client_certs),
    F(FIELD_STR_LIST, ir_listener, authorities),
    F(FIELD_INT, ir_listener, kinds),
    F(FIELD_INT, ir_listener, from),
    F(FIELD_STR, ir_listener, home),
    F_SUB(FIELD_PTR, ir_listener, selector, label_selector_schema),
    F_SUB(FIELD_LIST, ir_listener, conditions, condition_schema),
    {.name = NULL},
};
static const struct schema listener_schema = SCHEMA(ir_listener, listener_fields);

static const struct field set_fields[] = {
    F(FIELD_STR, ir_listener_set, key),
    F(FIELD_BOOL, ir_listener_set, allowed),
    F(FIELD_BOOL, ir_listener_set, accepted),
    F(FIELD_INT, ir_listener_set, first),
    F(FIELD_INT, ir_listener_set, len),
    F_SUB(FIELD_LIST, ir_listener_set, conditions, condition_schema),
    {.name = NULL},
};
static const struct schema set_schema = SCHEMA(ir_listener_set, set_fields);

static const struct field address_fields[] = {
    F(FIELD_STR, ir_address, type),
    F(FIELD_STR, ir_address, value),
    {.name = NULL},
};
static const struct schema address_schema = SCHEMA(ir_address, address_fields);

static const struct field parameters_fields[] = {
    F(FIELD_STR, ir_parameters, service_type),
    F(FIELD_STR, ir_parameters, external_traffic_policy),
    F(FIELD_STR, ir_parameters, ip_families),
    F(FIELD_INT, ir_parameters, replicas),
    F(FIELD_INT, ir_parameters, max_replicas),
    F(FIELD_INT, ir_parameters, target_cpu),
    F(FIELD_STR, ir_parameters, cpu_request),
    F(FIELD_STR, ir_parameters, memory_request),
    F(FIELD_STR, ir_parameters, memory_limit),
    F(FIELD_STR, ir_parameters, log_level),
    F(FIELD_BOOL, ir_parameters, mesh_routes),
    F(FIELD_BOOL, ir_parameters, http3),
    F(FIELD_BOOL, ir_parameters, proxy_protocol),
    {.name = NULL},
};
static const struct schema parameters_schema = SCHEMA(ir_parameters, parameters_fields);

static const struct field gateway_fields[] = {
    F(FIELD_STR, ir_gateway, ns),
    F(FIELD_STR, ir_gateway, name),
    F(FIELD_BOOL, ir_gateway, accepted),
    F_SUB(FIELD_LIST, ir_gateway, listeners, listener_schema),
    F_SUB(FIELD_LIST, ir_gateway, sets, set_schema),
    F_SUB(FIELD_LIST, ir_gateway, wanted, address_schema),
    F(FIELD_STR, ir_gateway, client_certificate),
    F_SUB(FIELD_PTR, ir_gateway, parameters, parameters_schema),
    F_SUB(FIELD_LIST, ir_gateway, conditions, condition_schema),
    {.name = NULL},
};
const struct schema ir_gateway_schema = SCHEMA(ir_gateway, gateway_fields);

static const struct field san_fields[] = {
    F(FIELD_BOOL, ir_san, uri),
    F(FIELD_STR, ir_san, value),
    {.name = NULL},
};
static const struct schema san_schema = SCHEMA(ir_san, san_fields);

static const struct field backend_tls_fields[] = {
    F(FIELD_STR, ir_backend_tls, policy),
    F(FIELD_STR, ir_backend_tls, fault),
    F(FIELD_STR, ir_backend_tls, hostname),
    F_SUB(FIELD_LIST, ir_backend_tls, sans, san_schema),
    F(FIELD_BOOL, ir_backend_tls, system),
    F(FIELD_STR_LIST, ir_backend_tls, authorities),
    {.name = NULL},
};
const struct schema ir_backend_tls_schema = SCHEMA(ir_backend_tls, backend_tls_fields);

static const struct field budget_fields[] = {
    F(FIELD_INT, ir_retry_budget, percent),
    F(FIELD_INT64, ir_retry_budget, interval_ms),
    F(FIELD_INT64, ir_retry_budget, min_concurrency),
    {.name = NULL},
};
static const struct schema budget_schema = SCHEMA(ir_retry_budget, budget_fields);

static const struct field upstream_fields[] = {
    F(FIELD_STR, ir_upstream, gateway),
    F(FIELD_STR, ir_upstream, name),
    F(FIELD_STR, ir_upstream, port),
    F(FIELD_STR, ir_upstream, ns),
    F(FIELD_STR, ir_upstream, service),
    F(FIELD_INT, ir_upstream, protocol),
    F(FIELD_BOOL, ir_upstream, mesh),
    F_SUB(FIELD_PTR, ir_upstream, retry_budget, budget_schema),
    F(FIELD_BOOL, ir_upstream, tls),
    F(FIELD_STR, ir_upstream, hostname),
    F_SUB(FIELD_LIST, ir_upstream, sans, san_schema),
    F(FIELD_BOOL, ir_upstream, system),
    F(FIELD_STR_LIST, ir_upstream, authorities),
    F(FIELD_STR, ir_upstream, client_certificate),
    {.name = NULL},
};
const struct schema ir_upstream_schema = SCHEMA(ir_upstream, upstream_fields);

static const struct field pair_fields[] = {
    F(FIELD_STR, str_pair, key),
    F(FIELD_STR, str_pair, value),
    {.name = NULL},
};
static const struct schema pair_schema = SCHEMA(str_pair, pair_fields);
static const struct field rivals_fields[] = {
    F_SUB(FIELD_LIST, ir_rivals, losers, pair_schema),
    {.name = NULL},
};
const struct schema ir_rivals_schema = SCHEMA(ir_rivals, rivals_fields);

static const struct field placed_fields[] = {
    F_SUB(FIELD_LIST, placed_row, addresses, address_schema),
    F(FIELD_BOOL, placed_row, pending),
    F(FIELD_INT, placed_row, ready),
    F(FIELD_STR, placed_row, error),
    F(FIELD_BOOL, placed_row, address_unusable),
    F(FIELD_STR, placed_row, former),
    {.name = NULL},
};
static const struct schema placed_schema = SCHEMA(placed_row, placed_fields);

EQUAL(ir_gateway_equal, ir_gateway_schema)
EQUAL(ir_backend_tls_equal, ir_backend_tls_schema)
EQUAL(ir_upstream_equal, ir_upstream_schema)
EQUAL(ir_rivals_equal, ir_rivals_schema)
EQUAL(placed_equal, placed_schema)

/* --- listeners and hostnames ---------------------------------------------------------------- */

const struct ir_listener *ir_gateway_listener(const struct ir_gateway *gateway, struct str key)
{
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        if (str_eq(gateway->listeners.items[i].key, key)) {
            return &gateway->listeners.items[i];
        }
    }
    return NULL;
}

const struct ir_listener_set *ir_gateway_set(const struct ir_gateway *gateway, struct str key)
{
    size_t low = 0, high = gateway->sets.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(gateway->sets.items[middle].key, key);
        if (order == 0) {
            return &gateway->sets.items[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

bool ir_listener_is_http(const struct ir_listener *listener)
{
    return listener->protocol == IR_LISTENER_HTTP || listener->protocol == IR_LISTENER_HTTPS;
}

bool ir_listener_ends_tls(const struct ir_listener *listener)
{
    return listener->protocol == IR_LISTENER_HTTPS ||
           (listener->protocol == IR_LISTENER_TLS && !listener->passthrough);
}

static bool takes_datagrams(const struct ir_gateway *gateway, int32_t port)
{
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        const struct ir_listener *listener = &gateway->listeners.items[i];
        if (listener->served && listener->port == port && listener->protocol == IR_LISTENER_UDP) {
            return true;
        }
    }
    return false;
}

bool ir_speaks_http3(const struct ir_gateway *gateway, const struct ir_listener *listener)
{
    return gateway->parameters != NULL && gateway->parameters->http3 && listener->served &&
           listener->protocol == IR_LISTENER_HTTPS && listener->client_certs == IR_CERTS_NONE &&
           !takes_datagrams(gateway, listener->port);
}

struct str ir_rivals_winner(const struct ir_rivals *rivals, struct str route)
{
    return rivals != NULL ? ir_pair_value(rivals->losers.items, rivals->losers.len, route)
                          : STR_NULL;
}

int32_t ir_bound_port(bool kubernetes, int32_t port)
{
    return kubernetes && port < PRIVILEGED_PORTS ? SHIFTED_PORTS + port : port;
}

/* --- keys ----------------------------------------------------------------------------------- */

#define ENTRY "gateway/"

struct str entry_name(struct arena *arena, struct str gateway, int32_t port)
{
    return arena_printf(arena, ENTRY "%.*s:%d", STR_FMT(gateway), (int)port);
}

struct entry_key entry_key_parse(struct str key)
{
    struct str rest = key;
    struct str entry = str_cut(&rest, '|');
    size_t colon = str_index(entry, ':');
    ASSERT(str_starts_with(entry, STR(ENTRY)) && colon < entry.len);
    struct str number = str_sub(entry, colon + 1, entry.len);
    struct entry_key parts = {
        .gateway = str_sub(entry, sizeof(ENTRY) - 1, colon - (sizeof(ENTRY) - 1)),
        .domain = rest,
        .entry = entry,
        .udp = str_ends_with(number, STR("/udp")),
    };
    uint64_t port = 0;
    ASSERT(str_to_u64(str_sub(number, 0, str_index(number, '/')), &port));
    parts.port = (int32_t)port;
    return parts;
}

struct gateway_part gateway_part_parse(struct str key)
{
    struct str rest = key;
    struct str gateway = str_cut(&rest, '|');
    ASSERT(rest.len > 0);
    return (struct gateway_part){gateway, rest};
}

#define MESH "mesh|"
#define HTTP2 "#h2"
#define RAW "#raw"

struct upstream_name upstream_name_parse(struct str name)
{
    struct upstream_name parts = {
        .port = name,
        .http2 = str_ends_with(name, STR(HTTP2)),
        .raw = str_ends_with(name, STR(RAW)),
        .mesh = str_starts_with(name, STR(MESH)),
    };
    parts.port = str_sub(parts.port, 0, str_index(parts.port, '#'));
    if (parts.mesh) {
        parts.port = str_sub(parts.port, sizeof(MESH) - 1, parts.port.len);
    }
    return parts;
}
