/* SPDX-License-Identifier: Apache-2.0 */
/* keyring: what is in the Secret, and when which step of its life is due. */
#include "ca/keyring.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/panic.h"
#include "ca/certificate.h"
#include "codec/base64.h"

#define TOKEN_BYTES 32

/* The CAs of a bundle, one by one. */
struct authorities {
    struct str certs[KEYRING_AUTHORITIES_MAX];
    size_t len;
};

static struct str keep(struct arena *arena, struct buf *buf)
{
    struct str text = arena_str(arena, buf_str(buf));
    if (buf->data != NULL) {
        OPENSSL_cleanse(buf->data, buf->cap);
    }
    buf_release(buf);
    return text;
}

static void split(struct arena *arena, struct str bundle, struct authorities *ret)
{
    struct str rest = bundle;
    ret->len = 0;
    while (ret->len < KEYRING_AUTHORITIES_MAX) {
        struct buf cert;
        buf_init(&cert, CERTIFICATE_PEM_MAX);
        bool more = certificate_cut(&rest, &cert);
        struct str text = keep(arena, &cert);
        if (!more) {
            break;
        }
        ret->certs[ret->len++] = text;
    }
}

static struct str join(struct arena *arena, const struct authorities *of)
{
    struct buf out;
    buf_init(&out, (size_t)KEYRING_AUTHORITIES_MAX * CERTIFICATE_PEM_MAX);
    for (size_t i = 0; i < of->len; i++) {
        buf_add_str(&out, of->certs[i]);
    }
    return keep(arena, &out);
}

static bool make_authority(struct arena *arena, int64_t now_s, struct str *ret_cert,
                           struct str *ret_key, struct err *err)
{
    struct buf cert, key;
    struct certificate_life life = {now_s - CERTIFICATE_SKEW_S, now_s + KEYRING_LIFE_S};
    buf_init(&cert, CERTIFICATE_PEM_MAX);
    buf_init(&key, CERTIFICATE_PEM_MAX);
    bool ok = certificate_authority(life, &cert, &key, err);
    *ret_cert = keep(arena, &cert);
    *ret_key = keep(arena, &key);
    return ok;
}

bool keyring_make(int64_t now_s, struct keyring *ret_ring, struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[TOKEN_BYTES];
    char token[2 * TOKEN_BYTES];
    struct keyring ring = {.bundle = STR_NULL};
    arena_init(&ring.arena);
    if (RAND_bytes(random, sizeof(random)) != 1) {
        return err_set(err, "no random bytes");
    }
    for (size_t i = 0; i < TOKEN_BYTES; i++) {
        token[2 * i] = digits[random[i] >> 4];
        token[2 * i + 1] = digits[random[i] & 15];
    }
    ring.token = arena_str(&ring.arena, str_span(token, sizeof(token)));
    if (!make_authority(&ring.arena, now_s, &ring.cert, &ring.key, err)) {
        keyring_release(&ring);
        return false;
    }
    ring.bundle = ring.cert;
    *ret_ring = ring;
    return true;
}

/* --- the Secret ------------------------------------------------------------------------------ */

