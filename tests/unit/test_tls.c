/* SPDX-License-Identifier: Apache-2.0 */
/* Does TLS load files, say what is wrong with them, agree on h2, ask for certificates, reload? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "net/conn.h"
#include "net/tls.h"
#include "net_fixture.h"

#define SPIFFE "spiffe://cluster.local/ns/default/sa/web"

/* Files made anew for each run, in a directory of their own. */
static char dir[] = "/tmp/heddle-test-tls-XXXXXX";
static char cert_file[64], key_file[64], other_key_file[64], ca_file[64];
static X509 *client_cert;
static EVP_PKEY *client_key;

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *make_cert(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key,
                       const char *san)
{
    X509 *cert = X509_new();
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer == NULL ? 1 : 2);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
    X509_set_pubkey(cert, key);
    add_extension(cert, NID_basic_constraints, issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    if (san != NULL) {
        add_extension(cert, NID_subject_alt_name, san);
    }
    assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    return cert;
}

static const char *put_path(char path[64], const char *name)
{
    snprintf(path, 64, "%s/%s", dir, name);
    return path;
}

static void put_key(const char *path, EVP_PKEY *key)
{
    FILE *file = fopen(path, "w");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
}

static void put_cert(const char *path, X509 *cert)
{
    FILE *file = fopen(path, "w");
    PEM_write_X509(file, cert);
    fclose(file);
}

static int make_files(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    client_key = EVP_EC_gen("P-256");
    X509 *ca = make_cert(ca_key, "test ca", NULL, ca_key, NULL);
    X509 *cert = make_cert(key, "server", ca, ca_key, "DNS:server");
    client_cert = make_cert(client_key, "client", ca, ca_key, "DNS:client,URI:" SPIFFE);
    put_cert(put_path(ca_file, "ca.pem"), ca);
    put_cert(put_path(cert_file, "cert.pem"), cert);
    put_key(put_path(key_file, "key.pem"), key);
    put_key(put_path(other_key_file, "other.pem"), client_key);
    X509_free(ca);
    X509_free(cert);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    unlink(ca_file);
    unlink(cert_file);
    unlink(key_file);
    unlink(other_key_file);
    rmdir(dir);
    X509_free(client_cert);
    EVP_PKEY_free(client_key);
    return 0;
}

static const char *const only_h2[] = {"h2", NULL};

static struct tls_context *make_context(bool ask_client)
{
    const struct tls_options options = {
        .cert_file = cert_file,
        .key_file = key_file,
        .client_ca_file = ask_client ? ca_file : NULL,
        .alpn = only_h2,
    };
    struct err err = {""};
    struct tls_context *context = tls_context_new(&options, &err);
    assert_string_equal(err.text, "");
    assert_non_null(context);
    return context;
}

