/* SPDX-License-Identifier: Apache-2.0 */
/* cluster: one Cluster for each Service port, endpoints by EDS over the same stream. */
#include "xds/cluster.h"

#include <string.h>

#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "xds/build.h"
#include "xds/reason.h"
#include "xds/xds.h"

#define CONNECT_TIMEOUT_MS 5000

pb_cluster *xds_eds_cluster(struct arena *arena, struct str name)
{
    pb_cluster *cluster = NEW(arena, pb_cluster);
    cluster->name = xds_text(arena, name);
    cluster->cluster_discovery_type_case =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
    cluster->type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS;
    cluster->eds_cluster_config = NEW(arena, pb_eds_config);
    cluster->eds_cluster_config->eds_config = xds_ads(arena);
    cluster->lb_policy = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__ROUND_ROBIN;
    cluster->connect_timeout = xds_ms(arena, CONNECT_TIMEOUT_MS);
    cluster->circuit_breakers = xds_no_limits(arena);
    return cluster;
}

static pb_value *string_value(struct arena *arena, struct str text)
{
    pb_value *value = NEW(arena, pb_value);
    value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
    value->string_value = xds_text(arena, text);
    return value;
}

/* Read by gRPC's OpenTelemetry plugin (CSM labels) to name the service an RPC went to. */
static pb_metadata *telemetry_labels(struct arena *arena, const struct ir_cluster *ir)
{
    const struct {
        const char *key;
        struct str value;
    } labels[] = {{"service_name", ir->service}, {"service_namespace", ir->ns}};
    pb_struct *fields = NEW(arena, pb_struct);
    fields->fields = ARENA_ARRAY(arena, 2, pb_struct_entry *);
    for (size_t i = 0; i < 2; i++) {
        pb_struct_entry *entry = NEW(arena, pb_struct_entry);
        entry->key = xds_text(arena, str_from(labels[i].key));
        entry->value = string_value(arena, labels[i].value);
        fields->fields[fields->n_fields++] = entry;
    }
    pb_metadata *metadata = NEW(arena, pb_metadata);
    pb_metadata_entry *entry = NEW(arena, pb_metadata_entry);
    entry->key = (char *)"com.google.csm.telemetry_labels";
    entry->value = fields;
    metadata->filter_metadata = ARENA_ARRAY(arena, 1, pb_metadata_entry *);
    metadata->filter_metadata[metadata->n_filter_metadata++] = entry;
    return metadata;
}

void xds_set_http_options(struct arena *arena, const pb_protocol_options *options,
                          pb_cluster *cluster)
{
    pb_protocol_options_entry *entry = NEW(arena, pb_protocol_options_entry);
    entry->key = (char *)"envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    entry->value = xds_any(arena, &options->base);
    cluster->typed_extension_protocol_options = ARENA_ARRAY(arena, 1, pb_protocol_options_entry *);
    cluster->typed_extension_protocol_options[cluster->n_typed_extension_protocol_options++] =
        entry;
}

/* HTTP/2 where the port says so; else whatever version the client came with, so that gRPC works
 * towards ports that say nothing, as it does without a mesh. */
static void http_options(struct arena *arena, int protocol, pb_cluster *cluster)
{
    pb_protocol_options *options = NEW(arena, pb_protocol_options);
    if (protocol == IR_HTTP2) {
        pb_explicit_http *explicit_http = NEW(arena, pb_explicit_http);
        explicit_http->protocol_config_case =
            ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP2_PROTOCOL_OPTIONS;
        explicit_http->http2_protocol_options = NEW(arena, pb_http2_options);
        options->upstream_protocol_options_case =
            ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_EXPLICIT_HTTP_CONFIG;
        options->explicit_http_config = explicit_http;
    } else {
        pb_downstream_http *downstream = NEW(arena, pb_downstream_http);
        downstream->http_protocol_options = NEW(arena, pb_http1_options);
        downstream->http2_protocol_options = NEW(arena, pb_http2_options);
        options->upstream_protocol_options_case =
            ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_USE_DOWNSTREAM_PROTOCOL_CONFIG;
        options->use_downstream_protocol_config = downstream;
    }
    xds_set_http_options(arena, options, cluster);
}

