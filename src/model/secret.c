/* SPDX-License-Identifier: Apache-2.0 */
/* secret: what of a Secret or a ConfigMap is read, and can it be used? */
#include "model/secret.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/x509.h"

#define CERT_KEY "tls.crt"
#define PRIVATE_KEY_KEY "tls.key"

/* --- Secret -------------------------------------------------------------------------------- */

bool tls_secret_is_read(const struct doc_node *node)
{
    return str_eq(doc_text(node, STR("type")), STR(SECRET_TLS_TYPE));
}

/* Into the arena, which is wiped when it is freed. *text is empty when it is no base64. */
static void decode(struct str *text, struct arena *arena)
{
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    (void)buf_reserve(&out, text->len); /* more than it comes to: the bytes never move */
    *text = base64_decode(*text, &out) ? arena_str(arena, buf_str(&out)) : STR_NULL;
    explicit_bzero(out.data, out.cap);
    buf_release(&out);
}

static void finish_data(void *obj, struct arena *arena)
{
    struct tls_secret *secret = obj;
    decode(&secret->cert, arena);
    decode(&secret->key, arena);
}

static const struct field data_fields[] = {
    FIELD(STR, CERT_KEY, struct tls_secret, cert),
    FIELD(STR, PRIVATE_KEY_KEY, struct tls_secret, key),
    FIELD_END,
};
static const struct schema data_schema = {
    .name = "data", .fields = data_fields, .finish = finish_data, .others = true};

static const struct field string_data_fields[] = {
    FIELD(STR, CERT_KEY, struct tls_secret, plain_cert),
    FIELD(STR, PRIVATE_KEY_KEY, struct tls_secret, plain_key),
    FIELD_END,
};
static const struct schema string_data_schema = {
    .name = "stringData", .fields = string_data_fields, .others = true};

static struct str find_fault(const struct tls_secret *secret, struct arena *arena)
{
    struct str fault = x509_certificates_fault(secret->cert);
    if (fault.len > 0) {
        return arena_printf(arena, CERT_KEY " %.*s", STR_FMT(fault));
    }
    fault = x509_key_fault(secret->key, secret->cert);
    return fault.len > 0 ? arena_printf(arena, PRIVATE_KEY_KEY " %.*s", STR_FMT(fault)) : STR_NULL;
}

/* "stringData … overwrites any existing values" (core/v1 Secret). */
static void finish_secret(void *obj, struct arena *arena)
{
    struct tls_secret *secret = obj;
    secret->cert = secret->plain_cert.len > 0 ? secret->plain_cert : secret->cert;
    secret->key = secret->plain_key.len > 0 ? secret->plain_key : secret->key;
    secret->plain_cert = secret->plain_key = STR_NULL;
    secret->fault = find_fault(secret, arena);
}

static const struct field secret_fields[] = {
    OBJECT_FIELDS,
    FIELD(STR, "type", struct tls_secret, type, .required = true),
    FIELD_FLAT("data", &data_schema, .secret = true),
    FIELD_FLAT("stringData", &string_data_schema, .secret = true),
    FIELD_KNOWN("immutable"),
    FIELD_END,
};
const struct schema tls_secret_schema = {.name = "a Secret",
                                         .size = sizeof(struct tls_secret),
                                         .fields = secret_fields,
                                         .finish = finish_secret,
                                         .open = true};

/* --- ConfigMap ----------------------------------------------------------------------------- */

static bool is_parameter_key(struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
            return false;
        }
    }
    return key.len > 0 && key.len <= CONFIG_MAP_KEY_MAX;
}

/* ConfigMaps hold whole files: what nobody asks for is not copied. */
static bool is_read(struct str key, struct str value)
{
    return str_eq(key, STR(CONFIG_MAP_AUTHORITIES)) ||
           (value.len <= CONFIG_MAP_VALUE_MAX && is_parameter_key(key));
}

static void finish_config_map(void *obj, struct arena *arena)
{
    struct config_map *map = obj;
    size_t kept = 0, parameters = 0;
    bool has_authorities = false;
    for (size_t i = 0; i < map->parameters.len; i++) {
        struct str_pair pair = map->parameters.items[i];
        bool authorities = str_eq(pair.key, STR(CONFIG_MAP_AUTHORITIES));
        if (authorities) {
            map->authorities = pair.value;
            has_authorities = true;
        }
        if (authorities || parameters++ < CONFIG_MAP_PARAMETERS_MAX) {
            map->parameters.items[kept++] = pair;
        }
    }
    map->parameters.len = kept;
    struct str fault = has_authorities ? x509_authorities_fault(map->authorities) : STR_NULL;
    map->fault = fault.len > 0 ? arena_printf(arena, CONFIG_MAP_AUTHORITIES " %.*s", STR_FMT(fault))
                               : STR_NULL;
}

static const struct field config_map_fields[] = {
    OBJECT_FIELDS,
    FIELD(STR_MAP, "data", struct config_map, parameters, .reads = is_read),
    FIELD_KNOWN("binaryData"),
    FIELD_KNOWN("immutable"),
    FIELD_END,
};
const struct schema config_map_schema = {.name = "a ConfigMap",
                                         .size = sizeof(struct config_map),
                                         .fields = config_map_fields,
                                         .finish = finish_config_map,
                                         .open = true};

/* --- what is worth a warning --------------------------------------------------------------- */

/* fault begins with the key that it is about. */
static void report(struct str fault, const struct doc_node *node, struct problems *problems,
                   const char *remedy)
{
    if (fault.len == 0) {
        return;
    }
    struct str key = str_sub(fault, 0, str_index(fault, ' '));
    const struct doc_node *plain = doc_get(node, STR("stringData"));
    const char *field = doc_get(plain, key) != NULL ? "stringData" : "data";
    const struct doc_node *data = doc_get(node, str_from(field));
    const struct doc_node *at = doc_get(data, key) != NULL ? doc_get(data, key)
                                : data != NULL             ? data
                                                           : node;
    problems_report(problems, PROBLEM_unusable_certificate, at->line, at->column,
                    arena_printf(problems->arena, "%s.%.*s", field, STR_FMT(key)), str_from(remedy),
                    "%.*s", STR_FMT(fault));
}

void tls_secret_review(const struct object *object, const struct doc_node *node,
                       struct problems *problems)
{
    report(((const struct tls_secret *)object)->fault, node, problems,
           "write a chain of certificates, leaf first, and the leaf's key, in PEM");
}

void config_map_review(const struct object *object, const struct doc_node *node,
                       struct problems *problems)
{
    report(((const struct config_map *)object)->fault, node, problems, "write certificates in PEM");
}
