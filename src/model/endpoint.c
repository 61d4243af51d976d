/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint: which fields do EndpointSlices have, and what must hold between them? */
#include "model/service.h"

#define ENDPOINTS_MAX 1000
#define ADDRESSES_MAX 100
#define SLICE_PORTS_MAX 100
#define HINTS_MAX 8

static const char *const address_names[] = {
    [ADDRESS_IPV4] = "IPv4", [ADDRESS_IPV6] = "IPv6", [ADDRESS_FQDN] = "FQDN", NULL};
static const char *const protocol_names[] = {
    [PROTOCOL_TCP] = "TCP", [PROTOCOL_UDP] = "UDP", [PROTOCOL_SCTP] = "SCTP", NULL};

static const struct field condition_fields[] = {
    FIELD(BOOL, "ready", struct endpoint, ready, FIELD_HAS(struct endpoint, has_ready)),
    FIELD(BOOL, "serving", struct endpoint, serving, FIELD_HAS(struct endpoint, has_serving)),
    FIELD(BOOL, "terminating", struct endpoint, terminating,
          FIELD_HAS(struct endpoint, has_terminating)),
    FIELD_END,
};
static const struct schema condition_schema = {.name = "an endpoint's conditions",
                                               .fields = condition_fields};

/* No more than what tells two pods apart: resourceVersion, for one, changes whenever the pod's
 * status does, and would wake readers for nothing. */
static const struct field target_fields[] = {
    FIELD(STR, "uid", struct endpoint_target, uid, .format = &format_text),
    FIELD(STR, "name", struct endpoint_target, name, .format = &format_text),
    FIELD_KNOWN("apiVersion"),
    FIELD_KNOWN("fieldPath"),
    FIELD_KNOWN("kind"),
    FIELD_KNOWN("namespace"),
    FIELD_KNOWN("resourceVersion"),
    FIELD_END,
};
static const struct schema target_schema = {
    .name = "a targetRef", .size = sizeof(struct endpoint_target), .fields = target_fields};

static const struct field hint_fields[] = {
    FIELD(STR, "name", struct endpoint_hint, name, .required = true, .format = &format_text),
    FIELD_END,
};
static const struct schema hint_schema = {
    .name = "a hint", .size = sizeof(struct endpoint_hint), .fields = hint_fields};
static const struct field hints_fields[] = {
    FIELD(LIST, "forZones", struct endpoint_hints, zones, .schema = &hint_schema, .max = HINTS_MAX),
    FIELD(LIST, "forNodes", struct endpoint_hints, nodes, .schema = &hint_schema, .max = HINTS_MAX),
    FIELD_END,
};
static const struct schema hints_schema = {
    .name = "hints", .size = sizeof(struct endpoint_hints), .fields = hints_fields};

static const struct field endpoint_fields[] = {
    FIELD(STR_LIST, "addresses", struct endpoint, addresses, .required = true, .min = 1,
          .max = ADDRESSES_MAX),
    FIELD_FLAT("conditions", &condition_schema),
    FIELD(STR, "hostname", struct endpoint, hostname, .format = &format_label),
    FIELD(STR, "nodeName", struct endpoint, node_name, .format = &format_subdomain),
    FIELD(PTR, "hints", struct endpoint, hints, .schema = &hints_schema),
    FIELD(PTR, "targetRef", struct endpoint, target, .schema = &target_schema),
    FIELD(STR, "zone", struct endpoint, zone, .format = &format_text),
    FIELD_LINE_OF(struct endpoint),
    FIELD_KNOWN("deprecatedTopology"),
    FIELD_END,
};

/* What an absent condition means is said in the API's own description of it. */
static void finish_endpoint(void *obj, struct arena *arena)
{
    struct endpoint *endpoint = obj;
    (void)arena;
    if (!endpoint->has_ready) {
        endpoint->ready = true;
    }
    if (!endpoint->has_serving) {
        endpoint->serving = endpoint->ready;
    }
}