static void files_are_checked(void **state)
{
    (void)state;
    const struct {
        struct tls_options options;
        const char *text;
    } cases[] = {
        {{"/nonexistent.pem", key_file, NULL, NULL}, "certificate file '/nonexistent.pem': "},
        {{key_file, key_file, NULL, NULL}, "certificate file '"},
        {{cert_file, "/nonexistent.pem", NULL, NULL}, "key file '/nonexistent.pem': "},
        {{cert_file, other_key_file, NULL, NULL}, "key file '"},
        {{cert_file, key_file, "/nonexistent.pem", NULL}, "client CA file '/nonexistent.pem': "},
        {{cert_file, key_file, key_file, NULL}, "client CA file '"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {""};
        assert_null(tls_context_new(&cases[i].options, &err));
        assert_true(str_starts_with(str_from(err.text), str_from(cases[i].text)));
    }
}

static struct str read_text(struct buf *buf, const char *path)
{
    char data[4096];
    FILE *file = fopen(path, "r");
    size_t len = fread(data, 1, sizeof(data), file);
    fclose(file);
    buf_init(buf, BUF_UNLIMITED);
    buf_add(buf, data, len);
    return buf_str(buf);
}

/* Of certificates that were made in memory. */
static void texts_are_checked(void **state)
{
    (void)state;
    struct buf bufs[3];
    struct str cert = read_text(&bufs[0], cert_file), key = read_text(&bufs[1], key_file),
               other = read_text(&bufs[2], other_key_file);
    const struct {
        struct str cert, key;
        const char *text; /* NULL: fine */
    } cases[] = {
        {cert, key, NULL},         {STR("x"), key, "certificate: "}, {key, key, "certificate: "},
        {cert, STR("x"), "key: "}, {cert, other, "key: "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {""};
        const struct tls_options options = {.cert = cases[i].cert, .key = cases[i].key};
        struct tls_context *context = tls_context_new(&options, &err);
        assert_true((context != NULL) == (cases[i].text == NULL));
        assert_true(cases[i].text == NULL ||
                    str_starts_with(str_from(err.text), str_from(cases[i].text)));
        tls_context_unref(context);
    }
    for (size_t i = 0; i < 3; i++) {
        buf_release(&bufs[i]);
    }
}

/* One server conn and one OpenSSL client on a blocking-by-turns socket. */
struct side {
    struct loop loop;
    struct conn *conn;
    struct buf received;
    char uri[128];
    char reason[CONN_REASON_MAX];
    bool closed;
    int fd;
    SSL_CTX *ssl_ctx;
    SSL *ssl;
};

static void on_data(void *user, const uint8_t *data, size_t len)
{
    struct side *side = user;
    struct buf uri;
    buf_init(&uri, sizeof(side->uri) - 1);
    buf_add(&side->received, data, len);
    if (conn_peer_uri(side->conn, &uri)) {
        snprintf(side->uri, sizeof(side->uri), "%.*s", STR_FMT(buf_str(&uri)));
    }
    buf_release(&uri);
}

static void on_closed(void *user, const char *reason)
{
    struct side *side = user;
    side->closed = true;
    snprintf(side->reason, sizeof(side->reason), "%s", reason);
}

static const struct conn_events events = {.on_data = on_data, .on_closed = on_closed};

static void start(struct side *side, bool ask_client, bool with_cert, const char *alpn)
{
    struct sockaddr_storage peer = {.ss_family = AF_INET};
    int server_fd;
    memset(side, 0, sizeof(*side));
    buf_init(&side->received, BUF_UNLIMITED);
    assert_true(loop_init(&side->loop, "test", NULL));
    side->fd = socket_pair(&server_fd);
    struct tls_context *context = make_context(ask_client);
    side->conn = conn_new(&side->loop, server_fd, &peer, context, NULL, &events, side);
    tls_context_unref(context); /* as after a reload: the conn keeps it */

    side->ssl_ctx = SSL_CTX_new(TLS_client_method());
    if (with_cert) {
        SSL_CTX_use_certificate(side->ssl_ctx, client_cert);
        SSL_CTX_use_PrivateKey(side->ssl_ctx, client_key);
    }
    struct timeval wait = {.tv_usec = 1000};
    setsockopt(side->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    side->ssl = SSL_new(side->ssl_ctx);
    SSL_set_fd(side->ssl, side->fd);
    if (alpn != NULL) {
        SSL_set_alpn_protos(side->ssl, (const unsigned char *)alpn, (unsigned)strlen(alpn));
    }
}

static void stop(struct side *side)
{
    SSL_free(side->ssl);
    SSL_CTX_free(side->ssl_ctx);
    close(side->fd);
    until(&side->loop, side->closed);
    loop_release(&side->loop);
    buf_release(&side->received);
    ERR_clear_error();
}

static bool shake_hands(struct side *side)
{
    for (unsigned i = 0; i < 1000; i++) {
        int rc = SSL_connect(side->ssl);
        if (rc == 1) {
            return true;
        }
        if (SSL_get_error(side->ssl, rc) != SSL_ERROR_WANT_READ) {
            return false;
        }
        turn(&side->loop, 1);
    }
    return false;
}

static void bytes_go_both_ways(void **state)
{
    (void)state;
    struct side side;
    start(&side, false, false, "\2h2\10http/1.1");
    /* what is written before the handshake waits for it */
    struct chain chain = {.len = 0};
    struct blob *blob = blob_alloc(300000);
    memset(blob->data, 'z', blob->len);
    chain_add_copy(&chain, "hello", 5);
    chain_add_piece(&chain, &PIECE_BLOB(blob));
    conn_write(side.conn, &chain);
    assert_false(conn_writable(side.conn));
    assert_true(shake_hands(&side));
    const unsigned char *alpn;
    unsigned alpn_len;
    SSL_get0_alpn_selected(side.ssl, &alpn, &alpn_len);
    assert_int_equal(alpn_len, 2);
    assert_memory_equal(alpn, "h2", 2);
    assert_true(SSL_version(side.ssl) >= TLS1_2_VERSION);
    assert_int_equal(SSL_write(side.ssl, "ping", 4), 4);
    until(&side.loop, side.received.len == 4);
    struct buf got;
    uint8_t part[20000];
    buf_init(&got, BUF_UNLIMITED);
    while (got.len < 300005) {
        int len = SSL_read(side.ssl, part, sizeof(part));
        if (len > 0) {
            buf_add(&got, part, (size_t)len);
        }
        uv_run(&side.loop.uv, UV_RUN_NOWAIT);
    }
    assert_memory_equal(got.data, "helloz", 6);
    assert_int_equal(got.data[300004], 'z');
    assert_true(conn_writable(side.conn));
    assert_int_equal(blob->refs, 1);
    assert_string_equal(side.uri, "");
    conn_close(side.conn, CLOSE_AFTER_FLUSH, "done");
    turn(&side.loop, 2);
    assert_int_equal(SSL_get_error(side.ssl, SSL_read(side.ssl, part, 1)), SSL_ERROR_ZERO_RETURN);
    blob_unref(blob);
    buf_release(&got);
    stop(&side);
    assert_string_equal(side.reason, "done");
}

static void clients_show_a_certificate(void **state)
{
    (void)state;
    struct side side;
    start(&side, true, true, NULL);
    assert_true(shake_hands(&side));
    assert_int_equal(SSL_write(side.ssl, "ping", 4), 4);
    until(&side.loop, side.received.len == 4);
    assert_string_equal(side.uri, SPIFFE);
    stop(&side);

    start(&side, true, false, NULL);
    uint8_t byte;
    shake_hands(&side); /* with TLS 1.3 the client learns it only when it reads */
    turn(&side.loop, 5);
    assert_true(SSL_read(side.ssl, &byte, 1) <= 0);
    assert_int_equal(side.received.len, 0);
    stop(&side);
    assert_non_null(strstr(side.reason, "TLS handshake: peer did not return a certificate"));
}

static void wrong_clients_are_refused(void **state)
{
    (void)state;
    struct side side;
    start(&side, false, false, "\10http/1.1");
    assert_false(shake_hands(&side));
    stop(&side);
    assert_non_null(strstr(side.reason, "TLS handshake: "));

    start(&side, false, false, NULL);
    SSL_set_max_proto_version(side.ssl, TLS1_1_VERSION);
    SSL_set_cipher_list(side.ssl, "ALL:@SECLEVEL=0");
    assert_false(shake_hands(&side));
    stop(&side);

    start(&side, false, false, NULL);
    assert_int_equal(write(side.fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    turn(&side.loop, 3);
    stop(&side);
    assert_non_null(strstr(side.reason, "TLS handshake: http request"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_checked),         cmocka_unit_test(texts_are_checked),
        cmocka_unit_test(bytes_go_both_ways),        cmocka_unit_test(clients_show_a_certificate),
        cmocka_unit_test(wrong_clients_are_refused),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
