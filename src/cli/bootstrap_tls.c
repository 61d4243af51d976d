/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootstrap_tls: see bootstrap_tls.h.
 *
 * Envoy reads files that its bootstrap names once. Those that a secret names which it finds by SDS
 * it reads again when their directory changes; a file can be what answers its SDS. So an agent,
 * whose certificates are renewed under it, writes such files (bootstrap_secret()), and Envoy never
 * starts anew for a certificate.
 */
#include "cli/bootstrap_tls.h"

#include "base/panic.h"
#include "cli/bootstrap_node.h"

#define TLS_TYPE "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."

static const char *const secret_names[] = {
    [BOOTSTRAP_IDENTITY] = "heddle-identity",
    [BOOTSTRAP_AUTHORITIES] = "heddle-authorities",
};

static void write_file(struct json *json, const char *key, struct str file)
{
    json_key(json, key);
    json_open(json, '{');
    json_member_str(json, "filename", file);
    json_close(json, '}');
}

/* --- the bootstrap ------------------------------------------------------------------------- */

/* Any certificate of the CA would do otherwise. */
static void write_server_name(const struct host_port *xds, struct json *json)
{
    if (!xds->is_name) {
        return;
    }
    json_key(json, "match_typed_subject_alt_names");
    json_open(json, '[');
    json_open(json, '{');
    json_member_str(json, "san_type", STR("DNS"));
    json_key(json, "matcher");
    json_open(json, '{');
    json_member_str(json, "exact", str_from(xds->host));
    json_close(json, '}');
    json_close(json, '}');
    json_close(json, ']');
}

static void write_trust(const struct bootstrap *bootstrap, const struct host_port *xds,
                        struct json *json)
{
    json_key(json, "validation_context");
    json_open(json, '{');
    write_file(json, "trusted_ca", bootstrap->tls_ca);
    write_server_name(xds, json);
    json_close(json, '}');
}

static void write_certificate(const struct bootstrap *bootstrap, struct json *json)
{
    json_key(json, "tls_certificates");
    json_open(json, '[');
    json_open(json, '{');
    write_file(json, "certificate_chain", bootstrap->tls_cert);
    write_file(json, "private_key", bootstrap->tls_key);
    json_close(json, '}');
    json_close(json, ']');
}

/* {"name": …, "sds_config": {"path_config_source": {"path": …}, …}} */
static void write_sds(const struct bootstrap *bootstrap, enum bootstrap_secret which,
                      struct json *json)
{
    struct buf path;
    buf_init(&path, BOOTSTRAP_MAX);
    bootstrap_secret_path(bootstrap, which, &path);
    json_open(json, '{');
    json_member_str(json, "name", str_from(secret_names[which]));
    json_key(json, "sds_config");
    json_open(json, '{');
    json_key(json, "path_config_source");
    json_open(json, '{');
    json_member_str(json, "path", buf_str(&path));
    json_close(json, '}');
    json_member_str(json, "resource_api_version", STR("V3"));
    json_close(json, '}');
    json_close(json, '}');
    buf_release(&path);
}

static void write_found(const struct bootstrap *bootstrap, const struct host_port *xds,
                        struct json *json)
{
    json_key(json, "combined_validation_context");
    json_open(json, '{');
    json_key(json, "default_validation_context");
    json_open(json, '{');
    write_server_name(xds, json);
    json_close(json, '}');
    json_key(json, "validation_context_sds_secret_config");
    write_sds(bootstrap, BOOTSTRAP_AUTHORITIES, json);
    json_close(json, '}');
    if (bootstrap->tls_cert.len > 0) {
        json_key(json, "tls_certificate_sds_secret_configs");
        json_open(json, '[');
        write_sds(bootstrap, BOOTSTRAP_IDENTITY, json);
        json_close(json, ']');
    }
}

void bootstrap_tls(const struct bootstrap *bootstrap, const struct host_port *xds,
                   struct json *json)
{
    if (bootstrap->tls_ca.len == 0) {
        return;
    }
    json_key(json, "transport_socket");
    json_open(json, '{');
    json_member_str(json, "name", STR("envoy.transport_sockets.tls"));
    json_key(json, "typed_config");
    json_open(json, '{');
    json_member_str(json, "@type", STR(TLS_TYPE "UpstreamTlsContext"));
    if (xds->is_name) {
        json_member_str(json, "sni", str_from(xds->host));
    }
    json_key(json, "common_tls_context");
    json_open(json, '{');
    if (bootstrap->secrets.len > 0) {
        write_found(bootstrap, xds, json);
    } else {
        write_trust(bootstrap, xds, json);
        if (bootstrap->tls_cert.len > 0) {
            write_certificate(bootstrap, json);
        }
    }
    json_close(json, '}');
    json_close(json, '}');
    json_close(json, '}');
}

/* --- the files of secrets ------------------------------------------------------------------ */

void bootstrap_secret_path(const struct bootstrap *bootstrap, enum bootstrap_secret which,
                           struct buf *out)
{
    buf_printf(out, "%.*s/%s.json", STR_FMT(bootstrap->secrets), secret_names[which]);
}

/* A Secret's volume is exchanged as a whole, by a link in its directory. */
static void write_watched(struct str file, struct json *json)
{
    size_t slash = str_rindex(file, '/');
    struct str folder = slash == 0         ? STR("/")
                        : slash < file.len ? str_sub(file, 0, slash)
                                           : STR(".");
    json_key(json, "watched_directory");
    json_open(json, '{');
    json_member_str(json, "path", folder);
    json_close(json, '}');
}

void bootstrap_secret(const struct bootstrap *bootstrap, enum bootstrap_secret which,
                      struct buf *out)
{
    struct json json;
    json_init(&json, out, 2);
    json_open(&json, '{');
    json_key(&json, "resources");
    json_open(&json, '[');
    json_open(&json, '{');
    json_member_str(&json, "@type", STR(TLS_TYPE "Secret"));
    json_member_str(&json, "name", str_from(secret_names[which]));
    if (which == BOOTSTRAP_IDENTITY) {
        json_key(&json, "tls_certificate");
        json_open(&json, '{');
        write_file(&json, "certificate_chain", bootstrap->tls_cert);
        write_file(&json, "private_key", bootstrap->tls_key);
        write_watched(bootstrap->tls_cert, &json);
    } else {
        json_key(&json, "validation_context");
        json_open(&json, '{');
        write_file(&json, "trusted_ca", bootstrap->tls_ca);
        write_watched(bootstrap->tls_ca, &json);
    }
    json_close(&json, '}');
    json_close(&json, '}');
    json_close(&json, ']');
    json_close(&json, '}');
}