static const struct schema endpoint_schema = {.name = "an endpoint",
                                              .size = sizeof(struct endpoint),
                                              .fields = endpoint_fields,
                                              .finish = finish_endpoint};

static const struct field port_fields[] = {
    FIELD(STR, "name", struct endpoint_port, name, .format = &format_slice_port_name),
    FIELD(INT, "port", struct endpoint_port, port, .min = 1, .max = 65535,
          FIELD_HAS(struct endpoint_port, has_port)),
    FIELD(ENUM, "protocol", struct endpoint_port, protocol, .names = protocol_names,
          .fallback = "TCP"),
    FIELD(STR, "appProtocol", struct endpoint_port, app_protocol, .format = &format_qualified_name),
    FIELD_END,
};
static const struct schema port_schema = {
    .name = "an EndpointSlice port", .size = sizeof(struct endpoint_port), .fields = port_fields};

static bool is_address(int type, struct str text)
{
    switch (type) {
    case ADDRESS_IPV4:
        return format_is_ipv4(text);
    case ADDRESS_IPV6:
        return format_is_ipv6(text);
    default:
        return text.len <= format_hostname.max && format_hostname.matches(text);
    }
}

static void check_slice(const void *obj, const struct doc_node *node, struct problems *problems,
                        struct str path)
{
    const struct endpoint_slice *slice = obj;
    struct arena *arena = problems->arena;
    (void)path; /* of the document: empty */
    for (size_t i = 0; i < slice->endpoints.len; i++) {
        const struct endpoint *endpoint = &slice->endpoints.items[i];
        for (size_t j = 0; j < endpoint->addresses.len; j++) {
            if (is_address(slice->address_type, endpoint->addresses.items[j])) {
                continue;
            }
            const struct doc_node *at = doc_get(node, STR("endpoints"))->items[i];
            at = doc_get(at, STR("addresses"))->items[j];
            problems_report(problems, PROBLEM_bad_format, at->line, at->column,
                            arena_printf(arena, "endpoints[%zu].addresses[%zu]", i, j),
                            STR("correct it, or change 'addressType'"),
                            "'%.*s' is not an address of type '%s'",
                            STR_FMT(problem_quote(arena, endpoint->addresses.items[j])),
                            address_names[slice->address_type]);
        }
    }
}

void endpoint_slice_review(const struct object *object, const struct doc_node *node,
                           struct problems *problems)
{
    const struct endpoint_slice *slice = (const struct endpoint_slice *)object;
    if (slice->address_type == ADDRESS_FQDN) {
        const struct doc_node *at = doc_get(node, STR("addressType"));
        problems_report(problems, PROBLEM_unserved_addresses, at->line, at->column,
                        STR("addressType"), STR("list IP addresses"),
                        "clients are sent addresses, not names: the endpoints get nothing");
    }
}

static void finish_slice(void *obj, struct arena *arena)
{
    struct endpoint_slice *slice = obj;
    (void)arena;
    for (size_t i = 0; i < slice->object.meta.labels.len; i++) {
        const struct str_pair *label = &slice->object.meta.labels.items[i];
        if (str_eq(label->key, STR(SERVICE_NAME_LABEL))) {
            slice->service = label->value;
        }
    }
}

static const struct field slice_fields[] = {
    OBJECT_FIELDS,
    FIELD(ENUM, "addressType", struct endpoint_slice, address_type, .required = true,
          .names = address_names),
    FIELD(LIST, "endpoints", struct endpoint_slice, endpoints, .schema = &endpoint_schema,
          .max = ENDPOINTS_MAX),
    FIELD(LIST, "ports", struct endpoint_slice, ports, .schema = &port_schema,
          .max = SLICE_PORTS_MAX, .unique = true),
    FIELD_END,
};
const struct schema endpoint_slice_schema = {.name = "an EndpointSlice",
                                             .size = sizeof(struct endpoint_slice),
                                             .fields = slice_fields,
                                             .check = check_slice,
                                             .finish = finish_slice,
                                             .open = true};
