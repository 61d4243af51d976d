/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: Secrets of type kubernetes.io/tls and ConfigMaps, as far as Gateways and policies name
 * them: certificates, and whom to trust.
 *
 * Whether a certificate is usable is found out once, when it is read. Keys are never dumped,
 * logged or kept on disk; equality looks at the bytes.
 */
#ifndef HEDDLE_MODEL_SECRET_H
#define HEDDLE_MODEL_SECRET_H

#include "model/object.h"

#define SECRET_TLS_TYPE "kubernetes.io/tls"

struct tls_secret {
    struct object object;
    struct str type;
    struct str cert; /* PEM, decoded: leaf first */
    struct str key;  /* PEM, decoded */
    /* Not empty: why it cannot serve ("tls.crt: no certificate in it", "tls.key belongs to another
     * certificate"). The time is not looked at. */
    struct str fault;
};

struct config_map {
    struct object object;
    struct str authorities; /* data["ca.crt"]; empty: it has none */
    struct str fault;       /* of them: why nobody can be trusted by them; empty: they are good */
    LIST(struct str_pair) parameters; /* the other keys of ir/parameter.def, sorted */
};

extern const struct schema tls_secret_schema;
extern const struct schema config_map_schema;

#endif
