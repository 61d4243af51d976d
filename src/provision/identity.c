/* SPDX-License-Identifier: Apache-2.0 */
/* identity: reads a Secret's certificate, and makes one. */
#include "provision/identity.h"

#include "ca/certificate.h"
#include "codec/base64.h"

/* --- reading --------------------------------------------------------------------------------- */

static bool decode(const struct doc_node *data, struct str key, struct buf *ret_text)
{
    buf_init(ret_text, CERTIFICATE_PEM_MAX);
    return base64_decode(doc_text(data, key), ret_text) && ret_text->len > 0;
}

struct identity identity_read(const struct doc_node *data)
{
    struct identity identity = {.whole = false};
    struct certificate_life life;
    struct buf cert, key, ca;
    bool all = decode(data, STR("tls.crt"), &cert);
    all = decode(data, STR("tls.key"), &key) && all;
    all = decode(data, STR("ca.crt"), &ca) && all;
    if (all && certificate_read_life(buf_str(&cert), &life, NULL) &&
        certificate_check_key(buf_str(&cert), buf_str(&key), NULL)) {
        identity.whole = true;
        identity.due_s = life.from + (life.to - life.from) / 3 * 2;
        identity.authorities = hash_bytes(buf_str(&ca));
    }
    keyring_wipe(buf_str(&key));
    buf_release(&cert);
    buf_release(&key);
    buf_release(&ca);
    return identity;
}

bool identity_is_due(const struct identity *identity, const struct keyring *ring, int64_t now_s)
{
    return !identity->whole || now_s >= identity->due_s ||
           !hash_eq(identity->authorities, hash_bytes(ring->bundle));
}

/* --- making ---------------------------------------------------------------------------------- */

static void write_object(struct str object, struct str cert, struct str key, struct str ca,
                         struct buf *out)
{
    const struct {
        const char *name;
        struct str text;
    } members[] = {{"ca.crt", ca}, {"tls.crt", cert}, {"tls.key", key}};
    buf_add_text(out, "{\"data\":{");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        buf_printf(out, "%s\"%s\":\"", i > 0 ? "," : "", members[i].name);
        base64_encode(members[i].text, out);
        buf_add_text(out, "\"");
    }
    buf_add_text(out, "},");
    buf_add_str(out, str_sub(object, 1, object.len));
}

bool identity_make(struct str object, struct str uri, const struct keyring *ring, int64_t now_s,
                   struct buf *ret_object, struct err *err)
{
    const struct certificate_life life = {now_s - CERTIFICATE_SKEW_S, now_s + IDENTITY_LIFE_S};
    struct buf cert, key;
    buf_init(&cert, CERTIFICATE_PEM_MAX);
    buf_init(&key, CERTIFICATE_PEM_MAX);
    bool made = certificate_sign_client(ring->cert, ring->key, uri, life, &cert, &key, err);
    if (made) {
        write_object(object, buf_str(&cert), buf_str(&key), ring->bundle, ret_object);
    }
    keyring_wipe(buf_str(&key));
    buf_release(&cert);
    buf_release(&key);
    return made;
}
