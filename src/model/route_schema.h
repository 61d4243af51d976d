/* SPDX-License-Identifier: Apache-2.0 */
/* route_schema: tables and rules that the route kinds share. For the model folder only. */
#ifndef HEDDLE_MODEL_ROUTE_SCHEMA_H
#define HEDDLE_MODEL_ROUTE_SCHEMA_H

#include "model/route.h"

#define ROUTE_RULES_MAX 16
#define ROUTE_PARENTS_MAX 32
#define ROUTE_HOSTNAMES_MAX 16
#define ROUTE_SERVER_NAMES_MAX 1024 /* hostnames of a TLSRoute */
#define ROUTE_MATCHES_MAX 64        /* of one rule */
#define ROUTE_ALL_MATCHES_MAX 128   /* of all rules together */
#define ROUTE_ITEMS_MAX 16          /* filters, backendRefs, header matches, … */
#define ROUTE_WEIGHT_MAX 1000000

extern const struct schema parent_ref_schema;
extern const struct schema object_ref_schema;
extern const struct schema http_match_schema;
extern const struct schema grpc_match_schema;
extern const struct schema http_filter_schema;
extern const struct schema grpc_filter_schema;
extern const struct schema session_schema;

/* The fields that a spec begins with. */
#define ROUTE_COMMON_FIELDS                                                                        \
    FIELD(LIST, "parentRefs", struct route, parents, .schema = &parent_ref_schema,                 \
          .max = ROUTE_PARENTS_MAX),                                                               \
        FIELD(STR, "useDefaultGateways", struct route, default_gateways,                           \
              .names = route_default_names)
#define ROUTE_FIELDS                                                                               \
    ROUTE_COMMON_FIELDS, FIELD(STR_LIST, "hostnames", struct route, hostnames,                     \
                               .format = &format_hostname_any, .max = ROUTE_HOSTNAMES_MAX)
extern const char *const route_default_names[];

/* The fields of an object_ref that lies at `member` of `owner`. */
#define OBJECT_REF_FIELDS(owner, member)                                                           \
    FIELD(STR, "group", owner, member group, .format = &format_group, .fallback = ""),             \
        FIELD(STR, "kind", owner, member kind, .format = &format_kind, .fallback = "Service"),     \
        FIELD(STR, "name", owner, member name, .required = true, .format = &format_object_name),   \
        FIELD(STR, "namespace", owner, member ns, .format = &format_label),                        \
        FIELD(INT, "port", owner, member port, .min = 1, .max = 65535,                             \
              FIELD_HAS(owner, member has_port))

#define WEIGHTED_REF_FIELDS                                                                        \
    OBJECT_REF_FIELDS(struct backend_ref, ref.),                                                   \
        FIELD(INT, "weight", struct backend_ref, weight, .max = ROUTE_WEIGHT_MAX,                  \
              .fallback = "1"),                                                                    \
        FIELD_LINE_OF(struct backend_ref)
#define BACKEND_REF_FIELDS(filter_schema)                                                          \
    WEIGHTED_REF_FIELDS, FIELD(LIST, "filters", struct backend_ref, filters,                       \
                               .schema = (filter_schema), .max = ROUTE_ITEMS_MAX)

/* Of header and query parameter matches. */
extern const char *const route_match_names[];
void route_check_header(const void *obj, const struct doc_node *node, struct problems *problems,
                        struct str path);

/* The backend_ref begins with its object_ref, so this serves both. */
void route_check_object_ref(const void *obj, const struct doc_node *node, struct problems *problems,
                            struct str path);
void route_check_backend_ref(const void *obj, const struct doc_node *node,
                             struct problems *problems, struct str path);
/* Which filters may not stand together in one list. `node` has the list as "filters". */
void route_check_filters(const struct filter *filters, size_t len, const struct doc_node *node,
                         struct problems *problems, struct str path);
/* A value of type RegularExpression, in the member `field` of node, that some data plane could not
 * compile: HED008. */
void route_check_regex(const struct doc_node *node, const char *field, struct str value,
                       struct problems *problems, struct str path);
/* parentRefs that cannot be told apart. */
void route_check_parents(const struct route *route, const struct doc_node *node,
                         struct problems *problems, struct str path);
/* More matches than all rules together may have. */
void route_check_match_count(size_t matches, const struct doc_node *node, struct problems *problems,
                             struct str path);

/* A rule between fields is broken: HED010 at the member `field` of node, or at node itself when
 * there is none. */
void route_report(const struct doc_node *node, const char *field, struct problems *problems,
                  struct str path, const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

#endif
