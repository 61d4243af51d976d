/* SPDX-License-Identifier: Apache-2.0 */
/* Do the CA and its certificates verify, in time and across a rotation? Is the Secret read and
 * written as it was, and what is wrong in it told? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "ca/certificate.h"
#include "ca/keyring.h"
#include "ca/serving.h"
#include "codec/base64.h"
#include "net_fixture.h"

#define DAY INT64_C(86400)
#define NOW INT64_C(1800000000) /* January 2027 */

static const struct str hosts[] = {STR("heddle.heddle-system.svc"), STR("10.1.2.3"),
                                   STR("fd00::7")};

static X509 *read_cert(struct str text)
{
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return cert;
}

/* Whether who trusts the bundle takes the certificate for that purpose at that time. */
static bool verifies_as(int purpose, struct str bundle, struct str cert, int64_t at)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509 *leaf = read_cert(cert);
    struct str rest = bundle;
    for (struct buf one; buf_init(&one, 65536), certificate_cut(&rest, &one); buf_release(&one)) {
        X509 *ca = read_cert(buf_str(&one));
        X509_STORE_add_cert(store, ca);
        X509_free(ca);
    }
    X509_STORE_CTX_init(ctx, store, leaf, NULL);
    X509_STORE_CTX_set_purpose(ctx, purpose);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)at);
    bool ok = X509_verify_cert(ctx) == 1;
    X509_free(leaf);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return ok;
}

static bool verifies(struct str bundle, struct str cert, int64_t at)
{
    return verifies_as(X509_PURPOSE_SSL_SERVER, bundle, cert, at);
}

/* A server's certificate of the CA that signs now. */
static void mint(const struct keyring *ring, int64_t now, struct buf *ret_cert)
{
    struct err err = {""};
    struct buf key;
    buf_init(&key, 65536);
    buf_init(ret_cert, 65536);
    assert_true(certificate_sign(ring->cert, ring->key, hosts, 3,
                                 (struct certificate_life){now, now + 7 * DAY}, ret_cert, &key,
                                 &err));
    assert_true(certificate_check_key(buf_str(ret_cert), buf_str(&key), &err));
    assert_false(certificate_check_key(ring->cert, buf_str(&key), &err));
    buf_release(&key);
}

static void certificates_say_the_hosts(void **state)
{
    (void)state;
    struct err err = {""};
    struct keyring ring;
    struct buf cert;
    assert_true(keyring_make(NOW, &ring, &err));
    mint(&ring, NOW, &cert);
    X509 *leaf = read_cert(buf_str(&cert));
    assert_int_equal(X509_check_host(leaf, hosts[0].ptr, hosts[0].len, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "10.1.2.3", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "fd00::7", 0), 1);
    assert_int_equal(X509_check_host(leaf, "heddle.other.svc", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ca(leaf), 0);
    assert_true(verifies(ring.bundle, buf_str(&cert), NOW + 1));
    assert_false(verifies(ring.bundle, buf_str(&cert), NOW + 8 * DAY));
    X509_free(leaf);
    buf_release(&cert);

    /* never longer than its CA */
    struct certificate_life life, of_ca;
    mint(&ring, NOW + 364 * DAY, &cert);
    assert_true(certificate_read_life(buf_str(&cert), &life, &err));
    assert_true(certificate_read_life(ring.cert, &of_ca, &err));
    assert_int_equal(life.to, of_ca.to);
    assert_int_equal(of_ca.to, NOW + KEYRING_LIFE_S);
    buf_release(&cert);
    keyring_release(&ring);
}

/* The first name of a certificate, which is its only one, is this URI. */
static void assert_uri(struct str cert, struct str uri)
{
    X509 *leaf = read_cert(cert);
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 1);
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);
    assert_int_equal(name->type, GEN_URI);
    const ASN1_IA5STRING *text = name->d.uniformResourceIdentifier;
    assert_int_equal(ASN1_STRING_length(text), uri.len);
    assert_memory_equal(ASN1_STRING_get0_data(text), uri.ptr, uri.len);
    GENERAL_NAMES_free(names);
    X509_free(leaf);
}

