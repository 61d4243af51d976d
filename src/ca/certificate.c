/* SPDX-License-Identifier: Apache-2.0 */
/* certificate: OpenSSL's X.509, wrapped for the three sorts of certificate that heddle makes. */
#include "ca/certificate.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/panic.h"
#include "codec/pem.h"

#define SERIAL_BYTES 16
#define NAME_MAX_LEN 64 /* of a common name, RFC 5280 appendix A */

/* What went wrong first, in OpenSSL's words; empties the queue. */
static bool fail(struct err *err, const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return err_set(err, "%s: %s", what, why != NULL ? why : "not what was expected");
}

/* --- PEM ------------------------------------------------------------------------------------ */

static X509 *read_cert(struct str text)
{
    BIO *bio = pem_open(text);
    X509 *cert = PEM_read_bio_X509(bio, NULL, pem_no_passphrase, NULL);
    BIO_free(bio);
    return cert;
}

static EVP_PKEY *read_key(struct str text)
{
    BIO *bio = pem_open(text);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, pem_no_passphrase, NULL);
    BIO_free(bio);
    return key;
}

static void add_bio(struct buf *out, BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    buf_add(out, data, len > 0 ? (size_t)len : 0);
    BIO_free(bio);
}

static void write_cert(struct buf *out, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ASSERT(bio != NULL && PEM_write_bio_X509(bio, cert) == 1);
    add_bio(out, bio);
}

static void write_key(struct buf *out, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ASSERT(bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    add_bio(out, bio);
}

/* --- making --------------------------------------------------------------------------------- */

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ASSERT(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* Serial number, times, key and subject: what all sorts have. */
static X509 *begin(EVP_PKEY *key, struct str name, struct certificate_life life)
{
    unsigned char serial[SERIAL_BYTES];
    X509 *cert = X509_new();
    ASSERT(cert != NULL && RAND_bytes(serial, sizeof(serial)) == 1);
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, and of full length */
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    ASSERT(number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL);
    BN_free(number);
    X509_set_version(cert, X509_VERSION_3);
    ASSERT(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)life.from) != NULL);
    ASSERT(ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)life.to) != NULL);
    ASSERT(X509_set_pubkey(cert, key) == 1);
    ASSERT(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                                      (const unsigned char *)name.ptr, (int)name.len, -1, 0) == 1);
    return cert;
}

bool certificate_authority(struct certificate_life life, struct buf *ret_cert, struct buf *ret_key,
                           struct err *err)
{
    char name[NAME_MAX_LEN];
    unsigned char mark[4];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (key == NULL || RAND_bytes(mark, sizeof(mark)) != 1) {
        EVP_PKEY_free(key);
        return fail(err, "key of a CA");
    }
    /* Two CAs that are trusted at once must not have one name: who verifies looks by it. */
    int len = snprintf(name, sizeof(name), "heddle CA %02x%02x%02x%02x", mark[0], mark[1], mark[2],
                       mark[3]);
    X509 *cert = begin(key, str_span(name, (size_t)len), life);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(cert, cert, NID_subject_key_identifier, "hash");
    bool ok = X509_sign(cert, key, EVP_sha256()) > 0;
    if (ok) {
        write_cert(ret_cert, cert);
        write_key(ret_key, key);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok || fail(err, "a CA");
}

/* Appends a name of its own, so that no text can say more than itself. Takes value. */
static void add_name(GENERAL_NAMES *names, int type, ASN1_STRING *value, const void *bytes, int len)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASSERT(name != NULL && value != NULL && ASN1_STRING_set(value, bytes, len) == 1);
    GENERAL_NAME_set0_value(name, type, value);
    ASSERT(sk_GENERAL_NAME_push(names, name) > 0);
}

/* "IP:10.0.0.1" or "DNS:heddle.heddle-system.svc". */
static bool add_host(GENERAL_NAMES *names, struct str host)
{
    char text[NI_MAXHOST];
    unsigned char addr[sizeof(struct in6_addr)];
    if (host.len == 0 || host.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    int addr_len = inet_pton(AF_INET, text, addr) == 1    ? 4
                   : inet_pton(AF_INET6, text, addr) == 1 ? 16
                                                          : 0;
    if (addr_len > 0) {
        add_name(names, GEN_IPADD, ASN1_OCTET_STRING_new(), addr, addr_len);
    } else {
        add_name(names, GEN_DNS, ASN1_IA5STRING_new(), text, (int)host.len);
    }
    return true;
}

static bool add_hosts(GENERAL_NAMES *names, const struct str *hosts, size_t nhosts, struct err *err)
{
    ASSERT(nhosts <= CERTIFICATE_HOSTS_MAX);
    for (size_t i = 0; i < nhosts; i++) {
        if (!add_host(names, hosts[i])) {
            return err_set(err, "'%.*s' is no host name", STR_FMT(hosts[i]));
        }
    }
    return true;
}

/* A URI of RFC 3986 is printable ASCII; what is not would be read otherwise elsewhere. */
static bool add_uri(GENERAL_NAMES *names, struct str uri, struct err *err)
{
    bool ok = uri.len > 0 && uri.len <= CERTIFICATE_URI_MAX;
    for (size_t i = 0; ok && i < uri.len; i++) {
        ok = uri.ptr[i] > ' ' && uri.ptr[i] < 0x7f;
    }
    if (!ok) {
        return err_set(err, "'%.*s' is no URI of at most %d bytes", STR_FMT(uri),
                       CERTIFICATE_URI_MAX);
    }
    add_name(names, GEN_URI, ASN1_IA5STRING_new(), uri.ptr, (int)uri.len);
    return true;
}

static bool read_life(const X509 *cert, struct certificate_life *ret_life)
{
    struct tm from, to;
    if (ASN1_TIME_to_tm(X509_get0_notBefore(cert), &from) != 1 ||
        ASN1_TIME_to_tm(X509_get0_notAfter(cert), &to) != 1) {
        return false;
    }
    *ret_life = (struct certificate_life){timegm(&from), timegm(&to)};
    return true;
}

/* What a certificate of the CA is for, and whose. */
struct subject {
    const char *usage; /* RFC 5280 §4.2.1.12 */
    const struct str *hosts;
    size_t nhosts;
    struct str uri; /* instead of hosts */
};

static bool add_names(X509 *cert, const struct subject *subject, struct err *err)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    ASSERT(names != NULL);
    bool ok = subject->hosts != NULL ? add_hosts(names, subject->hosts, subject->nhosts, err)
                                     : add_uri(names, subject->uri, err);
    ASSERT(!ok || X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1);
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return ok;
}

