/* SPDX-License-Identifier: Apache-2.0 */
/* httpc: whom it trusts, and how a call ends, against servers in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <time.h>

#include "api_fixture.h"
#include "ca/certificate.h"
#include "net/h1.h"
#include "net/h2.h"
#include "net/httpc_call.h"
#include "net/listener.h"
#include "net/tls.h"

#define PEM_MAX CERTIFICATE_PEM_MAX

struct result {
    struct httpc *httpc;
    struct httpc_call *call; /* to be cancelled from within data() */
    unsigned done, status;
    char why[512], body[256], pieces[256];
    bool refuse, cancel, send_again, free_all; /* what the callbacks do */
    char url[64];
};

static bool on_data(void *user, struct str piece)
{
    struct result *result = user;
    strncat(result->pieces, piece.ptr, piece.len);
    if (result->cancel) {
        httpc_cancel(result->call);
    }
    return !result->refuse;
}

static void on_done(void *user, const struct httpc_result *told)
{
    struct result *result = user;
    result->done++;
    result->status = told->status;
    snprintf(result->why, sizeof(result->why), "%.*s", STR_FMT(told->why));
    snprintf(result->body, sizeof(result->body), "%.*s", STR_FMT(told->body));
    assert_true((told->status == 0) == (told->why.len != 0));
    if (result->send_again) {
        result->send_again = false;
        httpc_send(result->httpc, &(struct httpc_spec){.method = "GET",
                                                       .url = str_from(result->url),
                                                       .body_max = 100,
                                                       .user = result,
                                                       .done = on_done});
    }
    if (result->free_all) {
        httpc_free(result->httpc);
        result->httpc = NULL;
    }
}

/* --- plain --- */

struct plain {
    struct loop loop;
    struct api *api;
    struct result result;
    struct ask *ask; /* the last one, unanswered */
    unsigned status; /* 0: not answered */
    const char *body;
};

static void answer(void *user, struct ask *ask)
{
    struct plain *plain = user;
    plain->ask = ask;
    if (plain->status != 0) {
        api_reply(ask, plain->status, plain->body);
    }
}

static void plain_start(struct plain *plain)
{
    assert_true(loop_init(&plain->loop, "test", NULL));
    plain->api = api_start(&plain->loop, answer, plain);
    plain->result.httpc = httpc_new(&plain->loop);
    snprintf(plain->result.url, sizeof(plain->result.url), "http://127.0.0.1:%u/x",
             plain->api->port);
}

static void plain_stop(struct plain *plain)
{
    httpc_free(plain->result.httpc);
    api_free(plain->api);
    loop_release(&plain->loop);
}

static void get(struct plain *plain, bool stream, unsigned idle_ms)
{
    plain->result.call = httpc_send(plain->result.httpc, &(struct httpc_spec){
                                                             .method = "GET",
                                                             .url = str_from(plain->result.url),
                                                             .idle_ms = idle_ms,
                                                             .body_max = 10,
                                                             .user = &plain->result,
                                                             .data = stream ? on_data : NULL,
                                                             .done = on_done,
                                                         });
}

static void test_body_limit(void **state)
{
    struct plain plain = {.status = 200, .body = "0123456789"};
    (void)state;
    plain_start(&plain);
    get(&plain, false, 0);
    until(&plain.loop, plain.result.done == 1);
    assert_int_equal(plain.result.status, 200);
    assert_string_equal(plain.result.body, "0123456789");
    plain.body = "0123456789a";
    get(&plain, false, 0);
    until(&plain.loop, plain.result.done == 2);
    assert_int_equal(plain.result.status, 0);
    assert_string_equal(plain.result.why, "the answer is too large");
    plain_stop(&plain);
}

