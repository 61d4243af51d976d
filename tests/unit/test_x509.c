/* SPDX-License-Identifier: Apache-2.0 */
/* Is told which certificates and keys can be used, and why the others cannot? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/x509.h"
#include "x509_rig.h"

#define UNREADABLE "has a certificate that cannot be read"
#define NONE "has no certificate in it"
#define UNREADABLE_PART "has a revocation list, or another part, that cannot be read"
#define NO_REVOCATIONS "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
#define NO_BYTES "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

static void expect(struct str fault, const char *text)
{
    if (!str_eq(fault, str_from(text))) {
        fail_msg("expected '%s', found '%.*s'", text, STR_FMT(fault));
    }
}

static void certificates(void **state)
{
    struct x509_pair a, b;
    struct buf text;
    (void)state;
    x509_rig_ec("P-256", &a);
    x509_rig_ec("P-384", &b);
    expect(x509_certificates_fault(STR("")), NONE);
    expect(x509_certificates_fault(STR("nothing of that kind\n")), NONE);
    expect(x509_certificates_fault(buf_str(&a.key)), NONE);
    expect(x509_certificates_fault(STR(NO_BYTES)), UNREADABLE);
    expect(x509_certificates_fault(buf_str(&a.cert)), "");
    expect(x509_authorities_fault(STR("")), NONE);
    expect(x509_authorities_fault(buf_str(&a.cert)), "");
    expect(x509_certificates_fault(str_sub(buf_str(&a.cert), 0, a.cert.len - 20)), UNREADABLE);
    buf_init(&text, BUF_UNLIMITED);
    buf_printf(&text, "# whose\n%.*s%.*s\n# end\n", STR_FMT(buf_str(&a.cert)),
               STR_FMT(buf_str(&b.cert)));
    expect(x509_certificates_fault(buf_str(&text)), "");
    expect(x509_authorities_fault(buf_str(&text)), "");
    size_t good = text.len;
    buf_add_text(&text, NO_REVOCATIONS);
    expect(x509_certificates_fault(buf_str(&text)), "");
    expect(x509_authorities_fault(buf_str(&text)), UNREADABLE_PART);
    expect(x509_authorities_fault(str_sub(buf_str(&text), 0, good)), "");
    buf_add_text(&text, NO_BYTES);
    expect(x509_certificates_fault(buf_str(&text)), UNREADABLE);
    expect(x509_authorities_fault(buf_str(&text)), UNREADABLE);
    buf_release(&text);
    x509_rig_release(&a);
    x509_rig_release(&b);
}

static void ends(void **state)
{
    struct x509_pair a, b;
    struct x509_ends one, both;
    struct buf text;
    (void)state;
    x509_rig_ec("P-256", &a);
    x509_rig_ec("P-384", &b);
    assert_false(x509_ends(STR(""), &one));
    assert_false(x509_ends(STR(NO_BYTES), &one));
    assert_true(x509_ends(buf_str(&a.cert), &one));
    assert_true(one.first > 0);
    assert_int_equal(one.first, one.last);
    buf_init(&text, BUF_UNLIMITED);
    buf_printf(&text, "%.*s%.*s", STR_FMT(buf_str(&a.cert)), STR_FMT(buf_str(&b.cert)));
    assert_true(x509_ends(buf_str(&text), &both));
    assert_true(both.first <= one.first && one.last <= both.last);
    buf_release(&text);
    x509_rig_release(&a);
    x509_rig_release(&b);
}

static void keys(void **state)
{
    struct x509_pair a, b;
    struct buf chain;
    (void)state;
    x509_rig_ec("P-256", &a);
    x509_rig_ec("P-256", &b);
    expect(x509_key_fault(buf_str(&a.key), buf_str(&a.cert)), "");
    expect(x509_key_fault(buf_str(&b.key), buf_str(&a.cert)), "belongs to another certificate");
    expect(x509_key_fault(STR(""), buf_str(&a.cert)), "has no private key in it that can be read");
    expect(x509_key_fault(buf_str(&a.cert), buf_str(&a.cert)),
           "has no private key in it that can be read");
    /* the leaf is the first */
    buf_init(&chain, BUF_UNLIMITED);
    buf_printf(&chain, "%.*s%.*s", STR_FMT(buf_str(&b.cert)), STR_FMT(buf_str(&a.cert)));
    expect(x509_key_fault(buf_str(&a.key), buf_str(&chain)), "belongs to another certificate");
    expect(x509_key_fault(buf_str(&b.key), buf_str(&chain)), "");
    buf_release(&chain);
    x509_rig_release(&a);
    x509_rig_release(&b);
}

/* A passphrase is asked of nobody. */
static void an_encrypted_key(void **state)
{
    struct x509_pair pair;
    struct buf text;
    (void)state;
    x509_rig_ec("P-256", &pair);
    BIO *in = BIO_new_mem_buf(pair.key.data, (int)pair.key.len), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    char phrase[] = "secret";
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), phrase, 6, NULL, NULL), 1);
    x509_rig_add(&text, out);
    expect(x509_key_fault(buf_str(&text), buf_str(&pair.cert)),
           "has no private key in it that can be read");
    buf_release(&text);
    EVP_PKEY_free(key);
    BIO_free(in);
    x509_rig_release(&pair);
}

static void what_envoy_takes(void **state)
{
    static const struct {
        const char *curve;
        unsigned bits;
        const char *fault;
    } cases[] = {
        {"P-256", 0, ""},
        {"P-384", 0, ""},
        {"P-521", 0, ""},
        {"secp256k1", 0, "is of a curve that Envoy refuses; it takes P-256, P-384 and P-521"},
        {NULL, 2048, ""},
        {NULL, 1024, "is an RSA key of less than 2048 bits, which Envoy refuses"},
        {NULL, 0, "is neither an RSA nor an ECDSA key"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_pair pair;
        if (cases[i].curve != NULL) {
            x509_rig_ec(cases[i].curve, &pair);
        } else if (cases[i].bits > 0) {
            x509_rig_rsa(cases[i].bits, &pair);
        } else {
            x509_rig_sign(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, &pair);
        }
        expect(x509_key_fault(buf_str(&pair.key), buf_str(&pair.cert)), cases[i].fault);
        x509_rig_release(&pair);
    }
}

static void what_envoy_takes_of_a_leaf(void **state)
{
    static const char *const mute = "may not sign, by its certificate's keyUsage: Envoy refuses "
                                    "it; ask for digitalSignature";
    const struct {
        bool ec;
        struct x509_extension extension;
        const char *fault;
    } cases[] = {
        {true, {NID_key_usage, "digitalSignature"}, ""},
        {true, {NID_key_usage, "keyAgreement"}, mute},
        {false, {NID_key_usage, "keyEncipherment"}, ""},
        {true,
         {NID_tlsfeature, "status_request"},
         "is of a certificate that must be stapled (tlsfeature), for which Envoy lacks the OCSP "
         "response"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_pair pair;
        x509_rig_extend(cases[i].ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048), EVP_sha256(),
                        &cases[i].extension, &pair);
        expect(x509_key_fault(buf_str(&pair.key), buf_str(&pair.cert)), cases[i].fault);
        x509_rig_release(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates),
        cmocka_unit_test(ends),
        cmocka_unit_test(keys),
        cmocka_unit_test(an_encrypted_key),
        cmocka_unit_test(what_envoy_takes),
        cmocka_unit_test(what_envoy_takes_of_a_leaf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
