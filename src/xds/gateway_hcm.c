/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_hcm: see gateway_hcm.h. Limits are those that Envoy's page "Configuring Envoy as an edge
 * proxy" asks for, but where they would end what the Gateway API lets through:
 *
 *   headers with '_'     are let in: routes may match them
 *   long streams         may be silent for an hour, not five minutes
 *   "//", "%2F"          stay as they are: routes match what was sent. "." and ".." are resolved,
 *                        else "/open/../secret" would pass by the routes of "/secret"
 */
#include "xds/gateway_hcm.h"

#include "xds/alias_gateway.h"
#include "xds/build.h"
#include "xds/gateway.h"
#include "xds/hcm.h"

#define MAX_REQUEST_HEADERS_KB 96
#define MAX_STREAMS 100 /* of one connection at a time */
#define STREAM_WINDOW (64 * 1024)
#define CONNECTION_WINDOW (1024 * 1024)
#define HEADERS_TIMEOUT_MS 30000           /* from the first byte of a request to its last header */
#define CONNECTION_IDLE_TIMEOUT_MS 3600000 /* without a request */
#define STREAM_IDLE_TIMEOUT_MS 3600000     /* without a byte in either direction */

static void set_limits(struct arena *arena, pb_hcm *hcm)
{
    hcm->max_request_headers_kb = xds_u32(arena, MAX_REQUEST_HEADERS_KB);
    hcm->request_headers_timeout = xds_ms(arena, HEADERS_TIMEOUT_MS);
    hcm->stream_idle_timeout = xds_ms(arena, STREAM_IDLE_TIMEOUT_MS);
    hcm->common_http_protocol_options = NEW(arena, pb_http_options);
    hcm->common_http_protocol_options->idle_timeout = xds_ms(arena, CONNECTION_IDLE_TIMEOUT_MS);
}

static void set_protocols(struct arena *arena, const struct gateway_hcm *of, pb_hcm *hcm)
{
    if (of->http3) {
        hcm->codec_type =
            ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__CODEC_TYPE__HTTP3;
        hcm->http3_protocol_options = NEW(arena, pb_http3_options);
        return;
    }
    hcm->http_protocol_options = NEW(arena, pb_http1_options);
    hcm->http_protocol_options->accept_http_10 = true;
    hcm->http_protocol_options->default_host_for_http_10 = xds_text(arena, of->host);
    pb_http2_options *http2 = NEW(arena, pb_http2_options);
    http2->max_concurrent_streams = xds_u32(arena, MAX_STREAMS);
    http2->initial_stream_window_size = xds_u32(arena, STREAM_WINDOW);
    http2->initial_connection_window_size = xds_u32(arena, CONNECTION_WINDOW);
    http2->allow_connect = true; /* WebSockets over HTTP/2 (RFC 8441), which browsers use */
    hcm->http2_protocol_options = http2;
}

static void set_listener_header(struct arena *arena, struct str listener, pb_hcm *hcm)
{
    pb_header_mutation *mutation = NEW(arena, pb_header_mutation);
    mutation->action_case =
        ENVOY__CONFIG__COMMON__MUTATION_RULES__V3__HEADER_MUTATION__ACTION_APPEND;
    mutation->append = NEW(arena, pb_header_option);
    mutation->append->header = NEW(arena, pb_header_value);
    mutation->append->header->key = (char *)LISTENER_HEADER;
    mutation->append->header->value = xds_text(arena, listener);
    mutation->append->append_action = PB_HEADER_OVERWRITE_OR_ADD;
    pb_early_mutation *early = NEW(arena, pb_early_mutation);
    early->mutations = ARENA_ARRAY(arena, 1, pb_header_mutation *);
    early->mutations[early->n_mutations++] = mutation;
    pb_extension *extension = NEW(arena, pb_extension);
    extension->name = (char *)"envoy.http.early_header_mutation.header_mutation";
    extension->typed_config = xds_any(arena, &early->base);
    hcm->early_header_mutation_extensions = ARENA_ARRAY(arena, 1, pb_extension *);
    hcm->early_header_mutation_extensions[hcm->n_early_header_mutation_extensions++] = extension;
}

pb_hcm *xds_gateway_hcm(struct arena *arena, const struct gateway_hcm *of)
{
    pb_hcm *hcm = NEW(arena, pb_hcm);
    hcm->stat_prefix = xds_text(arena, of->entry);
    xds_set_rds(arena, of->entry, hcm);
    xds_set_envoy_filters(arena, hcm);
    set_limits(arena, hcm);
    set_protocols(arena, of, hcm);
    hcm->server_header_transformation =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__SERVER_HEADER_TRANSFORMATION__PASS_THROUGH;
    hcm->use_remote_address = xds_bool(arena, true);
    hcm->preserve_external_request_id = true;
    hcm->normalize_path = xds_bool(arena, true);
    hcm->path_with_escaped_slashes_action =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__PATH_WITH_ESCAPED_SLASHES_ACTION__KEEP_UNCHANGED;
    hcm->strip_trailing_host_dot = true; /* "example.com." is the same host */
    if (!of->http3) {
        xds_set_websocket(arena, hcm);
    }
    if (of->listener.len > 0) {
        set_listener_header(arena, of->listener, hcm);
    }
    return hcm;
}