static void clients_and_servers_are_not_taken_for_each_other(void **state)
{
    (void)state;
    struct err err = {""};
    struct keyring ring;
    struct buf server, client, key;
    const struct str uri = STR("spiffe://cluster.local/gateway/infra/front");
    const struct certificate_life life = {NOW, NOW + DAY};
    buf_init(&client, 65536);
    buf_init(&key, 65536);
    assert_true(keyring_make(NOW, &ring, &err));
    mint(&ring, NOW, &server);
    assert_true(certificate_sign_client(ring.cert, ring.key, uri, life, &client, &key, &err));
    assert_true(certificate_check_key(buf_str(&client), buf_str(&key), &err));
    assert_uri(buf_str(&client), uri);
    assert_true(verifies_as(X509_PURPOSE_SSL_CLIENT, ring.bundle, buf_str(&client), NOW + 1));
    assert_false(verifies_as(X509_PURPOSE_SSL_CLIENT, ring.bundle, buf_str(&server), NOW + 1));
    assert_false(verifies_as(X509_PURPOSE_SSL_SERVER, ring.bundle, buf_str(&client), NOW + 1));

    const struct str odd[] = {STR(""), STR("spiffe://a/b c"), STR("spiffe://a/\0b"),
                              STR("spiffe://a/\xc3\xa4")};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_false(
            certificate_sign_client(ring.cert, ring.key, odd[i], life, &client, &key, &err));
    }
    assert_string_equal(err.text, "'spiffe://a/\xc3\xa4' is no URI of at most 2048 bytes");
    buf_release(&server);
    buf_release(&client);
    buf_release(&key);
    keyring_release(&ring);
}

static void odd_hosts_are_refused(void **state)
{
    (void)state;
    struct err err = {""};
    struct keyring ring;
    struct buf cert, key;
    const struct str none = STR("");
    buf_init(&cert, 65536);
    buf_init(&key, 65536);
    assert_true(keyring_make(NOW, &ring, &err));
    assert_false(certificate_sign(ring.cert, ring.key, &none, 1,
                                  (struct certificate_life){NOW, NOW + 1}, &cert, &key, &err));
    assert_string_equal(err.text, "'' is no host name");
    assert_false(certificate_sign(STR("nonsense"), ring.key, hosts, 1,
                                  (struct certificate_life){NOW, NOW + 1}, &cert, &key, &err));
    buf_release(&cert);
    buf_release(&key);
    keyring_release(&ring);
}

/* A year and more, day by day: each certificate that was minted in the last 7 days verifies for
 * who has the bundle of now, and for who has that of two days ago. */
static void nobody_meets_an_unknown_ca(void **state)
{
    (void)state;
    enum { DAYS = 800, KEPT = 7 };
    enum { NEAR = 10 }; /* days around a step: between steps a look each week will do */
    int64_t look_until = NEAR;
    struct err err = {""};
    struct keyring ring;
    struct buf certs[KEPT];
    struct buf bundles[2];
    unsigned steps = 0;
    memset(certs, 0, sizeof(certs));
    assert_true(keyring_make(NOW, &ring, &err));
    for (size_t i = 0; i < 2; i++) {
        buf_init(&bundles[i], BUF_UNLIMITED);
        buf_add_str(&bundles[i], ring.bundle);
    }
    for (int64_t day = 0; day < DAYS; day++) {
        int64_t now = NOW + day * DAY;
        struct keyring next;
        const char *what = NULL;
        while (keyring_advance(&ring, now, &next, &what, &err)) {
            assert_non_null(what);
            keyring_release(&ring);
            ring = next;
            steps++;
            look_until = day + NEAR;
        }
        assert_string_equal(err.text, "");
        buf_release(&certs[day % KEPT]);
        mint(&ring, now, &certs[day % KEPT]);
        bool look = day <= look_until || day % KEPT == 0;
        for (int64_t i = 0; look && i < KEPT && i <= day; i++) {
            assert_true(verifies(ring.bundle, buf_str(&certs[i]), now));
        }
        assert_true(!look ||
                    verifies(buf_str(&bundles[day % 2]), buf_str(&certs[day % KEPT]), now));
        buf_clear(&bundles[day % 2]);
        buf_add_str(&bundles[day % 2], ring.bundle);
    }
    assert_int_equal(steps, 2 * 3); /* twice: trusted, signs, the old one dropped */
    for (size_t i = 0; i < KEPT; i++) {
        buf_release(&certs[i]);
    }
    buf_release(&bundles[0]);
    buf_release(&bundles[1]);
    keyring_release(&ring);
}