static void test_pieces(void **state)
{
    struct plain plain = {.status = 0};
    struct result *result = &plain.result;
    (void)state;
    plain_start(&plain);
    get(&plain, true, 0);
    until(&plain.loop, plain.ask != NULL);
    api_begin(plain.ask);
    api_say(plain.ask, "more than ten ");
    until(&plain.loop, result->pieces[0] != '\0');
    api_say(plain.ask, "bytes");
    api_end(plain.ask);
    until(&plain.loop, result->done == 1);
    assert_string_equal(result->pieces, "more than ten bytes");
    assert_string_equal(result->body, "");
    assert_int_equal(result->status, 200);

    plain.status = 500; /* what is no 2xx is not handed out */
    plain.body = "sorry, that did not work";
    result->pieces[0] = '\0';
    get(&plain, true, 0);
    until(&plain.loop, result->done == 2);
    assert_string_equal(result->pieces, "");
    assert_string_equal(result->body, "sorry, that did not work");

    plain.status = 200;
    result->refuse = true;
    get(&plain, true, 0);
    until(&plain.loop, result->done == 3);
    assert_int_equal(result->status, 0);

    result->cancel = true;
    result->pieces[0] = '\0';
    get(&plain, true, 0);
    until(&plain.loop, result->pieces[0] != '\0');
    turn(&plain.loop, 20);
    assert_int_equal(result->done, 3);
    plain_stop(&plain);
}

static void test_idle(void **state)
{
    struct plain plain = {.status = 0};
    (void)state;
    plain_start(&plain);
    get(&plain, true, 500);
    until(&plain.loop, plain.ask != NULL);
    api_begin(plain.ask);
    for (unsigned i = 0; i < 4; i++) { /* each byte is a sign of life */
        turn(&plain.loop, 150);
        api_say(plain.ask, "x");
    }
    assert_int_equal(plain.result.done, 0);
    until(&plain.loop, plain.result.done == 1);
    assert_string_equal(plain.result.pieces, "xxxx");
    assert_string_equal(plain.result.why, "the server said nothing for too long");
    plain_stop(&plain);
}

static void test_from_within(void **state)
{
    struct plain plain = {.status = 200, .body = "a", .result = {.send_again = true}};
    (void)state;
    plain_start(&plain);
    get(&plain, false, 0);
    until(&plain.loop, plain.result.done == 2);
    get(&plain, false, 0);
    get(&plain, false, 0);
    plain.result.free_all = true;
    until(&plain.loop, plain.result.done == 3);
    turn(&plain.loop, 20);
    assert_int_equal(plain.result.done, 3);
    plain_stop(&plain);
}

static void test_unspeakable(void **state)
{
    struct plain plain = {.status = 200, .body = "a"};
    (void)state;
    plain_start(&plain);
    httpc_send(plain.result.httpc, &(struct httpc_spec){.method = "GET",
                                                        .url = str_from(plain.result.url),
                                                        .bearer = STR("a\r\nX-Other: b"),
                                                        .user = &plain.result,
                                                        .done = on_done});
    until(&plain.loop, plain.result.done == 1);
    assert_non_null(strstr(plain.result.why, "control character"));
    assert_int_equal(plain.api->requests, 0);
    snprintf(plain.result.url, sizeof(plain.result.url), "ftp://127.0.0.1/");
    get(&plain, false, 0);
    until(&plain.loop, plain.result.done == 2);
    assert_int_equal(plain.result.status, 0);
    plain_stop(&plain);
}

/* --- TLS --- */

struct secure {
    struct loop loop;
    struct listener *listener;
    struct h1_server *server;
    struct tls_context *context;
    struct buf ca, ca_key, cert, key, client, client_key;
    struct result result;
    unsigned connections;
    bool http2; /* is spoken */
    bool hangs; /* HTTP/2 requests are not answered */
};

static void handle(void *user, const struct h1_request *request, struct h1_reply *reply)
{
    (void)user;
    (void)request;
    h1_reply_text(reply, 200, "hello");
}

static void on_request(void *user, struct h2_stream *stream, const struct h2_request *request)
{
    (void)request;
    if (!((struct secure *)user)->hangs) {
        h2_respond(stream, 200, NULL, 0, false);
    }
}

static void on_stream_closed(struct h2_stream *stream, uint32_t error)
{
    (void)stream;
    (void)error;
}

static void on_closed(void *user, const char *reason)
{
    (void)user;
    (void)reason;
}

