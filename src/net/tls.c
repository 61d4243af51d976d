/* SPDX-License-Identifier: Apache-2.0 */
/* tls: OpenSSL server contexts, and connections over memory BIOs. */
#include "net/tls.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

#define TLS_NAMES_MAX 64       /* names looked at in a client's certificate */
#define TLS_CHAIN_MAX 8        /* intermediates of a certificate given as text */
#define TLS_AUTHORITIES_MAX 64 /* CAs of clients given as text */

struct tls_context {
    _Atomic uint32_t refs;
    SSL_CTX *ssl_ctx;
    unsigned char alpn[TLS_ALPN_MAX * 32]; /* length-prefixed names; const once made */
    unsigned alpn_len;
};

struct tls {
    SSL *ssl;
    struct tls_context *context;
    BIO *in;  /* owned by ssl */
    BIO *out; /* owned by ssl */
};

/* What went wrong first, in OpenSSL's words ("no start line", not "PEM lib"); empties the queue. */
static const char *tls_why(void)
{
    unsigned long code = ERR_peek_error();
    const char *why = NULL;
    if (ERR_SYSTEM_ERROR(code)) {
        why = strerror(ERR_GET_REASON(code));
    } else if (code != 0) {
        why = ERR_reason_error_string(code);
    }
    ERR_clear_error();
    return why != NULL ? why : "unknown TLS error";
}

static int tls_pick_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                         const unsigned char *offered, unsigned offered_len, void *arg)
{
    (void)ssl;
    const struct tls_context *context = arg;
    unsigned char *name = NULL;
    if (SSL_select_next_proto(&name, ret_len, context->alpn, context->alpn_len, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}

static void tls_set_alpn(struct tls_context *context, const char *const *names)
{
    if (names == NULL) {
        return;
    }
    for (unsigned i = 0; names[i] != NULL; i++) {
        size_t len = strlen(names[i]);
        ASSERT(i < TLS_ALPN_MAX && len > 0 && len < 32);
        context->alpn[context->alpn_len++] = (unsigned char)len;
        memcpy(context->alpn + context->alpn_len, names[i], len);
        context->alpn_len += (unsigned)len;
    }
    SSL_CTX_set_alpn_select_cb(context->ssl_ctx, tls_pick_alpn, context);
}

/* A text that asks for a passphrase is an error, not a prompt on the terminal. */
static int tls_no_passphrase(char *text, int size, int writing, void *arg)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static BIO *tls_text(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    ASSERT(bio != NULL && pem.len <= INT_MAX);
    return bio;
}

static bool tls_use_key(SSL_CTX *ssl_ctx, struct str pem)
{
    BIO *bio = tls_text(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, tls_no_passphrase, NULL);
    bool ok = key != NULL && SSL_CTX_use_PrivateKey(ssl_ctx, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok;
}

/* The leaf first, then at most TLS_CHAIN_MAX intermediates. */
static bool tls_use_chain(SSL_CTX *ssl_ctx, struct str pem)
{
    BIO *bio = tls_text(pem);
    X509 *cert = PEM_read_bio_X509(bio, NULL, tls_no_passphrase, NULL);
    bool ok = cert != NULL && SSL_CTX_use_certificate(ssl_ctx, cert) == 1;
    X509_free(cert);
    for (unsigned i = 0; ok && i < TLS_CHAIN_MAX; i++) {
        cert = PEM_read_bio_X509(bio, NULL, tls_no_passphrase, NULL);
        if (cert == NULL) {
            ERR_clear_error(); /* the end of the text */
            break;
        }
        ok = SSL_CTX_add1_chain_cert(ssl_ctx, cert) == 1;
        X509_free(cert);
    }
    BIO_free(bio);
    return ok;
}

static bool tls_load_texts(SSL_CTX *ssl_ctx, const struct tls_options *options, struct err *err)
{
    if (!tls_use_chain(ssl_ctx, options->cert)) {
        return err_set(err, "certificate: %s", tls_why());
    }
    /* also when it does not belong to the certificate */
    return tls_use_key(ssl_ctx, options->key) || err_set(err, "key: %s", tls_why());
}

static bool tls_load_files(SSL_CTX *ssl_ctx, const struct tls_options *options, struct err *err)
{
    if (SSL_CTX_use_certificate_chain_file(ssl_ctx, options->cert_file) != 1) {
        return err_set(err, "certificate file '%s': %s", options->cert_file, tls_why());
    }
    if (SSL_CTX_use_PrivateKey_file(ssl_ctx, options->key_file, SSL_FILETYPE_PEM) != 1) {
        return err_set(err, "key file '%s': %s", options->key_file, tls_why());
    }
    if (SSL_CTX_check_private_key(ssl_ctx) != 1) {
        return err_set(err, "key file '%s' does not belong to certificate file '%s': %s",
                       options->key_file, options->cert_file, tls_why());
    }
    return true;
}

/* Each is told to clients as one whose certificates are taken, and trusted. */
static bool tls_trust_text(SSL_CTX *ssl_ctx, struct str pem, struct err *err)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
    BIO *bio = tls_text(pem);
    unsigned count = 0;
    bool ok = true;
    for (; ok && count < TLS_AUTHORITIES_MAX; count++) {
        X509 *ca = PEM_read_bio_X509(bio, NULL, tls_no_passphrase, NULL);
        if (ca == NULL) {
            break;
        }
        ok = X509_STORE_add_cert(store, ca) == 1 && SSL_CTX_add_client_CA(ssl_ctx, ca) == 1;
        X509_free(ca);
    }
    BIO_free(bio);
    if (!ok || count == 0) {
        return err_set(err, "CAs of clients: %s", tls_why());
    }
    ERR_clear_error(); /* the end of the text */
    return true;
}

static bool tls_trust_file(SSL_CTX *ssl_ctx, const char *path, struct err *err)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (names == NULL || SSL_CTX_load_verify_locations(ssl_ctx, path, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return err_set(err, "client CA file '%s': %s", path, tls_why());
    }
    SSL_CTX_set_client_CA_list(ssl_ctx, names);
    return true;
}

static bool tls_load(SSL_CTX *ssl_ctx, const struct tls_options *options, struct err *err)
{
    ERR_clear_error();
    bool ok = options->cert.len > 0 ? tls_load_texts(ssl_ctx, options, err)
                                    : tls_load_files(ssl_ctx, options, err);
    if (!ok) {
        return false;
    }
    if (options->client_ca.len == 0 && options->client_ca_file == NULL) {
        return true;
    }
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return options->client_ca.len > 0 ? tls_trust_text(ssl_ctx, options->client_ca, err)
                                      : tls_trust_file(ssl_ctx, options->client_ca_file, err);
}

struct tls_context *tls_context_new(const struct tls_options *options, struct err *err)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_server_method());
    if (ssl_ctx == NULL) {
        err_set(err, "TLS context: %s", tls_why());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ssl_ctx, 0); /* connections live for days: nothing to resume */
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_passwd_cb(ssl_ctx, tls_no_passphrase);
    if (!tls_load(ssl_ctx, options, err)) {
        SSL_CTX_free(ssl_ctx);
        return NULL;
    }
    struct tls_context *context = xcalloc(1, sizeof(*context));
    atomic_init(&context->refs, 1);
    context->ssl_ctx = ssl_ctx;
    tls_set_alpn(context, options->alpn);
    return context;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
    return context;
}

