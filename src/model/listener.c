/* SPDX-License-Identifier: Apache-2.0 */
/* listener: which fields do listeners and ListenerSets have, and what must hold between them? */
#include <inttypes.h>

#include "model/gateway_schema.h"
#include "model/route_schema.h"

#define CERTIFICATES_MAX 64
#define ROUTE_KINDS_MAX 8
#define FILTERS_MAX 16

/* --- allowedRoutes ------------------------------------------------------------------------- */

static const char *const from_names[] = {
    [FROM_SAME] = "Same", [FROM_ALL] = "All", [FROM_SELECTOR] = "Selector", NULL};

static const struct field namespaces_fields[] = {
    FIELD(ENUM, "from", struct allowed_routes, from, .names = from_names, .fallback = "Same"),
    FIELD(PTR, "selector", struct allowed_routes, selector, .schema = &label_selector_schema),
    FIELD_END,
};
static const struct schema namespaces_schema = {.name = "namespaces", .fields = namespaces_fields};

static const struct field route_kind_fields[] = {
    FIELD(STR, "group", struct route_kind, group, .format = &format_group,
          .fallback = GATEWAY_GROUP),
    FIELD(STR, "kind", struct route_kind, kind, .required = true, .format = &format_kind),
    FIELD_END,
};
static const struct schema route_kind_schema = {
    .name = "a kind of routes", .size = sizeof(struct route_kind), .fields = route_kind_fields};

static const struct field allowed_fields[] = {
    FIELD_FLAT("namespaces", &namespaces_schema),
    FIELD(LIST, "kinds", struct allowed_routes, kinds, .schema = &route_kind_schema,
          .max = ROUTE_KINDS_MAX),
    FIELD_END,
};
static const struct schema allowed_schema = {
    .name = "allowedRoutes", .size = sizeof(struct allowed_routes), .fields = allowed_fields};

/* --- tls ----------------------------------------------------------------------------------- */

static const char *const mode_names[] = {
    [TLS_TERMINATE] = "Terminate", [TLS_PASSTHROUGH] = "Passthrough", NULL};

static const struct field secret_ref_fields[] = {
    NAMED_REF_GROUP(.fallback = ""),
    NAMED_REF_KIND(.fallback = "Secret"),
    NAMED_REF_NAME,
    NAMED_REF_NAMESPACE,
    FIELD_LINE_OF(struct named_ref),
    FIELD_END,
};
const struct schema secret_ref_schema = {.name = "a reference to a certificate",
                                         .size = sizeof(struct named_ref),
                                         .fields = secret_ref_fields};

static void check_tls(const void *obj, const struct doc_node *node, struct problems *problems,
                      struct str path)
{
    const struct listener_tls *tls = obj;
    if (tls->mode == TLS_TERMINATE && tls->certificates.len == 0 && tls->options.len == 0) {
        route_report(node, "certificateRefs", problems, path,
                     "add 'certificateRefs' with the Secret that has the certificate",
                     "TLS is terminated, but neither 'certificateRefs' nor 'options' are set");
    }
}

static const struct field tls_fields[] = {
    FIELD(ENUM, "mode", struct listener_tls, mode, .names = mode_names, .fallback = "Terminate"),
    FIELD(LIST, "certificateRefs", struct listener_tls, certificates, .schema = &secret_ref_schema,
          .max = CERTIFICATES_MAX),
    TLS_OPTIONS_FIELD(struct listener_tls),
    FIELD_END,
};
static const struct schema tls_schema = {
    .name = "tls", .size = sizeof(struct listener_tls), .fields = tls_fields, .check = check_tls};

/* --- filters ------------------------------------------------------------------------------- */

static const struct field filter_fields[] = {
    FIELD(STR, "type", struct listener_filter, type, .required = true),
    FIELD_KNOWN("externalAuth"),
    FIELD_KNOWN("extensionRef"),
    FIELD_END,
};
static const struct schema filter_schema = {
    .name = "a listener's filter", .size = sizeof(struct listener_filter), .fields = filter_fields};

static const struct field filters_fields[] = {
    FIELD(LIST, "requests", struct listener, filters, .schema = &filter_schema, .max = FILTERS_MAX),
    FIELD_END,
};
static const struct schema filters_schema = {.name = "a listener's filters",
                                             .fields = filters_fields};

/* --- a listener ---------------------------------------------------------------------------- */

