/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_tls: see gateway_tls.h. */
#include "xds/gateway_tls.h"

#include "xds/build.h"
#include "xds/secret.h"

static pb_transport_socket *socket_of(struct arena *arena, const char *name,
                                      const ProtobufCMessage *config)
{
    pb_transport_socket *socket = NEW(arena, pb_transport_socket);
    socket->name = (char *)(uintptr_t)name;
    socket->config_type_case = ENVOY__CONFIG__CORE__V3__TRANSPORT_SOCKET__CONFIG_TYPE_TYPED_CONFIG;
    socket->typed_config = xds_any(arena, config);
    return socket;
}

static pb_sds *sds(struct arena *arena, const char *prefix, struct str key)
{
    pb_sds *config = NEW(arena, pb_sds);
    config->name = xds_text(arena, arena_printf(arena, "%s%.*s", prefix, STR_FMT(key)));
    config->sds_config = xds_ads(arena);
    return config;
}

static pb_common_tls *new_common(struct arena *arena, size_t certificates)
{
    pb_common_tls *common = NEW(arena, pb_common_tls);
    common->tls_params = NEW(arena, pb_tls_parameters);
    common->tls_params->tls_minimum_protocol_version =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_2;
    common->tls_params->tls_maximum_protocol_version = /* as a client Envoy stays below otherwise */
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_3;
    common->tls_certificate_sds_secret_configs = ARENA_ARRAY(arena, certificates, pb_sds *);
    return common;
}

static void add_certificate(struct arena *arena, struct str key, pb_common_tls *common)
{
    common->tls_certificate_sds_secret_configs[common->n_tls_certificate_sds_secret_configs++] =
        sds(arena, CERTIFICATE_PREFIX, key);
}

static void set_alpn(struct arena *arena, const char *first, const char *second,
                     pb_common_tls *common)
{
    common->alpn_protocols = ARENA_ARRAY(arena, 2, char *);
    common->alpn_protocols[common->n_alpn_protocols++] = (char *)(uintptr_t)first;
    if (second != NULL) {
        common->alpn_protocols[common->n_alpn_protocols++] = (char *)(uintptr_t)second;
    }
}

/* validation: what is checked beside the chain. owner: who has these authorities. */
static void trust(struct arena *arena, pb_validation *validation, const struct str *authorities,
                  size_t len, struct str owner, pb_common_tls *common)
{
    pb_combined_validation *combined = NEW(arena, pb_combined_validation);
    combined->default_validation_context = validation;
    combined->validation_context_sds_secret_config =
        len == 1 ? sds(arena, AUTHORITY_PREFIX, authorities[0]) : sds(arena, TRUST_PREFIX, owner);
    common->validation_context_type_case =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_COMBINED_VALIDATION_CONTEXT;
    common->combined_validation_context = combined;
}

/* --- towards clients ------------------------------------------------------------------------ */

static pb_downstream_tls *downstream(struct arena *arena, const struct ir_listener *listener)
{
    pb_downstream_tls *tls = NEW(arena, pb_downstream_tls);
    tls->common_tls_context = new_common(arena, listener->certificates.len);
    for (size_t i = 0; i < listener->certificates.len; i++) {
        add_certificate(arena, listener->certificates.items[i], tls->common_tls_context);
    }
    if (listener->client_certs == IR_CERTS_NONE) {
        return tls;
    }
    pb_validation *validation = NEW(arena, pb_validation);
    if (listener->client_certs == IR_CERTS_ASKED) {
        validation->trust_chain_verification =
            ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__CERTIFICATE_VALIDATION_CONTEXT__TRUST_CHAIN_VERIFICATION__ACCEPT_UNTRUSTED;
    }
    tls->require_client_certificate = xds_bool(arena, listener->client_certs == IR_CERTS_REQUIRED);
    trust(arena, validation, listener->authorities.items, listener->authorities.len, listener->key,
          tls->common_tls_context);
    return tls;
}

pb_transport_socket *xds_downstream_tls(struct arena *arena, const struct ir_listener *listener,
                                        bool http)
{
    pb_downstream_tls *tls = downstream(arena, listener);
    if (http) {
        set_alpn(arena, "h2", "http/1.1", tls->common_tls_context);
    }
    return socket_of(arena, "envoy.transport_sockets.tls", &tls->base);
}

/* Without early data: who has seen it can send it again, and backends do not know that it is
 * ("the server MUST NOT" pass it on to those, RFC 8470 5.1). */
pb_transport_socket *xds_quic(struct arena *arena, const struct ir_listener *listener)
{
    pb_quic_transport *quic = NEW(arena, pb_quic_transport);
    quic->downstream_tls_context = downstream(arena, listener);
    quic->enable_early_data = xds_bool(arena, false);
    return socket_of(arena, "envoy.transport_sockets.quic", &quic->base);
}

/* --- towards backends ----------------------------------------------------------------------- */

static void add_san(struct arena *arena, bool uri, struct str value, pb_validation *validation)
{
    pb_string_matcher *text = NEW(arena, pb_string_matcher);
    text->match_pattern_case = ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_EXACT;
    text->exact = xds_text(arena, value);
    if (!uri && str_starts_with(value, STR("*."))) {
        /* any one label, as in a certificate; "*" itself is one */
        struct str rest = xds_quote_regex(arena, str_sub(value, 1, value.len));
        text->match_pattern_case =
            ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_SAFE_REGEX;
        text->safe_regex = xds_regex(arena, arena_printf(arena, "[^.]+%.*s", STR_FMT(rest)));
    }
    pb_san_matcher *san = NEW(arena, pb_san_matcher);
    san->san_type = uri ? PB_SAN_URI : PB_SAN_DNS;
    san->matcher = text;
    validation->match_typed_subject_alt_names[validation->n_match_typed_subject_alt_names++] = san;
}

/* "If specified, the certificate must have one of these names": the hostname is then but the SNI
 * (BackendTLSPolicyValidation.SubjectAltNames). */
static pb_validation *names(struct arena *arena, const struct ir_upstream *upstream)
{
    pb_validation *validation = NEW(arena, pb_validation);
    validation->match_typed_subject_alt_names =
        ARENA_ARRAY(arena, upstream->sans.len + 1, pb_san_matcher *);
    for (size_t i = 0; i < upstream->sans.len; i++) {
        add_san(arena, upstream->sans.items[i].uri, upstream->sans.items[i].value, validation);
    }
    if (upstream->sans.len == 0) {
        add_san(arena, false, upstream->hostname, validation);
    }
    return validation;
}

pb_transport_socket *xds_upstream_tls(struct arena *arena, const struct ir_upstream *upstream)
{
    pb_upstream_tls *tls = NEW(arena, pb_upstream_tls);
    pb_common_tls *common = new_common(arena, 1);
    tls->common_tls_context = common;
    tls->sni = xds_text(arena, upstream->hostname);
    if (upstream->client_certificate.len > 0) {
        add_certificate(arena, upstream->client_certificate, common);
    }
    if (upstream->protocol == IR_HTTP2) {
        set_alpn(arena, "h2", NULL, common);
    } else if (upstream->protocol == IR_HTTP) {
        set_alpn(arena, "http/1.1", NULL, common);
    }
    trust(arena, names(arena, upstream), upstream->authorities.items, upstream->authorities.len,
          upstream->name, common);
    return socket_of(arena, "envoy.transport_sockets.tls", &tls->base);
}