static void accepted(void *user, int fd, const struct sockaddr_storage *peer)
{
    static const struct h2_options options = {.streams_max = 10};
    static const struct h2_events events = {
        .on_request = on_request, .on_stream_closed = on_stream_closed, .on_closed = on_closed};
    struct secure *secure = user;
    secure->connections++;
    if (secure->http2) {
        h2_new(&secure->loop, fd, peer, secure->context, NULL, &options, &events, secure);
        return;
    }
    h1_server_accept(secure->server, fd, peer, secure->context);
}

static void put_file(char path[64], const char *name, const struct buf *text)
{
    snprintf(path, 64, "/tmp/heddle-httpc-%d-%s", (int)getpid(), name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fwrite(text->data, 1, text->len, file);
    fclose(file);
}

/* A client's certificate that is its own CA. */
static void make_client(struct buf *ret_cert, struct buf *ret_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"me", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    PEM_write_bio_X509(out, cert);
    size_t len = (size_t)BIO_get_mem_data(out, &text);
    buf_add(ret_cert, text, len);
    BIO_free(out);
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    len = (size_t)BIO_get_mem_data(out, &text);
    buf_add(ret_key, text, len);
    BIO_free(out);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void secure_start(struct secure *secure, const char *host, bool ask_client)
{
    const struct h1_options options = {.body_max = 100, .conns_max = 10, .handler = handle};
    const struct certificate_life life = {time(NULL) - 60, time(NULL) + 3600};
    const struct str hosts[] = {str_from(host)};
    struct buf *bufs[] = {&secure->ca,  &secure->ca_key, &secure->cert,
                          &secure->key, &secure->client, &secure->client_key};
    char cert[64], key[64], client[64];
    struct err err;
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++) {
        buf_init(bufs[i], PEM_MAX);
    }
    assert_true(certificate_authority(life, &secure->ca, &secure->ca_key, &err));
    assert_true(certificate_sign(buf_str(&secure->ca), buf_str(&secure->ca_key), hosts, 1, life,
                                 &secure->cert, &secure->key, &err));
    make_client(&secure->client, &secure->client_key);
    put_file(cert, "cert", &secure->cert);
    put_file(key, "key", &secure->key);
    put_file(client, "client", &secure->client);
    static const char *const h2[] = {"h2", NULL};
    const struct tls_options tls = {cert, key, ask_client ? client : NULL,
                                    secure->http2 ? h2 : NULL};
    secure->context = tls_context_new(&tls, &err);
    assert_non_null(secure->context);
    unlink(cert);
    unlink(key);
    unlink(client);
    assert_true(loop_init(&secure->loop, "test", NULL));
    secure->server = h1_server_new(&secure->loop, &options, NULL);
    secure->listener = listener_new(&secure->loop, STR("127.0.0.1:0"), accepted, secure, &err);
    assert_non_null(secure->listener);
    secure->result.httpc = httpc_new(&secure->loop);
}

static void secure_stop(struct secure *secure)
{
    httpc_free(secure->result.httpc);
    turn(&secure->loop, 20);
    listener_free(secure->listener);
    h1_server_free(secure->server);
    tls_context_unref(secure->context);
    struct buf *bufs[] = {&secure->ca,  &secure->ca_key, &secure->cert,
                          &secure->key, &secure->client, &secure->client_key};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++) {
        buf_release(bufs[i]);
    }
    loop_release(&secure->loop);
}

/* The status, 0 when it is not trusted; tls NULL: the system's trust. */
static unsigned secure_get(struct secure *secure, const struct httpc_tls *tls)
{
    struct httpc_trust *trust = tls != NULL ? httpc_trust_new(tls) : NULL;
    unsigned done = secure->result.done;
    char url[96];
    snprintf(url, sizeof(url), "https://%s/", listener_address(secure->listener));
    httpc_send(secure->result.httpc, &(struct httpc_spec){.method = "GET",
                                                          .url = str_from(url),
                                                          .trust = trust,
                                                          .timeout_ms = 5000,
                                                          .body_max = 100,
                                                          .user = &secure->result,
                                                          .done = on_done});
    httpc_trust_unref(trust);
    until(&secure->loop, secure->result.done != done);
    return secure->result.status;
}

