/* SPDX-License-Identifier: Apache-2.0 */
/* secret: see secret.h. */
#include "xds/secret.h"

#include "base/buf.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "model/secret.h"
#include "xds/alias_gateway.h"
#include "xds/build.h"
#include "xds/gateway.h"
#include "xds/xds.h"

/* What the data plane's system trusts, in heddle's image and on Debian and its kin. */
#define SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

static pb_data_source *inline_text(struct arena *arena, struct str text)
{
    pb_data_source *source = NEW(arena, pb_data_source);
    source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING;
    source->inline_string = xds_text(arena, text);
    return source;
}

static pb_secret *new_secret(struct arena *arena, struct str name)
{
    pb_secret *secret = NEW(arena, pb_secret);
    secret->name = xds_text(arena, name);
    return secret;
}

static pb_secret *certificate(struct arena *arena, struct str name, const struct tls_secret *from)
{
    pb_secret *secret = new_secret(arena, name);
    secret->type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_TLS_CERTIFICATE;
    secret->tls_certificate = NEW(arena, pb_tls_certificate);
    secret->tls_certificate->certificate_chain = inline_text(arena, from->cert);
    secret->tls_certificate->private_key = inline_text(arena, from->key);
    return secret;
}

static pb_secret *authority(struct arena *arena, struct str name, struct str pem)
{
    pb_secret *secret = new_secret(arena, name);
    secret->type_case =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_VALIDATION_CONTEXT;
    secret->validation_context = NEW(arena, pb_validation);
    secret->validation_context->trusted_ca = inline_text(arena, pem);
    return secret;
}

/* Their ca.crt; empty: nobody can be trusted by it. */
static struct str authorities_of(struct eval *ev, struct str key)
{
    const struct config_map *map = (const struct config_map *)eval_get(ev, T_CONFIGMAP, key);
    return map != NULL && map->fault.len == 0 ? map->authorities : STR_NULL;
}

static pb_secret *secret_of(struct eval *ev, struct str name)
{
    struct arena *arena = eval_scratch(ev);
    if (str_starts_with(name, STR(CERTIFICATE_PREFIX))) {
        struct str key = str_sub(name, sizeof(CERTIFICATE_PREFIX) - 1, name.len);
        const struct tls_secret *from = (const struct tls_secret *)eval_get(ev, T_SECRET, key);
        return from != NULL && from->fault.len == 0 ? certificate(arena, name, from) : NULL;
    }
    struct str pem = authorities_of(ev, str_sub(name, sizeof(AUTHORITY_PREFIX) - 1, name.len));
    return pem.len > 0 ? authority(arena, name, pem) : NULL;
}

const struct row *xds_gateway_secret(struct eval *ev, struct str key)
{
    struct gateway_part parts = gateway_part_parse(key);
    struct str scope = xds_gateway_scope(ev, parts.gateway);
    const pb_secret *secret = scope.len > 0 ? secret_of(ev, parts.part) : NULL;
    if (secret == NULL) {
        return NULL;
    }
    struct resource_row *row = resource_row_new(1);
    resource_row_add(row, XDS_SDS, scope, parts.part, STR_NULL, &secret->base);
    return &row->row;
}

/* Not in the cluster: an Envoy without the file would refuse that, and go on in plain text. */
void xds_add_system_trust(struct eval *ev, struct resource_row *row, struct str scope,
                          struct str owner)
{
    struct arena *arena = eval_scratch(ev);
    struct str name = arena_printf(arena, TRUST_PREFIX "%.*s", STR_FMT(owner));
    pb_secret *secret = authority(arena, name, STR_NULL);
    pb_data_source *source = secret->validation_context->trusted_ca;
    source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_FILENAME;
    source->filename = (char *)SYSTEM_AUTHORITIES;
    resource_row_add(row, XDS_SDS, scope, name, STR_NULL, &secret->base);
}

void xds_add_trust(struct eval *ev, struct resource_row *row, struct str scope, struct str owner,
                   const struct str *authorities, size_t len)
{
    if (len < 2) {
        return;
    }
    struct arena *arena = eval_scratch(ev);
    struct buf pem;
    buf_init(&pem, BUF_UNLIMITED);
    for (size_t i = 0; i < len; i++) {
        buf_add_str(&pem, authorities_of(ev, authorities[i]));
        buf_add_str(&pem, STR("\n"));
    }
    struct str name = arena_printf(arena, TRUST_PREFIX "%.*s", STR_FMT(owner));
    resource_row_add(row, XDS_SDS, scope, name, STR_NULL,
                     &authority(arena, name, buf_str(&pem))->base);
    buf_release(&pem);
}
