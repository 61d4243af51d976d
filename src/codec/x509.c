/* SPDX-License-Identifier: Apache-2.0 */
/* x509: see x509.h. OpenSSL reads; of its errors only the end of a text is no fault. */
#include "codec/x509.h"

#include <limits.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/panic.h"
#include "codec/pem.h"

#define RSA_BITS_MIN 2048
#define CURVE_NAME_MAX 32
#define SECONDS_PER_DAY 86400

/* --- certificates -------------------------------------------------------------------------- */

/* The next certificate, or NULL: *ret_broken says whether there is one that cannot be read. */
static X509 *next_certificate(BIO *bio, bool *ret_broken)
{
    ERR_clear_error();
    X509 *certificate = PEM_read_bio_X509(bio, NULL, pem_no_passphrase, NULL);
    unsigned long error = ERR_peek_last_error();
    *ret_broken = certificate == NULL && !(ERR_GET_LIB(error) == ERR_LIB_PEM &&
                                           ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
    /* the key is decoded when it is first asked for */
    if (certificate != NULL && X509_get0_pubkey(certificate) == NULL) {
        *ret_broken = true;
        X509_free(certificate);
        certificate = NULL;
    }
    ERR_clear_error();
    return certificate;
}

struct str x509_certificates_fault(struct str text)
{
    BIO *bio = pem_open(text);
    bool broken, any = false;
    for (X509 *certificate; (certificate = next_certificate(bio, &broken)) != NULL;) {
        any = true;
        X509_free(certificate);
    }
    BIO_free(bio);
    return broken ? STR("has a certificate that cannot be read")
           : any  ? STR_NULL
                  : STR("has no certificate in it");
}

struct str x509_authorities_fault(struct str text)
{
    struct str fault = x509_certificates_fault(text);
    if (fault.len > 0) {
        return fault;
    }
    BIO *bio = pem_open(text);
    STACK_OF(X509_INFO) *parts = PEM_X509_INFO_read_bio(bio, NULL, pem_no_passphrase, NULL);
    BIO_free(bio);
    if (parts == NULL) {
        ERR_clear_error();
        return STR("has a revocation list, or another part, that cannot be read");
    }
    sk_X509_INFO_pop_free(parts, X509_INFO_free);
    return STR_NULL;
}

/* --- time ---------------------------------------------------------------------------------- */

static int64_t end_of(const X509 *certificate)
{
    ASN1_TIME *start = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    ASSERT(start != NULL);
    bool good = ASN1_TIME_diff(&days, &seconds, start, X509_get0_notAfter(certificate)) == 1;
    ASN1_TIME_free(start);
    int64_t end = (int64_t)days * SECONDS_PER_DAY + seconds;
    return good && end > 0 ? end : 0;
}

bool x509_ends(struct str text, struct x509_ends *ret_ends)
{
    BIO *bio = pem_open(text);
    struct x509_ends ends = {INT64_MAX, -1};
    bool broken;
    for (X509 *certificate; (certificate = next_certificate(bio, &broken)) != NULL;) {
        int64_t end = end_of(certificate);
        ends.first = end < ends.first ? end : ends.first;
        ends.last = end > ends.last ? end : ends.last;
        X509_free(certificate);
    }
    BIO_free(bio);
    *ret_ends = ends;
    return ends.last >= 0;
}

/* --- keys ---------------------------------------------------------------------------------- */

static bool is_served_curve(const EVP_PKEY *key)
{
    static const char *const curves[] = {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};
    char name[CURVE_NAME_MAX];
    size_t i = 0;
    if (EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) != 1) {
        return false;
    }
    while (i < sizeof(curves) / sizeof(curves[0]) && strcmp(name, curves[i]) != 0) {
        i++;
    }
    return i < sizeof(curves) / sizeof(curves[0]);
}

/* "Must staple" (RFC 7633): a Secret has nowhere to put the OCSP response. */
static bool promises_ocsp(const X509 *leaf)
{
    return X509_get_ext_by_NID(leaf, NID_tlsfeature, -1) >= 0;
}

static struct str leaf_fault(X509 *leaf, const EVP_PKEY *key)
{
    /* all bits are set where the certificate does not say (X509_get_key_usage(3)) */
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
        (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0) {
        return STR("may not sign, by its certificate's keyUsage: Envoy refuses it; ask for "
                   "digitalSignature");
    }
    return promises_ocsp(leaf)
               ? STR("is of a certificate that must be stapled (tlsfeature), for which Envoy lacks "
                     "the OCSP response")
               : STR_NULL;
}

static struct str key_fault(X509 *leaf, EVP_PKEY *key)
{
    if (key == NULL) {
        return STR("has no private key in it that can be read");
    }
    if (leaf == NULL || X509_check_private_key(leaf, key) != 1) {
        return STR("belongs to another certificate");
    }
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN
                   ? leaf_fault(leaf, key)
                   : STR("is an RSA key of less than 2048 bits, which Envoy refuses");
    case EVP_PKEY_EC:
        return is_served_curve(key)
                   ? leaf_fault(leaf, key)
                   : STR("is of a curve that Envoy refuses; it takes P-256, P-384 and P-521");
    default:
        return STR("is neither an RSA nor an ECDSA key");
    }
}

struct str x509_key_fault(struct str key_text, struct str chain)
{
    bool broken;
    BIO *bio = pem_open(chain), *key_bio = pem_open(key_text);
    X509 *leaf = next_certificate(bio, &broken);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, pem_no_passphrase, NULL);
    struct str fault = key_fault(leaf, key);
    EVP_PKEY_free(key);
    X509_free(leaf);
    BIO_free(key_bio);
    BIO_free(bio);
    ERR_clear_error();
    return fault;
}