static void test_trust(void **state)
{
    struct secure secure = {.context = NULL};
    (void)state;
    secure_start(&secure, "127.0.0.1", false);
    struct str ca = buf_str(&secure.ca);
    assert_int_equal(secure_get(&secure, &(struct httpc_tls){.ca = ca}), 200);
    assert_string_equal(secure.result.body, "hello\n");
    /* A connection that another trust made is not used by those who do not share it. */
    assert_int_equal(secure_get(&secure, NULL), 0);
    assert_int_equal(secure_get(&secure, &(struct httpc_tls){.ca = buf_str(&secure.client)}), 0);
    assert_int_equal(secure_get(&secure, &(struct httpc_tls){.ca = STR("no PEM")}), 0);
    assert_int_equal(secure_get(&secure, &(struct httpc_tls){.insecure = true}), 200);
    assert_int_equal(
        secure_get(&secure, &(struct httpc_tls){.ca = ca, .server_name = STR("other")}), 0);
    secure_stop(&secure);
}

static void test_server_name(void **state)
{
    struct secure secure = {.context = NULL};
    (void)state;
    secure_start(&secure, "kubernetes.test", false);
    struct str ca = buf_str(&secure.ca);
    assert_int_equal(secure_get(&secure, &(struct httpc_tls){.ca = ca}), 0);
    assert_int_equal(
        secure_get(&secure, &(struct httpc_tls){.ca = ca, .server_name = STR("kubernetes.test")}),
        200);
    secure_stop(&secure);
}

static void test_client_certificate(void **state)
{
    struct secure secure = {.context = NULL};
    (void)state;
    secure_start(&secure, "127.0.0.1", true);
    struct str ca = buf_str(&secure.ca);
    assert_int_equal(secure_get(&secure, &(struct httpc_tls){.ca = ca}), 0);
    const struct httpc_tls wrong = {
        .ca = ca, .cert = buf_str(&secure.client), .key = buf_str(&secure.key)};
    assert_int_equal(secure_get(&secure, &wrong), 0);
    const struct httpc_tls with = {
        .ca = ca, .cert = buf_str(&secure.client), .key = buf_str(&secure.client_key)};
    assert_int_equal(secure_get(&secure, &with), 200);
    secure_stop(&secure);
}

/* A server that takes what is sent and says nothing more: who waits in vain, and those who share
 * the connection, go on with another, once it was silent for long. */
static void test_silent(void **state)
{
    struct secure secure = {.http2 = true};
    struct result stream = {.done = 0};
    char url[96];
    (void)state;
    secure_start(&secure, "127.0.0.1", false);
    const struct httpc_tls tls = {.ca = buf_str(&secure.ca)};
    struct httpc_trust *trust = httpc_trust_new(&tls);
    assert_int_equal(secure_get(&secure, &tls), 200);
    snprintf(url, sizeof(url), "https://%s/", listener_address(secure.listener));
    secure.hangs = true;
    struct httpc_spec spec = {.method = "GET",
                              .url = str_from(url),
                              .trust = trust,
                              .user = &stream,
                              .data = on_data,
                              .done = on_done};
    httpc_send(secure.result.httpc, &spec);
    spec.timeout_ms = 300;
    spec.user = &secure.result;
    httpc_send(secure.result.httpc, &spec);
    until(&secure.loop, secure.result.done == 2);
    turn(&secure.loop, 50);
    assert_int_equal(stream.done, 0); /* it is too early to tell */
    secure.result.httpc->silent_ms = 100;
    httpc_send(secure.result.httpc, &spec);
    turn(&secure.loop, 50);
    secure.hangs = false;
    assert_int_equal(secure.connections, 1);
    until(&secure.loop, secure.result.done == 3);
    assert_int_equal(secure.result.status, 0);
    until(&secure.loop, stream.done == 1); /* libcurl asked again */
    assert_int_equal(secure_get(&secure, &tls), 200);
    assert_int_equal(secure.connections, 2);
    httpc_trust_unref(trust);
    secure_stop(&secure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_limit),  cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_idle),        cmocka_unit_test(test_from_within),
        cmocka_unit_test(test_unspeakable), cmocka_unit_test(test_trust),
        cmocka_unit_test(test_server_name), cmocka_unit_test(test_client_certificate),
        cmocka_unit_test(test_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
