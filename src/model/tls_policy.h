/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_policy: BackendTLSPolicy v1: how Gateways speak TLS to a Service.
 * Source: apis/v1/backendtlspolicy_types.go, GEP-1897.
 */
#ifndef HEDDLE_MODEL_TLS_POLICY_H
#define HEDDLE_MODEL_TLS_POLICY_H

#include "model/gateway.h"

struct tls_policy_target { /* LocalPolicyTargetReferenceWithSectionName */
    struct str group;
    struct str kind;
    struct str name;
    struct str section_name; /* the port's name; empty: every port */
    uint32_t line;
};

enum san_type { SAN_HOSTNAME, SAN_URI };
struct subject_alt_name {
    int type; /* enum san_type */
    struct str hostname;
    struct str uri;
};

struct tls_policy {
    struct object object;
    LIST(struct tls_policy_target) targets;
    LIST(struct named_ref) authorities; /* caCertificateRefs: of its namespace */
    struct str well_known;              /* "System", or empty */
    struct str hostname;
    LIST(struct subject_alt_name) sans;
    LIST(struct str_pair) options;
};

extern const struct schema tls_policy_schema;

#endif
