/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootstrap_overload: what a gateway's Envoy does before it runs out of sockets or of memory, as
 * Envoy's page on edge proxies asks. Without it clients decide when it is killed, and with it the
 * connections of all others.
 *
 *   --max-clients connections    further ones are closed
 *   heap    85 to 95 %           who is idle may be so for less and less time
 *           90 %                 free memory goes back to the system
 *           92 %                 answers end their connection ("connection: close", GOAWAY)
 *           95 %                 requests are answered with 503
 *           98 %                 connections are not accepted, and wait in the kernel
 *
 * The heap is HEAP_PERCENT of --memory-limit-mib: the agent, stacks and what Envoy has given back
 * but the kernel not taken are the rest. Without a limit only connections are counted.
 */
#include "cli/bootstrap_overload.h"

#include "cli/bootstrap_node.h"

#define MONITOR "envoy.resource_monitors."
#define MONITOR_TYPE "type.googleapis.com/envoy.extensions.resource_monitors."
#define HEAP MONITOR "fixed_heap"
#define HEAP_PERCENT 80
#define BYTES_PER_MIB (1024u * 1024)

static void write_monitor(const char *name, const char *type, const char *limit, uint64_t value,
                          struct json *json)
{
    json_open(json, '{');
    json_member_str(json, "name", str_from(name));
    json_key(json, "typed_config");
    json_open(json, '{');
    json_member_str(json, "@type", str_from(type));
    json_member_uint(json, limit, value);
    json_close(json, '}');
    json_close(json, '}');
}

static void write_actions(struct json *json)
{
    json_key(json, "actions");
    json_raw(
        json,
        STR("["
            "{\"name\":\"envoy.overload_actions.reduce_timeouts\",\"triggers\":[{\"name\":\"" HEAP
            "\",\"scaled\":{\"scaling_threshold\":0.85,\"saturation_threshold\":0.95}}],"
            "\"typed_config\":{\"@type\":\"type.googleapis.com/envoy.config.overload.v3."
            "ScaleTimersOverloadActionConfig\",\"timer_scale_factors\":["
            "{\"timer\":\"HTTP_DOWNSTREAM_CONNECTION_IDLE\",\"min_timeout\":\"2s\"}]}},"
            "{\"name\":\"envoy.overload_actions.shrink_heap\",\"triggers\":[{\"name\":\"" HEAP
            "\",\"threshold\":{\"value\":0.9}}]},"
            "{\"name\":\"envoy.overload_actions.disable_http_keepalive\",\"triggers\":[{\"name\":"
            "\"" HEAP "\",\"threshold\":{\"value\":0.92}}]},"
            "{\"name\":\"envoy.overload_actions.stop_accepting_requests\",\"triggers\":[{\"name\":"
            "\"" HEAP "\",\"threshold\":{\"value\":0.95}}]},"
            "{\"name\":\"envoy.overload_actions.stop_accepting_connections\",\"triggers\":["
            "{\"name\":\"" HEAP "\",\"threshold\":{\"value\":0.98}}]}]"));
}

void bootstrap_overload(const struct bootstrap *bootstrap, struct json *json)
{
    uint64_t heap = bootstrap->memory_limit_mib * BYTES_PER_MIB / 100 * HEAP_PERCENT;
    json_key(json, "overload_manager");
    json_open(json, '{');
    json_member_str(json, "refresh_interval", STR("0.25s"));
    json_key(json, "resource_monitors");
    json_open(json, '[');
    write_monitor(MONITOR "global_downstream_max_connections",
                  MONITOR_TYPE "downstream_connections.v3.DownstreamConnectionsConfig",
                  "max_active_downstream_connections", bootstrap->max_clients, json);
    if (heap > 0) {
        write_monitor(HEAP, MONITOR_TYPE "fixed_heap.v3.FixedHeapConfig", "max_heap_size_bytes",
                      heap, json);
    }
    json_close(json, ']');
    if (heap > 0) {
        write_actions(json);
    }
    json_close(json, '}');
}