void tls_context_unref(struct tls_context *context)
{
    if (context != NULL &&
        atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) == 1) {
        SSL_CTX_free(context->ssl_ctx);
        free(context);
    }
}

struct tls *tls_new(struct tls_context *context)
{
    struct tls *tls = xcalloc(1, sizeof(*tls));
    tls->context = tls_context_ref(context);
    tls->ssl = SSL_new(context->ssl_ctx);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    ASSERT(tls->ssl != NULL && tls->in != NULL && tls->out != NULL);
    BIO_set_mem_eof_return(tls->in, -1); /* empty means "later", not "end" */
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void tls_free(struct tls *tls)
{
    if (tls != NULL) {
        SSL_free(tls->ssl);
        tls_context_unref(tls->context);
        free(tls);
    }
}

void tls_feed(struct tls *tls, const uint8_t *data, size_t len)
{
    ASSERT(len <= INT_MAX);
    ASSERT(len == 0 || BIO_write(tls->in, data, (int)len) == (int)len);
}

enum tls_result tls_read(struct tls *tls, uint8_t *ret_data, size_t size, size_t *ret_len,
                         struct err *err)
{
    ERR_clear_error();
    size_t len = 0;
    if (SSL_read_ex(tls->ssl, ret_data, size, &len) == 1) {
        *ret_len = len;
        return TLS_DATA;
    }
    switch (SSL_get_error(tls->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return TLS_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    default:
        err_set(err, "TLS %s: %s", tls_ready(tls) ? "connection" : "handshake", tls_why());
        return TLS_FAILED;
    }
}

bool tls_write(struct tls *tls, const uint8_t *data, size_t len, struct err *err)
{
    ERR_clear_error();
    size_t done = 0;
    if (len > 0 && (SSL_write_ex(tls->ssl, data, len, &done) != 1 || done != len)) {
        return err_set(err, "TLS connection: %s", tls_why());
    }
    return true;
}

void tls_goodbye(struct tls *tls)
{
    if (tls_ready(tls)) {
        SSL_shutdown(tls->ssl);
        ERR_clear_error();
    }
}

struct str tls_output(const struct tls *tls)
{
    char *data = NULL;
    long len = BIO_get_mem_data(tls->out, &data);
    return str_span(data, len > 0 ? (size_t)len : 0);
}

void tls_output_sent(struct tls *tls)
{
    (void)BIO_reset(tls->out);
}

bool tls_ready(const struct tls *tls)
{
    return SSL_is_init_finished(tls->ssl) == 1;
}

bool tls_peer_uri(const struct tls *tls, struct buf *ret_uri)
{
    X509 *cert = SSL_get0_peer_certificate(tls->ssl);
    if (cert == NULL || SSL_get_verify_result(tls->ssl) != X509_V_OK) {
        return false;
    }
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
    bool found = false;
    for (int i = 0; i < count && i < TLS_NAMES_MAX && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_URI) {
            const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
            buf_add(ret_uri, ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
            found = true;
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}
