/* SPDX-License-Identifier: Apache-2.0 */
/* Is nothing secret in what is shown of a resource, and all else? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/arena.h"
#include "codec/base64.h"
#include "codec/pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb-c.h"
#include "xds/print.h"

#define SECRET "-----BEGIN PRIVATE KEY-----MIGHAgEA"

typedef Envoy__Config__Core__V3__DataSource pb_source;
typedef Envoy__Extensions__TransportSockets__Tls__V3__Secret pb_secret;

static pb_source texts(char *text)
{
    pb_source source = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__INIT;
    source.specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING;
    source.inline_string = text;
    return source;
}

static pb_source bytes(char *text)
{
    pb_source source = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__INIT;
    source.specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_BYTES;
    source.inline_bytes.data = (uint8_t *)text;
    source.inline_bytes.len = strlen(text);
    return source;
}

/* Prints it, and looks for the secret, plain and as base64. */
static void expect(const pb_secret *secret, const char *want)
{
    struct arena arena;
    struct buf out, encoded;
    struct json json;
    arena_init(&arena);
    buf_init(&out, BUF_UNLIMITED);
    buf_init(&encoded, BUF_UNLIMITED);
    struct resource *resource =
        resource_new(XDS_SDS, STR("gateway/infra/front"), STR("cert/infra/front"), STR_NULL,
                     pb_pack(&arena, &secret->base));
    json_init(&json, &out, 0);
    xds_print(resource, &json);
    buf_add_byte(&out, '\0');
    const char *text = (const char *)out.data;
    base64_encode(STR(SECRET), &encoded);
    buf_add_byte(&encoded, '\0');
    assert_null(strstr(text, SECRET));
    assert_null(strstr(text, (const char *)encoded.data));
    if (strstr(text, want) == NULL) {
        fail_msg("'%s' is not in %s", want, text);
    }
    resource_unref(resource);
    buf_release(&out);
    buf_release(&encoded);
    arena_release(&arena);
}

static void keys_are_not_shown(void **state)
{
    (void)state;
    pb_source chain = texts("the chain"), plain = texts(SECRET), binary = bytes(SECRET);
    Envoy__Extensions__TransportSockets__Tls__V3__TlsCertificate certificate =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__TLS_CERTIFICATE__INIT;
    pb_secret secret = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__INIT;
    certificate.certificate_chain = &chain;
    certificate.private_key = &plain;
    certificate.password = &binary;
    secret.name = "cert/infra/front";
    secret.type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_TLS_CERTIFICATE;
    secret.tls_certificate = &certificate;
    expect(&secret, "\"certificate_chain\":{\"inline_string\":\"the chain\"}");
    expect(&secret, "\"private_key\":{\"inline_string\":\"[redacted]\"}");
    expect(&secret, "\"password\":{\"inline_bytes\":\"W3JlZGFjdGVkXQ==\"}");
}

static void ticket_keys_are_not_shown(void **state)
{
    (void)state;
    pb_source plain = texts(SECRET), binary = bytes(SECRET);
    pb_source *both[] = {&plain, &binary};
    Envoy__Extensions__TransportSockets__Tls__V3__TlsSessionTicketKeys keys =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__TLS_SESSION_TICKET_KEYS__INIT;
    pb_secret secret = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__INIT;
    keys.keys = both;
    keys.n_keys = 2;
    secret.name = "tickets";
    secret.type_case =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_SESSION_TICKET_KEYS;
    secret.session_ticket_keys = &keys;
    expect(&secret, "[{\"inline_string\":\"[redacted]\"},{\"inline_bytes\":\"W3JlZGFjdGVkXQ==\"}]");
}

static void generic_secrets_are_not_shown(void **state)
{
    (void)state;
    pb_source plain = texts(SECRET);
    Envoy__Extensions__TransportSockets__Tls__V3__GenericSecret generic =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__GENERIC_SECRET__INIT;
    Envoy__Extensions__TransportSockets__Tls__V3__GenericSecret__SecretsEntry entry =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__GENERIC_SECRET__SECRETS_ENTRY__INIT;
    Envoy__Extensions__TransportSockets__Tls__V3__GenericSecret__SecretsEntry *entries[] = {&entry};
    pb_secret secret = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__INIT;
    entry.key = "one";
    entry.value = &plain;
    generic.secret = &plain;
    generic.secrets = entries;
    generic.n_secrets = 1;
    secret.name = "generic";
    secret.type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_GENERIC_SECRET;
    secret.generic_secret = &generic;
    expect(&secret, "\"secret\":{\"inline_string\":\"[redacted]\"}");
}

static void what_is_trusted_is_shown(void **state)
{
    (void)state;
    pb_source authorities = texts("the CAs");
    Envoy__Extensions__TransportSockets__Tls__V3__CertificateValidationContext context =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__CERTIFICATE_VALIDATION_CONTEXT__INIT;
    pb_secret secret = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__INIT;
    context.trusted_ca = &authorities;
    secret.name = "ca/infra/roots";
    secret.type_case =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_VALIDATION_CONTEXT;
    secret.validation_context = &context;
    expect(&secret, "\"trusted_ca\":{\"inline_string\":\"the CAs\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_not_shown),
        cmocka_unit_test(ticket_keys_are_not_shown),
        cmocka_unit_test(generic_secrets_are_not_shown),
        cmocka_unit_test(what_is_trusted_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