/* Two years without heddle: the CA has ended, and a new one signs at once. */
static void a_ca_that_has_ended_is_replaced_at_once(void **state)
{
    (void)state;
    struct err err = {""};
    struct keyring ring, next;
    const char *what;
    struct buf cert;
    assert_true(keyring_make(NOW, &ring, &err));
    assert_true(keyring_advance(&ring, NOW + 800 * DAY, &next, &what, &err));
    assert_string_equal(what, "the next CA signs");
    assert_int_equal(next.next_key.len, 0);
    mint(&next, NOW + 800 * DAY, &cert);
    assert_true(verifies(next.bundle, buf_str(&cert), NOW + 801 * DAY));
    buf_release(&cert);
    keyring_release(&ring);
    assert_true(keyring_advance(&next, NOW + 800 * DAY, &ring, &what, &err));
    assert_string_equal(what, "a CA that has ended is dropped");
    assert_false(keyring_advance(&ring, NOW + 800 * DAY, &next, &what, &err));
    keyring_release(&ring);
    keyring_release(&next);
}

/* --- the Secret ------------------------------------------------------------------------------ */

static bool read_back(struct arena *arena, struct str json, struct keyring *ret_ring,
                      struct err *err)
{
    struct doc *docs;
    size_t len;
    doc_parse(arena, json, &docs, &len);
    assert_int_equal(len, 1);
    assert_non_null(docs[0].root);
    return keyring_read(docs[0].root, ret_ring, err);
}

static void write_ring(const struct keyring *ring, struct buf *out)
{
    struct json json;
    buf_init(out, BUF_UNLIMITED);
    json_init(&json, out, 0);
    json_open(&json, '{');
    keyring_write(ring, &json);
    json_close(&json, '}');
}

static void the_secret_holds_the_keyring(void **state)
{
    (void)state;
    struct err err = {""};
    struct arena arena;
    struct keyring ring, next, again;
    struct buf out;
    const char *what;
    arena_init(&arena);
    assert_true(keyring_make(NOW, &ring, &err));
    assert_true(keyring_advance(&ring, NOW + 310 * DAY, &next, &what, &err));
    const struct keyring *rings[] = {&ring, &next};
    for (size_t i = 0; i < 2; i++) {
        write_ring(rings[i], &out);
        assert_true(read_back(&arena, buf_str(&out), &again, &err));
        assert_true(keyring_equal(rings[i], &again));
        assert_true(str_eq(rings[i]->cert, again.cert));
        assert_false(keyring_equal(rings[1 - i], &again));
        keyring_release(&again);
        buf_release(&out);
    }
    keyring_release(&ring);
    keyring_release(&next);
    arena_release(&arena);
}

