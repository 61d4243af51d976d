/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: Secrets of type kubernetes.io/tls and ConfigMaps, as far as Gateways and policies name
 * them: certificates, and whom to trust.
 *
 * Whether a certificate is usable is found out once, when it is read (codec/x509.h). The data of
 * Secrets is never dumped, logged or kept on disk, and its memory is wiped when the row is freed;
 * equality looks at the bytes.
 */
#ifndef HEDDLE_MODEL_SECRET_H
#define HEDDLE_MODEL_SECRET_H

#include "model/object.h"

#define SECRET_TLS_TYPE "kubernetes.io/tls"

struct tls_secret {
    struct object object;
    struct str type;
    struct str cert;       /* PEM, decoded: leaf first */
    struct str key;        /* PEM, decoded */
    struct str plain_cert; /* of stringData, while it is read */
    struct str plain_key;
    /* Not empty: why it cannot serve ("tls.crt has no certificate in it", "tls.key belongs to
     * another certificate"). */
    struct str fault;
};

#define CONFIG_MAP_AUTHORITIES "ca.crt"
#define CONFIG_MAP_PARAMETERS_MAX 64
#define CONFIG_MAP_KEY_MAX 40
#define CONFIG_MAP_VALUE_MAX 256

struct config_map {
    struct object object;
    struct str authorities; /* data["ca.crt"]; empty: it has none */
    struct str fault;       /* of them: why nobody can be trusted by them; empty: they are good */
    /* Of `data`, sorted: what may be a parameter (a short value of a key in lower case), at most
     * CONFIG_MAP_PARAMETERS_MAX; and ca.crt. */
    LIST(struct str_pair) parameters;
};

extern const struct schema tls_secret_schema;
extern const struct schema config_map_schema;

/* Whether a document is a Secret that is read: of another type, it is nobody's business. */
bool tls_secret_is_read(const struct doc_node *node);
/* Warn of what cannot be used. */
void tls_secret_review(const struct object *object, const struct doc_node *node,
                       struct problems *problems);
void config_map_review(const struct object *object, const struct doc_node *node,
                       struct problems *problems);

#endif
