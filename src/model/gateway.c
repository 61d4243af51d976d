/* SPDX-License-Identifier: Apache-2.0 */
/* gateway: which fields does a Gateway have, and what must hold between them? */
#include <inttypes.h>

#include "model/gateway_schema.h"
#include "model/route_schema.h"

#define ADDRESSES_MAX 16
#define LABELS_MAX 8
#define ANNOTATIONS_MAX 16

/* --- addresses ----------------------------------------------------------------------------- */

static const struct field address_fields[] = {
    FIELD(STR, "type", struct gateway_address, type, .format = &format_address_type,
          .fallback = "IPAddress"),
    FIELD(STR, "value", struct gateway_address, value, .format = &format_address_value),
    FIELD(STR, "routability", struct gateway_address, routability, .format = &format_routability),
    FIELD_END,
};

/* An address whose value is left out may be chosen; an empty value is no IP address. */
static void check_address(const void *obj, const struct doc_node *node, struct problems *problems,
                          struct str path)
{
    const struct gateway_address *address = obj;
    const struct doc_node *value = doc_get(node, STR("value"));
    bool ip = str_eq(address->type, STR("IPAddress"));
    bool hostname = str_eq(address->type, STR("Hostname"));
    const struct format *format = ip ? &format_ip : &format_hostname_any;
    bool judged =
        value != NULL && value->type == DOC_STRING && (ip || (hostname && address->value.len > 0));
    if (judged && !format->matches(address->value)) {
        problems_report(problems, PROBLEM_bad_format, value->line, value->column,
                        arena_printf(problems->arena, "%.*s.value", STR_FMT(path)),
                        str_from(format->remedy), "'%.*s' is not %s",
                        STR_FMT(problem_quote(problems->arena, address->value)), format->name);
    }
}

static const struct schema address_schema = {.name = "an address",
                                             .size = sizeof(struct gateway_address),
                                             .fields = address_fields,
                                             .check = check_address};

static void check_addresses(const struct gateway *gateway, const struct doc_node *node,
                            struct problems *problems, struct str path)
{
    const struct doc_node *list = doc_get(node, STR("addresses"));
    for (size_t i = 1; i < gateway->addresses.len; i++) {
        const struct gateway_address *a = &gateway->addresses.items[i];
        bool known = str_eq(a->type, STR("IPAddress")) || str_eq(a->type, STR("Hostname"));
        for (size_t j = 0; known && a->value.len > 0 && j < i; j++) {
            const struct gateway_address *b = &gateway->addresses.items[j];
            if (str_eq(a->type, b->type) && str_eq(a->value, b->value)) {
                route_report(list->items[i], NULL, problems,
                             arena_printf(problems->arena, "%.*s.addresses[%zu]", STR_FMT(path), i),
                             "remove one of them", "address '%.*s' is listed twice",
                             STR_FMT(problem_quote(problems->arena, a->value)));
                break;
            }
        }
    }
}

/* --- infrastructure ------------------------------------------------------------------------ */

static const struct field parameters_fields[] = {
    FIELD(STR, "group", struct class_parameters, group, .required = true, .format = &format_group),
    FIELD(STR, "kind", struct class_parameters, kind, .required = true, .format = &format_kind),
    FIELD(STR, "name", struct class_parameters, name, .required = true,
          .format = &format_object_name),
    FIELD_END,
};
static const struct schema parameters_schema = {.name = "a parametersRef",
                                                .size = sizeof(struct class_parameters),
                                                .fields = parameters_fields};

static const struct field infrastructure_fields[] = {
    FIELD(STR_MAP, "labels", struct gateway_infrastructure, labels, .format = &format_label_key,
          .value_format = &format_label_value, .max = LABELS_MAX),
    FIELD(STR_MAP, "annotations", struct gateway_infrastructure, annotations,
          .format = &format_label_key, .value_format = &format_annotation_value,
          .max = ANNOTATIONS_MAX),
    FIELD(PTR, "parametersRef", struct gateway_infrastructure, parameters,
          .schema = &parameters_schema),
    FIELD_END,
};
static const struct schema infrastructure_schema = {.name = "infrastructure",
                                                    .size = sizeof(struct gateway_infrastructure),
                                                    .fields = infrastructure_fields};

/* --- allowedListeners ---------------------------------------------------------------------- */

static const char *const sets_from_names[] = {[FROM_SAME] = "Same",
                                              [FROM_ALL] = "All",
                                              [FROM_SELECTOR] = "Selector",
                                              [FROM_NONE] = "None",
                                              NULL};

static const struct field sets_namespaces_fields[] = {
    FIELD(ENUM, "from", struct gateway, sets_from, .names = sets_from_names, .fallback = "None"),
    FIELD(PTR, "selector", struct gateway, sets_selector, .schema = &label_selector_schema),
    FIELD_END,
};
static const struct schema sets_namespaces_schema = {.name = "namespaces",
                                                     .fields = sets_namespaces_fields};
static const struct field sets_fields[] = {
    FIELD_FLAT("namespaces", &sets_namespaces_schema),
    FIELD_END,
};
static const struct schema sets_schema = {.name = "allowedListeners", .fields = sets_fields};

/* --- tls ----------------------------------------------------------------------------------- */