/* The rules of the protocols that the API knows; one with a domain makes its own. */
static void check_listener(const void *obj, const struct doc_node *node, struct problems *problems,
                           struct str path)
{
    const struct listener *listener = obj;
    bool connections =
        str_eq(listener->protocol, STR("TCP")) || str_eq(listener->protocol, STR("UDP"));
    bool plain = connections || str_eq(listener->protocol, STR("HTTP"));
    if (plain && listener->tls != NULL) {
        route_report(node, "tls", problems, path, "remove 'tls', or use protocol HTTPS or TLS",
                     "'tls' is set, but the protocol is %.*s", STR_FMT(listener->protocol));
    }
    if (str_eq(listener->protocol, STR("HTTPS")) && listener->tls != NULL &&
        listener->tls->mode != TLS_TERMINATE) {
        route_report(node, "tls", problems, path, "use protocol TLS, or mode Terminate",
                     "protocol HTTPS demands that TLS is terminated");
    }
    if (str_eq(listener->protocol, STR("TLS")) && listener->tls == NULL) {
        route_report(node, "tls", problems, path, "add 'tls' with its 'mode'",
                     "protocol TLS demands 'tls'");
    }
    if (connections && listener->hostname.len > 0) {
        route_report(node, "hostname", problems, path, "remove 'hostname'",
                     "'hostname' is set, but the protocol is %.*s", STR_FMT(listener->protocol));
    }
}

static const struct field listener_fields[] = {
    FIELD(STR, "name", struct listener, name, .required = true, .format = &format_subdomain),
    FIELD(STR, "hostname", struct listener, hostname, .format = &format_hostname_any),
    FIELD(INT, "port", struct listener, port, .required = true, .min = 1, .max = 65535),
    FIELD(STR, "protocol", struct listener, protocol, .required = true,
          .format = &format_listener_protocol),
    FIELD(PTR, "tls", struct listener, tls, .schema = &tls_schema),
    FIELD(PTR, "allowedRoutes", struct listener, allowed, .schema = &allowed_schema),
    FIELD_FLAT("filters", &filters_schema),
    FIELD_LINE_OF(struct listener),
    FIELD_END,
};
const struct schema listener_schema = {.name = "a listener",
                                       .size = sizeof(struct listener),
                                       .fields = listener_fields,
                                       .check = check_listener};

void gateway_check_listeners(const struct listener *listeners, size_t len,
                             const struct doc_node *node, struct problems *problems,
                             struct str path)
{
    const struct doc_node *list = doc_get(node, STR("listeners"));
    for (size_t i = 1; i < len; i++) {
        const struct listener *a = &listeners[i];
        size_t j = 0;
        while (j < i &&
               (a->port != listeners[j].port || !str_eq(a->protocol, listeners[j].protocol) ||
                !str_eq(a->hostname, listeners[j].hostname))) {
            j++;
        }
        if (j < i) {
            route_report(list->items[i], NULL, problems,
                         arena_printf(problems->arena, "%.*s.listeners[%zu]", STR_FMT(path), i),
                         "change one of the three, or remove one of the listeners",
                         "the same port, protocol and hostname as of the listener on line %" PRIu32,
                         listeners[j].line);
        }
    }
}

/* --- ListenerSet --------------------------------------------------------------------------- */

static const struct field parent_fields[] = {
    NAMED_REF_GROUP(.fallback = GATEWAY_GROUP),
    NAMED_REF_KIND(.fallback = "Gateway"),
    NAMED_REF_NAME,
    NAMED_REF_NAMESPACE,
    FIELD_LINE_OF(struct named_ref),
    FIELD_END,
};
static const struct schema parent_schema = {
    .name = "a parentRef", .size = sizeof(struct named_ref), .fields = parent_fields};

static void check_set(const void *obj, const struct doc_node *node, struct problems *problems,
                      struct str path)
{
    const struct listener_set *set = obj;
    gateway_check_listeners(set->listeners.items, set->listeners.len, node, problems, path);
}

static const struct field set_spec_fields[] = {
    FIELD(STRUCT, "parentRef", struct listener_set, parent, .required = true,
          .schema = &parent_schema),
    FIELD(LIST, "listeners", struct listener_set, listeners, .required = true,
          .schema = &listener_schema, .min = 1, .max = GATEWAY_LISTENERS_MAX, .unique = true),
    FIELD_END,
};
static const struct schema set_spec_schema = {
    .name = "a ListenerSet's spec", .fields = set_spec_fields, .check = check_set};

static const struct field set_fields[] = {
    OBJECT_FIELDS,
    FIELD_FLAT("spec", &set_spec_schema, .required = true),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema listener_set_schema = {
    .name = "a ListenerSet", .size = sizeof(struct listener_set), .fields = set_fields};