static bool sign(X509 *ca, EVP_PKEY *ca_key, EVP_PKEY *key, const struct subject *subject,
                 struct certificate_life life, struct buf *ret_cert, struct err *err)
{
    struct certificate_life of_ca;
    if (!read_life(ca, &of_ca)) {
        return fail(err, "life of the CA");
    }
    life.to = life.to > of_ca.to ? of_ca.to : life.to;
    X509 *cert = begin(key, STR("heddle"), life);
    X509_set_issuer_name(cert, X509_get_subject_name(ca));
    add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(cert, ca, NID_key_usage, "critical,digitalSignature");
    add_extension(cert, ca, NID_ext_key_usage, subject->usage);
    add_extension(cert, ca, NID_subject_key_identifier, "hash");
    add_extension(cert, ca, NID_authority_key_identifier, "keyid");
    bool ok = add_names(cert, subject, err) &&
              (X509_sign(cert, ca_key, EVP_sha256()) > 0 || fail(err, "a certificate"));
    if (ok) {
        write_cert(ret_cert, cert);
    }
    X509_free(cert);
    return ok;
}

static bool sign_fresh(struct str ca_cert, struct str ca_key, const struct subject *subject,
                       struct certificate_life life, struct buf *ret_cert, struct buf *ret_key,
                       struct err *err)
{
    X509 *ca = read_cert(ca_cert);
    EVP_PKEY *signer = read_key(ca_key);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    bool ok = ca != NULL && signer != NULL && key != NULL
                  ? sign(ca, signer, key, subject, life, ret_cert, err)
                  : fail(err, "the CA");
    if (ok) {
        write_key(ret_key, key);
    }
    X509_free(ca);
    EVP_PKEY_free(signer);
    EVP_PKEY_free(key);
    return ok;
}

bool certificate_sign(struct str ca_cert, struct str ca_key, const struct str *hosts, size_t nhosts,
                      struct certificate_life life, struct buf *ret_cert, struct buf *ret_key,
                      struct err *err)
{
    const struct subject subject = {.usage = "serverAuth", .hosts = hosts, .nhosts = nhosts};
    return sign_fresh(ca_cert, ca_key, &subject, life, ret_cert, ret_key, err);
}

bool certificate_sign_client(struct str ca_cert, struct str ca_key, struct str uri,
                             struct certificate_life life, struct buf *ret_cert,
                             struct buf *ret_key, struct err *err)
{
    const struct subject subject = {.usage = "clientAuth", .uri = uri};
    return sign_fresh(ca_cert, ca_key, &subject, life, ret_cert, ret_key, err);
}

/* --- reading -------------------------------------------------------------------------------- */

bool certificate_read_life(struct str cert, struct certificate_life *ret_life, struct err *err)
{
    X509 *read = read_cert(cert);
    bool ok = read != NULL && read_life(read, ret_life);
    X509_free(read);
    return ok || fail(err, "certificate");
}

bool certificate_check_key(struct str cert, struct str key, struct err *err)
{
    X509 *read = read_cert(cert);
    EVP_PKEY *secret = read_key(key);
    bool ok = read != NULL && secret != NULL && X509_check_private_key(read, secret) == 1;
    X509_free(read);
    EVP_PKEY_free(secret);
    return ok || fail(err, "key");
}

bool certificate_cut(struct str *rest, struct buf *ret_cert)
{
    BIO *bio = pem_open(*rest);
    X509 *cert = PEM_read_bio_X509(bio, NULL, pem_no_passphrase, NULL);
    ERR_clear_error();
    if (cert != NULL) {
        size_t left = BIO_ctrl_pending(bio);
        *rest = str_sub(*rest, rest->len - left, left);
        write_cert(ret_cert, cert);
        X509_free(cert);
    }
    BIO_free(bio);
    return cert != NULL;
}
