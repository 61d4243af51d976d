/* SPDX-License-Identifier: Apache-2.0 */
/* x509_rig: keys of any kind, and certificates that they sign themselves, as PEM. */
#ifndef HEDDLE_TESTS_X509_RIG_H
#define HEDDLE_TESTS_X509_RIG_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/buf.h"
#include "base/panic.h"

struct x509_pair {
    struct buf cert, key;
};

static inline void x509_rig_add(struct buf *buf, BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    buf_init(buf, BUF_UNLIMITED);
    buf_add(buf, data, (size_t)len);
    BIO_free(bio);
}

/* The leaf says of itself what the text does ("digitalSignature"). */
struct x509_extension {
    int nid;
    const char *text;
};

/* digest: NULL of keys that have their own. extension: or NULL. Takes the key. */
static inline void x509_rig_extend(EVP_PKEY *key, const EVP_MD *digest,
                                   const struct x509_extension *extension,
                                   struct x509_pair *ret_pair)
{
    X509 *cert = X509_new();
    BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    if (extension != NULL) {
        X509_EXTENSION *added = X509V3_EXT_conf_nid(NULL, NULL, extension->nid, extension->text);
        ASSERT(added != NULL && X509_add_ext(cert, added, -1) == 1);
        X509_EXTENSION_free(added);
    }
    ASSERT(X509_sign(cert, key, digest) > 0);
    ASSERT(PEM_write_bio_X509(cert_bio, cert) == 1);
    ASSERT(PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    x509_rig_add(&ret_pair->cert, cert_bio);
    x509_rig_add(&ret_pair->key, key_bio);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static inline void x509_rig_sign(EVP_PKEY *key, const EVP_MD *digest, struct x509_pair *ret_pair)
{
    x509_rig_extend(key, digest, NULL, ret_pair);
}

static inline void x509_rig_ec(const char *curve, struct x509_pair *ret_pair)
{
    x509_rig_sign(EVP_EC_gen(curve), EVP_sha256(), ret_pair);
}

static inline void x509_rig_rsa(unsigned bits, struct x509_pair *ret_pair)
{
    x509_rig_sign(EVP_RSA_gen(bits), EVP_sha256(), ret_pair);
}

static inline void x509_rig_release(struct x509_pair *pair)
{
    buf_release(&pair->cert);
    buf_release(&pair->key);
}

#endif
