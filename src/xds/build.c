/* SPDX-License-Identifier: Apache-2.0 */
/* build: the small messages that all encoders need. */
#include "xds/build.h"

#include "base/panic.h"
#include "codec/pb.h"

void *xds_new(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);
    type->message_init(message);
    return message;
}

char *xds_text(struct arena *arena, struct str text)
{
    return (char *)(uintptr_t)arena_str(arena, text).ptr;
}

pb_any *xds_any(struct arena *arena, const ProtobufCMessage *message)
{
    pb_any *any = NEW(arena, pb_any);
    struct str bytes = pb_pack(arena, message);
    any->type_url = (char *)(uintptr_t)pb_type_url(arena, message->descriptor).ptr;
    any->value.data = (uint8_t *)(uintptr_t)bytes.ptr;
    any->value.len = bytes.len;
    return any;
}

pb_u32 *xds_u32(struct arena *arena, uint32_t value)
{
    pb_u32 *message = NEW(arena, pb_u32);
    message->value = value;
    return message;
}

pb_bool *xds_bool(struct arena *arena, bool value)
{
    pb_bool *message = NEW(arena, pb_bool);
    message->value = value;
    return message;
}

pb_duration *xds_ms(struct arena *arena, int64_t milliseconds)
{
    pb_duration *duration = NEW(arena, pb_duration);
    duration->seconds = milliseconds / 1000;
    duration->nanos = (int32_t)(milliseconds % 1000) * 1000000;
    return duration;
}

pb_address *xds_address(struct arena *arena, struct str ip, int32_t port)
{
    pb_address *address = NEW(arena, pb_address);
    pb_socket_address *socket = NEW(arena, pb_socket_address);
    address->address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS;
    address->socket_address = socket;
    socket->address = xds_text(arena, ip);
    socket->port_specifier_case =
        ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
    socket->port_value = (uint32_t)port;
    return address;
}

pb_config_source *xds_ads(struct arena *arena)
{
    pb_config_source *source = NEW(arena, pb_config_source);
    source->config_source_specifier_case =
        ENVOY__CONFIG__CORE__V3__CONFIG_SOURCE__CONFIG_SOURCE_SPECIFIER_ADS;
    source->ads = NEW(arena, pb_ads);
    source->resource_api_version = ENVOY__CONFIG__CORE__V3__API_VERSION__V3;
    return source;
}

pb_circuit_breakers *xds_no_limits(struct arena *arena)
{
    pb_thresholds *thresholds = NEW(arena, pb_thresholds);
    thresholds->max_connections = xds_u32(arena, UINT32_MAX);
    thresholds->max_pending_requests = xds_u32(arena, UINT32_MAX);
    thresholds->max_requests = xds_u32(arena, UINT32_MAX);
    thresholds->max_retries = xds_u32(arena, UINT32_MAX);
    pb_circuit_breakers *breakers = NEW(arena, pb_circuit_breakers);
    breakers->thresholds = ARENA_ARRAY(arena, 1, pb_thresholds *);
    breakers->thresholds[breakers->n_thresholds++] = thresholds;
    return breakers;
}

pb_access_log *xds_access_log(struct arena *arena)
{
    pb_access_log *log = NEW(arena, pb_access_log);
    log->name = (char *)"envoy.access_loggers.stdout";
    log->config_type_case = ENVOY__CONFIG__ACCESSLOG__V3__ACCESS_LOG__CONFIG_TYPE_TYPED_CONFIG;
    log->typed_config = xds_any(arena, &NEW(arena, pb_stdout_log)->base);
    return log;
}

pb_regex *xds_regex(struct arena *arena, struct str regex)
{
    pb_regex *matcher = NEW(arena, pb_regex);
    matcher->regex = xds_text(arena, regex);
    return matcher;
}

struct str xds_quote_regex(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, text.len * 2 + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '/' || c == '_' || c == '-' || (unsigned char)c >= 0x80;
        if (!plain) {
            out[len++] = '\\';
        }
        out[len++] = c;
    }
    return str_span(out, len);
}

static pb_filter_chain *chain_of(struct arena *arena, pb_filter *filter)
{
    pb_filter_chain *chain = NEW(arena, pb_filter_chain);
    chain->filters = ARENA_ARRAY(arena, 1, pb_filter *);
    chain->filters[chain->n_filters++] = filter;
    return chain;
}

pb_filter_chain *xds_chain(struct arena *arena, const char *filter_name,
                           const ProtobufCMessage *config)
{
    pb_filter *filter = NEW(arena, pb_filter);
    filter->name = xds_text(arena, str_from(filter_name));
    filter->config_type_case = ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_TYPED_CONFIG;
    filter->typed_config = xds_any(arena, config);
    return chain_of(arena, filter);
}

pb_filter_chain *xds_discovered_chain(struct arena *arena, struct str name,
                                      const ProtobufCMessageDescriptor *type)
{
    pb_extension_source *source = NEW(arena, pb_extension_source);
    source->config_source = xds_ads(arena);
    source->type_urls = ARENA_ARRAY(arena, 1, char *);
    source->type_urls[source->n_type_urls++] = (char *)(uintptr_t)pb_type_url(arena, type).ptr;
    pb_filter *filter = NEW(arena, pb_filter);
    filter->name = xds_text(arena, name);
    filter->config_type_case = ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_CONFIG_DISCOVERY;
    filter->config_discovery = source;
    return chain_of(arena, filter);
}

void xds_add_listener_filter(struct arena *arena, pb_listener *listener, const char *name,
                             const ProtobufCMessage *config)
{
    pb_listener_filter *filter = NEW(arena, pb_listener_filter);
    filter->name = xds_text(arena, str_from(name));
    filter->config_type_case =
        ENVOY__CONFIG__LISTENER__V3__LISTENER_FILTER__CONFIG_TYPE_TYPED_CONFIG;
    filter->typed_config = xds_any(arena, config);
    if (listener->listener_filters == NULL) {
        listener->listener_filters = ARENA_ARRAY(arena, LISTENER_FILTERS_MAX, pb_listener_filter *);
    }
    ASSERT(listener->n_listener_filters < LISTENER_FILTERS_MAX);
    listener->listener_filters[listener->n_listener_filters++] = filter;
}

pb_http_filter *xds_http_filter(struct arena *arena, const char *name,
                                const ProtobufCMessage *config)
{
    pb_http_filter *filter = NEW(arena, pb_http_filter);
    filter->name = (char *)(uintptr_t)name;
    filter->config_type_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG;
    filter->typed_config = xds_any(arena, config);
    return filter;
}

pb_http_filter *xds_router(struct arena *arena, bool envoy)
{
    pb_router *router = NEW(arena, pb_router);
    router->suppress_envoy_headers = envoy; /* applications see what was sent to them */
    return xds_http_filter(arena, "envoy.filters.http.router", &router->base);
}

void xds_route_filter(struct arena *arena, const char *name, const ProtobufCMessage *config,
                      pb_route *route)
{
    if (route->typed_per_filter_config == NULL) {
        route->typed_per_filter_config = ARENA_ARRAY(arena, ROUTE_FILTERS_MAX, pb_route_filter *);
    }
    ASSERT(route->n_typed_per_filter_config < ROUTE_FILTERS_MAX);
    pb_route_filter *entry = NEW(arena, pb_route_filter);
    entry->key = (char *)(uintptr_t)name;
    entry->value = xds_any(arena, config);
    route->typed_per_filter_config[route->n_typed_per_filter_config++] = entry;
}
