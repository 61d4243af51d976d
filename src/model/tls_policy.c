/* SPDX-License-Identifier: Apache-2.0 */
/* tls_policy: which fields does a BackendTLSPolicy have, and what must hold between them? */
#include "model/tls_policy.h"

#include <inttypes.h>

#include "model/gateway_schema.h"
#include "model/route_schema.h"

#define TARGETS_MAX 16
#define POLICY_AUTHORITIES_MAX 8
#define SANS_MAX 5

static const struct field target_fields[] = {
    FIELD(STR, "group", struct tls_policy_target, group, .required = true, .format = &format_group),
    FIELD(STR, "kind", struct tls_policy_target, kind, .required = true, .format = &format_kind),
    FIELD(STR, "name", struct tls_policy_target, name, .required = true,
          .format = &format_object_name),
    FIELD(STR, "sectionName", struct tls_policy_target, section_name, .format = &format_subdomain),
    FIELD_LINE_OF(struct tls_policy_target),
    FIELD_END,
};
static const struct schema target_schema = {
    .name = "a targetRef", .size = sizeof(struct tls_policy_target), .fields = target_fields};

/* --- validation ---------------------------------------------------------------------------- */

static const struct field authority_fields[] = {
    /* LocalObjectReference */
    NAMED_REF_GROUP(.required = true),
    NAMED_REF_KIND(.required = true),
    NAMED_REF_NAME,
    FIELD_LINE_OF(struct named_ref),
    FIELD_END,
};
static const struct schema authority_schema = {
    .name = "a caCertificateRef", .size = sizeof(struct named_ref), .fields = authority_fields};

static const char *const san_names[] = {[SAN_HOSTNAME] = "Hostname", [SAN_URI] = "URI", NULL};

static void check_san(const void *obj, const struct doc_node *node, struct problems *problems,
                      struct str path)
{
    const struct subject_alt_name *san = obj;
    const char *type = san_names[san->type];
    const char *wanted = san->type == SAN_URI ? "uri" : "hostname";
    const char *other = san->type == SAN_URI ? "hostname" : "uri";
    if ((san->type == SAN_URI ? san->uri : san->hostname).len == 0) {
        route_report(node, wanted, problems, path, "make 'type' and the value agree",
                     "a name of type '%s' lacks '%s'", type, wanted);
    }
    if ((san->type == SAN_URI ? san->hostname : san->uri).len > 0) {
        route_report(node, other, problems, path, "make 'type' and the value agree",
                     "'%s' is set, but the type is '%s'", other, type);
    }
}

static const struct field san_fields[] = {
    FIELD(ENUM, "type", struct subject_alt_name, type, .required = true, .names = san_names),
    FIELD(STR, "hostname", struct subject_alt_name, hostname, .format = &format_hostname_any),
    FIELD(STR, "uri", struct subject_alt_name, uri, .format = &format_uri),
    FIELD_END,
};
static const struct schema san_schema = {.name = "a subjectAltName",
                                         .size = sizeof(struct subject_alt_name),
                                         .fields = san_fields,
                                         .check = check_san};

/* The standard channel's rule, which an empty list keeps; the experimental one counts it. */
static void check_validation(const void *obj, const struct doc_node *node,
                             struct problems *problems, struct str path)
{
    const struct tls_policy *policy = obj;
    if (policy->authorities.len > 0 && policy->well_known.len > 0) {
        route_report(node, "wellKnownCACertificates", problems, path, "remove one of the two",
                     "'caCertificateRefs' and 'wellKnownCACertificates' exclude each other");
    } else if (policy->authorities.len == 0 && policy->well_known.len == 0) {
        route_report(node, "caCertificateRefs", problems, path,
                     "add 'caCertificateRefs', or 'wellKnownCACertificates: System'",
                     "neither 'caCertificateRefs' nor 'wellKnownCACertificates' is set");
    }
}

static const struct field validation_fields[] = {
    FIELD(LIST, "caCertificateRefs", struct tls_policy, authorities, .schema = &authority_schema,
          .max = POLICY_AUTHORITIES_MAX),
    FIELD(STR, "wellKnownCACertificates", struct tls_policy, well_known,
          .format = &format_well_known),
    FIELD(STR, "hostname", struct tls_policy, hostname, .required = true,
          .format = &format_hostname),
    FIELD(LIST, "subjectAltNames", struct tls_policy, sans, .schema = &san_schema, .max = SANS_MAX),
    FIELD_END,
};
static const struct schema validation_schema = {
    .name = "validation", .fields = validation_fields, .check = check_validation};

/* --- BackendTLSPolicy ---------------------------------------------------------------------- */

static bool same_target(const struct tls_policy_target *a, const struct tls_policy_target *b)
{
    return str_eq(a->group, b->group) && str_eq(a->kind, b->kind) && str_eq(a->name, b->name);
}

static void check_spec(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct tls_policy *policy = obj;
    const struct doc_node *list = doc_get(node, STR("targetRefs"));
    for (size_t i = 1; i < policy->targets.len; i++) {
        const struct tls_policy_target *a = &policy->targets.items[i];
        struct str at = arena_printf(problems->arena, "%.*s.targetRefs[%zu]", STR_FMT(path), i);
        for (size_t j = 0; j < i; j++) {
            const struct tls_policy_target *b = &policy->targets.items[j];
            if (!same_target(a, b)) {
                continue;
            }
            if ((a->section_name.len == 0) != (b->section_name.len == 0)) {
                route_report(list->items[i], NULL, problems, at,
                             "give both of them 'sectionName', or keep one",
                             "the target on line %" PRIu32 " is named again with other fields",
                             b->line);
                break;
            }
            if (str_eq(a->section_name, b->section_name)) {
                route_report(list->items[i], NULL, problems, at, "remove one of them",
                             "the same target as on line %" PRIu32, b->line);
                break;
            }
        }
    }
}

static const struct field spec_fields[] = {
    FIELD(LIST, "targetRefs", struct tls_policy, targets, .required = true,
          .schema = &target_schema, .min = 1, .max = TARGETS_MAX),
    FIELD_FLAT("validation", &validation_schema, .required = true),
    TLS_OPTIONS_FIELD(struct tls_policy),
    FIELD_END,
};
static const struct schema spec_schema = {
    .name = "a BackendTLSPolicy's spec", .fields = spec_fields, .check = check_spec};

static const struct field policy_fields[] = {
    OBJECT_FIELDS,
    FIELD_FLAT("spec", &spec_schema, .required = true),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema tls_policy_schema = {
    .name = "a BackendTLSPolicy", .size = sizeof(struct tls_policy), .fields = policy_fields};
