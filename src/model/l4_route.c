/* SPDX-License-Identifier: Apache-2.0 */
/*
 * l4_route: which fields do a TLSRoute, a TCPRoute and a UDPRoute have?
 *
 * Served is v1 alone: v1alpha2 and v1alpha3 belong to the experimental channel, and v1alpha2 admits
 * what v1 forbids (16 rules, a TLSRoute without hostnames).
 */
#include "model/route_schema.h"

static const struct field backend_fields[] = {
    WEIGHTED_REF_FIELDS,
    FIELD_END,
};
static const struct schema backend_schema = {.name = "a backendRef",
                                             .size = sizeof(struct backend_ref),
                                             .fields = backend_fields,
                                             .check = route_check_object_ref};

static const struct field rule_fields[] = {
    FIELD(STR, "name", struct l4_rule, name, .format = &format_subdomain),
    FIELD(LIST, "backendRefs", struct l4_rule, backends, .required = true,
          .schema = &backend_schema, .min = 1, .max = ROUTE_ITEMS_MAX),
    FIELD_LINE_OF(struct l4_rule),
    FIELD_FAULT_OF(struct l4_rule),
    FIELD_END,
};

/* As of an HTTPRoute's rule: its connections are refused. */
static void finish_rule(void *obj, struct arena *arena)
{
    struct l4_rule *rule = obj;
    (void)arena;
    if (rule->fault.len > 0) {
        rule->backends.len = 0;
    }
}

static const struct schema rule_schema = {
    .name = "a rule", .size = sizeof(struct l4_rule), .fields = rule_fields, .finish = finish_rule};

#define RULES_FIELD                                                                                \
    FIELD(LIST, "rules", struct l4_route, rules, .required = true, .schema = &rule_schema,         \
          .min = 1, .max = 1)
#define OBJECT_AND_SPEC(spec_schema)                                                               \
    OBJECT_FIELDS, FIELD_FLAT("spec", &(spec_schema), .required = true), FIELD_KNOWN("status")

static void check_spec(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct l4_route *route = obj;
    route_check_parents(&route->route, node, problems, path);
}

/* --- TLSRoute ------------------------------------------------------------------------------ */

static const struct field tls_spec_fields[] = {
    ROUTE_COMMON_FIELDS,
    FIELD(STR_LIST, "hostnames", struct route, hostnames, .required = true,
          .format = &format_server_name, .min = 1, .max = ROUTE_SERVER_NAMES_MAX),
    RULES_FIELD,
    FIELD_END,
};
static const struct schema tls_spec_schema = {
    .name = "a TLSRoute's spec", .fields = tls_spec_fields, .check = check_spec};

static const struct field tls_route_fields[] = {
    OBJECT_AND_SPEC(tls_spec_schema),
    FIELD_END,
};
const struct schema tls_route_schema = {
    .name = "a TLSRoute", .size = sizeof(struct l4_route), .fields = tls_route_fields};

/* --- TCPRoute, UDPRoute -------------------------------------------------------------------- */

static const struct field plain_spec_fields[] = {
    ROUTE_COMMON_FIELDS,
    RULES_FIELD,
    FIELD_END,
};
static const struct schema tcp_spec_schema = {
    .name = "a TCPRoute's spec", .fields = plain_spec_fields, .check = check_spec};
static const struct schema udp_spec_schema = {
    .name = "a UDPRoute's spec", .fields = plain_spec_fields, .check = check_spec};

static const struct field tcp_route_fields[] = {
    OBJECT_AND_SPEC(tcp_spec_schema),
    FIELD_END,
};
const struct schema tcp_route_schema = {
    .name = "a TCPRoute", .size = sizeof(struct l4_route), .fields = tcp_route_fields};

static const struct field udp_route_fields[] = {
    OBJECT_AND_SPEC(udp_spec_schema),
    FIELD_END,
};
const struct schema udp_route_schema = {
    .name = "a UDPRoute", .size = sizeof(struct l4_route), .fields = udp_route_fields};
