/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_schema: tables and rules that Gateways, ListenerSets and BackendTLSPolicies share. For
 * the model folder only. */
#ifndef HEDDLE_MODEL_GATEWAY_SCHEMA_H
#define HEDDLE_MODEL_GATEWAY_SCHEMA_H

#include "model/gateway.h"

#define TLS_OPTIONS_MAX 16
#define AUTHORITIES_MAX 16 /* caCertificateRefs of a Gateway */

#define NAMED_REF_GROUP(...)                                                                       \
    FIELD(STR, "group", struct named_ref, group, .format = &format_group, __VA_ARGS__)
#define NAMED_REF_KIND(...)                                                                        \
    FIELD(STR, "kind", struct named_ref, kind, .format = &format_kind, __VA_ARGS__)
#define NAMED_REF_NAME                                                                             \
    FIELD(STR, "name", struct named_ref, name, .required = true, .format = &format_object_name)
#define NAMED_REF_NAMESPACE FIELD(STR, "namespace", struct named_ref, ns, .format = &format_label)

#define TLS_OPTIONS_FIELD(owner)                                                                   \
    FIELD(STR_MAP, "options", owner, options, .value_format = &format_annotation_value,            \
          .max = TLS_OPTIONS_MAX)

extern const struct schema secret_ref_schema; /* SecretObjectReference: a Secret by default */
extern const struct schema listener_schema;

/* What must hold between the listeners of a Gateway or ListenerSet, which node has as `listeners`.
 */
void gateway_check_listeners(const struct listener *listeners, size_t len,
                             const struct doc_node *node, struct problems *problems,
                             struct str path);

#endif