static void what_is_wrong_in_the_secret_is_told(void **state)
{
    (void)state;
    struct err err;
    struct arena arena;
    struct keyring a, b, read;
    arena_init(&arena);
    assert_true(keyring_make(NOW, &a, &err));
    assert_true(keyring_make(NOW, &b, &err));
    const struct {
        struct keyring ring;
        const char *text;
    } cases[] = {
        {{.key = a.key, .token = a.token}, "'ca.crt' is missing"},
        {{.bundle = STR("x"), .key = a.key, .token = a.token}, "'ca.crt' holds no certificate"},
        {{.bundle = a.bundle, .key = b.key, .token = a.token},
         "'ca.key' does not belong to the first certificate of 'ca.crt': key: "},
        {{.bundle = a.bundle, .key = STR("x"), .token = a.token},
         "'ca.key' does not belong to the first certificate of 'ca.crt': key: "},
        {{.bundle = a.bundle, .key = a.key, .next_key = b.key, .token = a.token},
         "'next.key' does not belong to the last certificate of 'ca.crt': key: "},
        {{.bundle = a.bundle, .key = a.key, .token = STR("short")},
         "'token' is shorter than 16 bytes"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;
        write_ring(&cases[i].ring, &out);
        assert_false(read_back(&arena, buf_str(&out), &read, &err));
        assert_true(str_starts_with(str_from(err.text), str_from(cases[i].text)));
        buf_release(&out);
    }
    assert_false(read_back(&arena, STR("{\"ca.crt\":\"*\"}"), &read, &err));
    assert_string_equal(err.text, "'ca.crt' is no base64");
    keyring_release(&a);
    keyring_release(&b);
    arena_release(&arena);
}

/* --- what is served with --------------------------------------------------------------------- */

static void serving_certificates_are_renewed(void **state)
{
    (void)state;
    struct err err;
    struct loop loop;
    struct keyring ring, other;
    int64_t now = (int64_t)time(NULL);
    log_set_level(LOG_ERROR);
    assert_true(loop_init(&loop, "test", &err));
    const struct serving_config config = {.loop = &loop, .hosts = hosts, .nhosts = 3, .life_s = 3};
    struct serving *serving = serving_new(&config);
    assert_null(serving_tls(serving));
    assert_true(keyring_make(now, &ring, &err));
    assert_true(keyring_make(now, &other, &err));
    serving_keyring(serving, &ring);
    struct tls_context *first = serving_tls(serving);
    assert_non_null(first);
    serving_keyring(serving, &ring); /* the same: nothing happens */
    assert_int_equal(serving_minted(serving), 1);
    serving_keyring(serving, &other);
    assert_int_equal(serving_minted(serving), 2);
    until(&loop, serving_minted(serving) == 3);
    assert_non_null(serving_tls(serving));
    serving_free(serving);
    keyring_release(&ring);
    keyring_release(&other);
    loop_release(&loop);
}

static int64_t set_s; /* what the clock says */

static int64_t clock_s(void)
{
    return set_s;
}

/* The clock is set, or the machine slept: what is valid is asked of the clock as it is. */
static void serving_certificates_follow_the_clock(void **state)
{
    (void)state;
    struct err err;
    struct loop loop;
    struct keyring ring;
    set_s = NOW;
    log_set_level(LOG_ERROR);
    assert_true(loop_init(&loop, "test", &err));
    const struct serving_config config = {
        .loop = &loop, .hosts = hosts, .nhosts = 3, .look_ms = 20, .now_s = clock_s};
    struct serving *serving = serving_new(&config);
    assert_true(keyring_make(set_s, &ring, &err));
    serving_keyring(serving, &ring);
    set_s += SERVING_LIFE_S / 2;
    turn(&loop, 100);
    assert_int_equal(serving_minted(serving), 1);
    set_s += SERVING_LIFE_S;
    until(&loop, serving_minted(serving) == 2);
    set_s -= 2 * SERVING_LIFE_S; /* before it was made */
    until(&loop, serving_minted(serving) == 3);
    turn(&loop, 100);
    assert_int_equal(serving_minted(serving), 3);
    serving_free(serving);
    keyring_release(&ring);
    loop_release(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_say_the_hosts),
        cmocka_unit_test(clients_and_servers_are_not_taken_for_each_other),
        cmocka_unit_test(odd_hosts_are_refused),
        cmocka_unit_test(nobody_meets_an_unknown_ca),
        cmocka_unit_test(a_ca_that_has_ended_is_replaced_at_once),
        cmocka_unit_test(the_secret_holds_the_keyring),
        cmocka_unit_test(what_is_wrong_in_the_secret_is_told),
        cmocka_unit_test(serving_certificates_are_renewed),
        cmocka_unit_test(serving_certificates_follow_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