void xds_keep_sessions(struct arena *arena, pb_cluster *cluster)
{
    static const pb_health_status kept[] = {ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__UNKNOWN,
                                            ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__HEALTHY,
                                            ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__DRAINING};
    const size_t len = sizeof(kept) / sizeof(kept[0]);
    pb_health_status_set *set = NEW(arena, pb_health_status_set);
    set->statuses = ARENA_ARRAY(arena, len, pb_health_status);
    memcpy(set->statuses, kept, sizeof(kept));
    set->n_statuses = len;
    pb_common_lb *common = NEW(arena, pb_common_lb);
    common->override_host_status = set;
    cluster->common_lb_config = common;
}

void xds_limit_retries(struct arena *arena, const struct ir_retry_budget *budget,
                       pb_cluster *cluster)
{
    if (budget == NULL) {
        return;
    }
    pb_retry_budget *words = NEW(arena, pb_retry_budget);
    words->budget_percent = NEW(arena, pb_percent);
    words->budget_percent->value = budget->percent;
    words->budget_interval = xds_ms(arena, budget->interval_ms);
    words->min_retry_concurrency = xds_u32(arena, (uint32_t)budget->min_concurrency);
    cluster->circuit_breakers->thresholds[0]->retry_budget = words;
}

const struct row *xds_envoy_cluster(struct eval *ev, struct str key)
{
    const struct ir_cluster *ir = (const struct ir_cluster *)eval_get(ev, T_CLUSTER, key);
    if (ir == NULL || eval_get(ev, T_VIEW, STR(SCOPE_ENVOY)) == NULL) {
        return NULL;
    }
    struct arena *scratch = eval_scratch(ev);
    pb_cluster *cluster = xds_eds_cluster(scratch, ir->name);
    http_options(scratch, ir->protocol, cluster);
    xds_keep_sessions(scratch, cluster);
    xds_limit_retries(scratch, ir->retry_budget, cluster);
    struct resource_row *row = resource_row_new(1);
    resource_row_add(row, XDS_CDS, STR(SCOPE_ENVOY), ir->name, ir->name, &cluster->base);
    return &row->row;
}

const struct row *xds_grpc_cluster(struct eval *ev, struct str key)
{
    const struct ir_cluster *ir = (const struct ir_cluster *)eval_get(ev, T_CLUSTER, key);
    if (ir == NULL || eval_get(ev, T_VIEW, STR(SCOPE_GRPC)) == NULL) {
        return NULL;
    }
    struct arena *scratch = eval_scratch(ev);
    pb_cluster *cluster = xds_eds_cluster(scratch, ir->name);
    cluster->metadata = telemetry_labels(scratch, ir);
    struct resource_row *row = resource_row_new(1);
    resource_row_add(row, XDS_CDS, STR(SCOPE_GRPC), ir->name, ir->name, &cluster->base);
    return &row->row;
}

static pb_load_policy *drop_all(struct arena *arena, struct str reason)
{
    pb_drop *drop = NEW(arena, pb_drop);
    drop->category = xds_text(arena, reason);
    drop->drop_percentage = NEW(arena, pb_fraction);
    drop->drop_percentage->numerator = 100;
    drop->drop_percentage->denominator =
        ENVOY__TYPE__V3__FRACTIONAL_PERCENT__DENOMINATOR_TYPE__HUNDRED;
    pb_load_policy *policy = NEW(arena, pb_load_policy);
    policy->drop_overloads = ARENA_ARRAY(arena, 1, pb_drop *);
    policy->drop_overloads[policy->n_drop_overloads++] = drop;
    return policy;
}

void xds_add_reason(struct resource_row *row, struct str scope, struct str reason, bool drop)
{
    struct arena scratch;
    arena_init_sized(&scratch, 1024);
    pb_cluster *cluster = xds_eds_cluster(&scratch, reason);
    resource_row_add(row, XDS_CDS, scope, reason, reason, &cluster->base);
    pb_load_assignment *nobody = NEW(&scratch, pb_load_assignment);
    nobody->cluster_name = xds_text(&scratch, reason);
    nobody->policy = drop ? drop_all(&scratch, reason) : NULL;
    resource_row_add(row, XDS_EDS, scope, reason, STR_NULL, &nobody->base);
    arena_release(&scratch);
}
