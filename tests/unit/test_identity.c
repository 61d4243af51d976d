/* SPDX-License-Identifier: Apache-2.0 */
/* Who is let in by a serving certificate that asks clients for one of heddle's CA, and as whom? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <time.h>

#include "base/log.h"
#include "base/panic.h"
#include "ca/certificate.h"
#include "ca/keyring.h"
#include "ca/serving.h"
#include "net/loop.h"
#include "net/tls.h"

#define DAY INT64_C(86400)
#define STEPS_MAX 20
#define FRONT "spiffe://cluster.local/gateway/infra/front"

static const struct str host = STR("heddle.heddle-system.svc");

struct world {
    struct loop loop;
    struct serving *serving;
    struct keyring ring;
};

static int setup(void **state)
{
    static const char *const alpn[] = {"h2", NULL};
    struct world *world = xcalloc(1, sizeof(*world));
    struct err err;
    assert_true(loop_init(&world->loop, "test", NULL));
    const struct serving_config config = {
        .loop = &world->loop, .hosts = &host, .nhosts = 1, .alpn = alpn, .clients = true};
    world->serving = serving_new(&config);
    assert_true(keyring_make((int64_t)time(NULL), &world->ring, &err));
    serving_keyring(world->serving, &world->ring);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    serving_free(world->serving);
    loop_release(&world->loop);
    keyring_release(&world->ring);
    free(world);
    return 0;
}

static void use_texts(SSL_CTX *ctx, struct str cert, struct str key)
{
    BIO *bio = BIO_new_mem_buf(cert.ptr, (int)cert.len);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(ctx, x509), 1);
    X509_free(x509);
    BIO_free(bio);
    bio = BIO_new_mem_buf(key.ptr, (int)key.len);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, pkey), 1);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
}

/* Bytes both ways until the server knows. "refused", or the URI of the client. */
static void shake(struct tls *server, SSL *client, BIO *from_server, BIO *to_server,
                  struct buf *ret_who)
{
    enum tls_result result = TLS_AGAIN;
    struct err err;
    for (unsigned i = 0; i < STEPS_MAX && result == TLS_AGAIN && !tls_ready(server); i++) {
        uint8_t data[TLS_RECORD_MAX];
        size_t len = 0;
        (void)SSL_do_handshake(client);
        int got = BIO_read(to_server, data, sizeof(data));
        tls_feed(server, data, got > 0 ? (size_t)got : 0);
        result = tls_read(server, data, sizeof(data), &len, &err);
        struct str out = tls_output(server);
        if (out.len > 0) {
            (void)BIO_write(from_server, out.ptr, (int)out.len);
            tls_output_sent(server);
        }
    }
    if (!tls_ready(server) || !tls_peer_uri(server, ret_who)) {
        buf_clear(ret_who);
        buf_add_text(ret_who, "refused");
    }
}

static void assert_known_as(const struct world *world, struct str cert, struct str key,
                            const char *who)
{
    struct tls *server = tls_new(serving_tls(world->serving));
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (cert.len > 0) {
        use_texts(ctx, cert, key);
    }
    SSL *client = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    struct buf got;
    buf_init(&got, BUF_UNLIMITED);
    SSL_set_bio(client, in, out);
    SSL_set_connect_state(client);
    SSL_set_alpn_protos(client, (const unsigned char *)"\2h2", 3);
    shake(server, client, in, out, &got);
    buf_add_byte(&got, '\0');
    assert_string_equal((const char *)got.data, who);
    SSL_free(client);
    SSL_CTX_free(ctx);
    tls_free(server);
    buf_release(&got);
    ERR_clear_error();
}

struct identity {
    struct buf cert, key;
};

static void identity_release(struct identity *identity)
{
    buf_release(&identity->cert);
    buf_release(&identity->key);
}

/* uri: NULL makes a server's. */
static void sign(struct str ca_cert, struct str ca_key, const char *uri,
                 struct identity *ret_identity)
{
    int64_t now = (int64_t)time(NULL);
    const struct certificate_life life = {now - CERTIFICATE_SKEW_S, now + DAY};
    struct err err;
    buf_init(&ret_identity->cert, CERTIFICATE_PEM_MAX);
    buf_init(&ret_identity->key, CERTIFICATE_PEM_MAX);
    assert_true(uri != NULL ? certificate_sign_client(ca_cert, ca_key, str_from(uri), life,
                                                      &ret_identity->cert, &ret_identity->key, &err)
                            : certificate_sign(ca_cert, ca_key, &host, 1, life, &ret_identity->cert,
                                               &ret_identity->key, &err));
}

static void check(const struct world *world, const struct identity *identity, const char *who)
{
    assert_known_as(world, buf_str(&identity->cert), buf_str(&identity->key), who);
}

static void who_is_let_in(void **state)
{
    struct world *world = *state;
    struct identity front, server, stranger;
    struct keyring other;
    struct err err;
    assert_true(keyring_make((int64_t)time(NULL), &other, &err));
    sign(world->ring.cert, world->ring.key, FRONT, &front);
    sign(world->ring.cert, world->ring.key, NULL, &server);
    sign(other.cert, other.key, FRONT, &stranger);
    check(world, &front, FRONT);
    check(world, &server, "refused");   /* heddle's, but a server's */
    check(world, &stranger, "refused"); /* another CA's, whatever it says */
    assert_known_as(world, STR_NULL, STR_NULL, "refused");
    identity_release(&front);
    identity_release(&server);
    identity_release(&stranger);
    keyring_release(&other);
}

/* Replicas come to know of the next CA at different times: the ring before, and the one after. */
static void nobody_is_refused_while_the_ca_is_replaced(void **state)
{
    struct world *world = *state;
    struct identity before, after;
    struct keyring one, two, next;
    const char *what;
    struct err err;
    int64_t now = (int64_t)time(NULL);
    int64_t due = now - KEYRING_OVERLAP_S - DAY;
    assert_true(keyring_make(due - (KEYRING_LIFE_S - KEYRING_RENEW_S + DAY), &one, &err));
    assert_true(keyring_advance(&one, due, &two, &what, &err));
    assert_true(keyring_advance(&two, now, &next, &what, &err));
    assert_false(str_eq(next.cert, two.cert));
    sign(one.cert, one.key, FRONT, &before);
    sign(next.cert, next.key, FRONT, &after);
    serving_keyring(world->serving, &one);
    check(world, &after, "refused"); /* not trusted yet, so that nobody has it yet */

    uint64_t minted = serving_minted(world->serving);
    const struct keyring *rings[] = {&two, &next};
    for (size_t i = 0; i < 2; i++) {
        serving_keyring(world->serving, rings[i]);
        serving_keyring(world->serving, rings[i]); /* as before */
        assert_int_equal(serving_minted(world->serving), ++minted);
        check(world, &before, FRONT);
        check(world, &after, FRONT);
    }
    identity_release(&before);
    identity_release(&after);
    keyring_release(&one);
    keyring_release(&two);
    keyring_release(&next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_is_let_in, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_refused_while_the_ca_is_replaced, setup,
                                        teardown),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
