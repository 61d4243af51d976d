/* SPDX-License-Identifier: Apache-2.0 */
/* ignored: see ignored.h. A path leads from field to field, through the items of a list at "[]". */
#include "model/ignored.h"

#define ROUTES                                                                                     \
    (1u << KIND_HTTPROUTE | 1u << KIND_GRPCROUTE | 1u << KIND_TLSROUTE | 1u << KIND_TCPROUTE |     \
     1u << KIND_UDPROUTE)
#define DEFAULT_GATEWAYS "heddle has no default Gateways: routes attach to those that they name"

static const struct ignored {
    unsigned kinds; /* bits 1 << enum kind_id */
    const char *path;
    const char *nothing; /* a value that asks for nothing; NULL: there is none */
    const char *text;
    const char *remedy;
} all[] = {
    {1u << KIND_GATEWAY | 1u << KIND_LISTENERSET, "spec.listeners[].tls.options", NULL,
     "heddle knows no options of a listener's TLS: those of other implementations change nothing",
     "take them out; what Gateways speak stands in docs/xds.md"},
    {1u << KIND_BACKENDTLSPOLICY, "spec.options", NULL,
     "heddle knows no options of a BackendTLSPolicy: those of other implementations change nothing",
     "take them out; what Gateways speak stands in docs/xds.md"},
    {1u << KIND_GATEWAY, "spec.defaultScope", "None", DEFAULT_GATEWAYS,
     "name the Gateway in the parentRefs of the routes that are for it"},
    {ROUTES, "spec.useDefaultGateways", "None", DEFAULT_GATEWAYS,
     "name the Gateways in spec.parentRefs"},
    {1u << KIND_SERVICE, "spec.sessionAffinity", "None",
     "clients of the mesh and Gateways choose an endpoint for each request or connection, whatever "
     "this says",
     "write an XBackendTrafficPolicy with sessionPersistence for the Service"},
};

struct visit {
    const struct ignored *ignored;
    struct problems *problems;
};

static bool asks_for_nothing(const struct ignored *ignored, const struct doc_node *node)
{
    bool collection = node->type == DOC_MAPPING || node->type == DOC_SEQUENCE;
    return node->type == DOC_NULL || (collection && node->len == 0) ||
           (ignored->nothing != NULL && str_eq(node->text, str_from(ignored->nothing)));
}

static void walk(const struct visit *visit, const struct doc_node *node, struct str left,
                 struct str path)
{
    struct arena *arena = visit->problems->arena;
    struct str name = str_cut(&left, '.');
    bool list = str_ends_with(name, STR("[]"));
    name = list ? str_sub(name, 0, name.len - 2) : name;
    const struct doc_entry *entry = doc_find(node, name);
    if (entry == NULL) {
        return;
    }
    path = path.len == 0 ? name : arena_printf(arena, "%.*s.%.*s", STR_FMT(path), STR_FMT(name));
    const struct doc_node *value = entry->value;
    if (left.len == 0) {
        if (!asks_for_nothing(visit->ignored, value)) {
            problems_report(visit->problems, PROBLEM_ignored_field, entry->line, entry->column,
                            path, str_from(visit->ignored->remedy), "%s", visit->ignored->text);
        }
    } else if (!list) {
        walk(visit, value, left, path);
    }
    for (uint32_t i = 0; list && value->type == DOC_SEQUENCE && i < value->len; i++) {
        walk(visit, value->items[i], left,
             arena_printf(arena, "%.*s[%u]", STR_FMT(path), (unsigned)i));
    }
}

void ignored_report(enum kind_id kind, const struct doc_node *node, struct problems *problems)
{
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if ((all[i].kinds & (1u << kind)) != 0) {
            const struct visit visit = {&all[i], problems};
            walk(&visit, node, str_from(all[i].path), STR_NULL);
        }
    }
}