static const struct field authority_fields[] = {
    NAMED_REF_GROUP(.required = true),
    NAMED_REF_KIND(.required = true),
    NAMED_REF_NAME,
    NAMED_REF_NAMESPACE,
    FIELD_LINE_OF(struct named_ref),
    FIELD_END,
};
static const struct schema authority_schema = {
    .name = "a caCertificateRef", .size = sizeof(struct named_ref), .fields = authority_fields};

static const char *const frontend_mode_names[] = {
    [FRONTEND_ALLOW_VALID_ONLY] = "AllowValidOnly",
    [FRONTEND_ALLOW_INSECURE_FALLBACK] = "AllowInsecureFallback",
    NULL,
};

static const struct field validation_fields[] = {
    FIELD(LIST, "caCertificateRefs", struct frontend_validation, authorities, .required = true,
          .schema = &authority_schema, .min = 1, .max = AUTHORITIES_MAX),
    FIELD(ENUM, "mode", struct frontend_validation, mode, .names = frontend_mode_names,
          .fallback = "AllowValidOnly"),
    FIELD_END,
};
static const struct schema validation_schema = {
    .name = "validation", .size = sizeof(struct frontend_validation), .fields = validation_fields};

static const struct field port_tls_fields[] = {
    FIELD(PTR, "validation", struct frontend_port, validation, .schema = &validation_schema),
    FIELD_END,
};
static const struct schema port_tls_schema = {.name = "tls", .fields = port_tls_fields};
static const struct field port_fields[] = {
    FIELD(INT, "port", struct frontend_port, port, .required = true, .min = 1, .max = 65535),
    FIELD_FLAT("tls", &port_tls_schema, .required = true),
    FIELD_END,
};
static const struct schema port_schema = {
    .name = "an item of 'perPort'", .size = sizeof(struct frontend_port), .fields = port_fields};

static const struct field default_fields[] = {
    FIELD(PTR, "validation", struct gateway_tls, frontend, .schema = &validation_schema),
    FIELD_END,
};
static const struct schema default_schema = {.name = "default", .fields = default_fields};
static const struct field frontend_fields[] = {
    FIELD_FLAT("default", &default_schema, .required = true),
    FIELD(LIST, "perPort", struct gateway_tls, ports, .schema = &port_schema,
          .max = GATEWAY_LISTENERS_MAX),
    FIELD_END,
};

static void check_frontend(const void *obj, const struct doc_node *node, struct problems *problems,
                           struct str path)
{
    const struct gateway_tls *tls = obj;
    const struct doc_node *list = doc_get(node, STR("perPort"));
    for (size_t i = 1; i < tls->ports.len; i++) {
        size_t j = 0;
        while (j < i && tls->ports.items[j].port != tls->ports.items[i].port) {
            j++;
        }
        if (j < i) {
            route_report(list->items[i], NULL, problems,
                         arena_printf(problems->arena, "%.*s.perPort[%zu]", STR_FMT(path), i),
                         "remove one of them", "port %" PRId32 " is listed twice",
                         tls->ports.items[i].port);
        }
    }
}

static const struct schema frontend_schema = {
    .name = "frontend", .fields = frontend_fields, .check = check_frontend};

static const struct field backend_fields[] = {
    FIELD(PTR, "clientCertificateRef", struct gateway_tls, client_certificate,
          .schema = &secret_ref_schema),
    FIELD_END,
};
static const struct schema backend_schema = {.name = "backend", .fields = backend_fields};

static const struct field tls_fields[] = {
    FIELD_FLAT("backend", &backend_schema),
    FIELD_FLAT("frontend", &frontend_schema),
    FIELD_END,
};
static const struct schema tls_schema = {
    .name = "tls", .size = sizeof(struct gateway_tls), .fields = tls_fields};

/* --- Gateway ------------------------------------------------------------------------------- */

static void check_spec(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct gateway *gateway = obj;
    check_addresses(gateway, node, problems, path);
    gateway_check_listeners(gateway->listeners.items, gateway->listeners.len, node, problems, path);
}

static const struct field spec_fields[] = {
    FIELD(STR, "gatewayClassName", struct gateway, class, .required = true,
          .format = &format_object_name),
    FIELD(LIST, "listeners", struct gateway, listeners, .required = true,
          .schema = &listener_schema, .min = 1, .max = GATEWAY_LISTENERS_MAX, .unique = true),
    FIELD(LIST, "addresses", struct gateway, addresses, .schema = &address_schema,
          .max = ADDRESSES_MAX),
    FIELD(PTR, "infrastructure", struct gateway, infrastructure, .schema = &infrastructure_schema),
    FIELD_FLAT("allowedListeners", &sets_schema),
    FIELD(PTR, "tls", struct gateway, tls, .schema = &tls_schema),
    FIELD(STR, "defaultScope", struct gateway, default_scope, .names = route_default_names),
    FIELD_END,
};
static const struct schema spec_schema = {
    .name = "a Gateway's spec", .fields = spec_fields, .check = check_spec};

static const struct field gateway_fields[] = {
    OBJECT_FIELDS,
    FIELD_FLAT("spec", &spec_schema, .required = true),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema gateway_schema = {
    .name = "a Gateway", .size = sizeof(struct gateway), .fields = gateway_fields};