static const struct field {
    struct str name;
    size_t at;
    bool required;
} fields[] = {
    {STR("ca.crt"), offsetof(struct keyring, bundle), true},
    {STR("ca.key"), offsetof(struct keyring, key), true},
    {STR("next.key"), offsetof(struct keyring, next_key), false},
    {STR("token"), offsetof(struct keyring, token), true},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static struct str *field_of(struct keyring *ring, const struct field *field)
{
    return (struct str *)(void *)((char *)ring + field->at);
}

static bool read_field(const struct doc_node *data, const struct field *field, struct keyring *ring,
                       struct err *err)
{
    const struct doc_node *node = doc_get(data, field->name);
    struct buf value;
    if (node == NULL || node->type == DOC_NULL || node->text.len == 0) {
        return !field->required || err_set(err, "'%.*s' is missing", STR_FMT(field->name));
    }
    buf_init(&value, (size_t)KEYRING_AUTHORITIES_MAX * CERTIFICATE_PEM_MAX);
    bool ok = base64_decode(node->text, &value) && buf_ok(&value);
    *field_of(ring, field) = keep(&ring->arena, &value);
    return ok || err_set(err, "'%.*s' is no base64", STR_FMT(field->name));
}

static bool check(struct keyring *ring, struct err *err)
{
    struct authorities of;
    split(&ring->arena, ring->bundle, &of);
    if (of.len == 0) {
        return err_set(err, "'ca.crt' holds no certificate");
    }
    ring->cert = of.certs[0];
    ring->bundle = join(&ring->arena, &of);
    if (!certificate_check_key(ring->cert, ring->key, err)) {
        return err_prefix(err, "'ca.key' does not belong to the first certificate of 'ca.crt'");
    }
    if (ring->next_key.len > 0 &&
        !certificate_check_key(of.certs[of.len - 1], ring->next_key, err)) {
        return err_prefix(err, "'next.key' does not belong to the last certificate of 'ca.crt'");
    }
    return ring->token.len >= KEYRING_TOKEN_MIN ||
           err_set(err, "'token' is shorter than %d bytes", KEYRING_TOKEN_MIN);
}

bool keyring_read(const struct doc_node *data, struct keyring *ret_ring, struct err *err)
{
    struct keyring ring = {.bundle = STR_NULL};
    arena_init(&ring.arena);
    bool ok = true;
    for (size_t i = 0; i < FIELDS && ok; i++) {
        ok = read_field(data, &fields[i], &ring, err);
    }
    if (!ok || !check(&ring, err)) {
        keyring_release(&ring);
        return false;
    }
    *ret_ring = ring;
    return true;
}

void keyring_write(const struct keyring *ring, struct json *json)
{
    struct keyring borrowed = *ring;
    for (size_t i = 0; i < FIELDS; i++) {
        struct str value = *field_of(&borrowed, &fields[i]);
        json_key_str(json, fields[i].name);
        if (value.len == 0) {
            json_nil(json);
            continue;
        }
        struct buf text;
        buf_init(&text, BUF_UNLIMITED);
        base64_encode(value, &text);
        json_str(json, buf_str(&text));
        OPENSSL_cleanse(text.data, text.cap);
        buf_release(&text);
    }
}

/* --- its life -------------------------------------------------------------------------------- */

static bool ended(struct str cert, int64_t now_s)
{
    struct certificate_life life;
    return !certificate_read_life(cert, &life, NULL) || life.to < now_s;
}

/* Of those that do not sign, the ones that have ended. Returns whether there were any. */
static bool drop_ended(struct authorities *of, int64_t now_s)
{
    size_t kept = 1;
    for (size_t i = 1; i < of->len; i++) {
        if (!ended(of->certs[i], now_s)) {
            of->certs[kept++] = of->certs[i];
        }
    }
    bool any = kept < of->len;
    of->len = kept;
    return any;
}

/* The next one signs; what signed stays trusted, behind it. */
static void promote(struct keyring *ring, struct authorities *of)
{
    struct str next = of->certs[of->len - 1];
    memmove(&of->certs[1], &of->certs[0], (of->len - 1) * sizeof(of->certs[0]));
    of->certs[0] = next;
    ring->key = ring->next_key;
    ring->next_key = STR_NULL;
}

/* When the last one of the bundle began to be trusted: when it was made. */
static bool trusted_long_enough(struct str cert, int64_t now_s)
{
    struct certificate_life life;
    return certificate_read_life(cert, &life, NULL) &&
           life.from + CERTIFICATE_SKEW_S + KEYRING_OVERLAP_S <= now_s;
}

static bool step(struct keyring *ring, struct authorities *of, int64_t now_s, const char **ret_what,
                 struct err *err)
{
    struct certificate_life life;
    if (!certificate_read_life(of->certs[0], &life, err)) {
        return false;
    }
    bool over = life.to < now_s; /* heddle was away for long: there is nothing to wait for */
    if (ring->next_key.len == 0 && life.to - now_s < KEYRING_RENEW_S) {
        if (of->len == KEYRING_AUTHORITIES_MAX) {
            of->len--; /* the oldest: that many are not made in one CA's life */
        }
        if (!make_authority(&ring->arena, now_s, &of->certs[of->len], &ring->next_key, err)) {
            return false;
        }
        of->len++;
        *ret_what = "the next CA is trusted";
        if (!over) {
            return true;
        }
    }
    if (ring->next_key.len > 0 && (over || trusted_long_enough(of->certs[of->len - 1], now_s))) {
        promote(ring, of);
        *ret_what = "the next CA signs";
        return true;
    }
    if (drop_ended(of, now_s)) {
        *ret_what = "a CA that has ended is dropped";
        return true;
    }
    return false;
}

bool keyring_advance(const struct keyring *ring, int64_t now_s, struct keyring *ret_ring,
                     const char **ret_what, struct err *err)
{
    struct authorities of;
    struct keyring next = {.bundle = STR_NULL};
    arena_init(&next.arena);
    err->text[0] = '\0';
    split(&next.arena, ring->bundle, &of);
    ASSERT(of.len > 0); /* whoever made the keyring has seen to it */
    next.key = arena_str(&next.arena, ring->key);
    next.next_key = arena_str(&next.arena, ring->next_key);
    next.token = arena_str(&next.arena, ring->token);
    if (!step(&next, &of, now_s, ret_what, err)) {
        keyring_release(&next);
        return false;
    }
    next.cert = of.certs[0];
    next.bundle = join(&next.arena, &of);
    *ret_ring = next;
    return true;
}

bool keyring_equal(const struct keyring *a, const struct keyring *b)
{
    return str_eq(a->bundle, b->bundle) && str_eq(a->key, b->key) &&
           str_eq(a->next_key, b->next_key) && str_eq(a->token, b->token);
}

void keyring_wipe(struct str text)
{
    if (text.len > 0) {
        OPENSSL_cleanse((void *)(uintptr_t)text.ptr, text.len);
    }
}

void keyring_release(struct keyring *ring)
{
    keyring_wipe(ring->key);
    keyring_wipe(ring->next_key);
    keyring_wipe(ring->token);
    arena_release(&ring->arena);
    *ring = (struct keyring){.bundle = STR_NULL};
}
