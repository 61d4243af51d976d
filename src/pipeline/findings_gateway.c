/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings_gateway: of Gateways and ListenerSets: what of them is not served, and whom they do not
 * find. The reasons are those of their status (resolve/gateway.c, resolve/listener.c); here is
 * added where that stands, and what to do.
 */
#include "ir/gateway.h"
#include "ir/graph.h"
#include "pipeline/findings_internal.h"
#include "pipeline/meant.h"

struct finding_case { /* what a condition is as a problem */
    enum condition_id id;
    enum problem_code code;
    struct str remedy;
};

static const struct finding_case gateway_cases[] = {
    {C_gateway_parameters, PROBLEM_unserved_listener,
     STR("nothing of the Gateway is served; its parameters are explained in docs/gateways.md")},
    {C_gateway_address_type, PROBLEM_unserved_listener,
     STR("nothing of the Gateway is served; take the address out")},
    {C_gateway_client_certificate, PROBLEM_unresolved_reference,
     STR("backends that ask for a certificate are shown none")},
    {C_gateway_not_permitted, PROBLEM_not_permitted,
     STR("add a ReferenceGrant there, for Gateways of this namespace, to Secrets")},
};

static const struct finding_case listener_cases[] = {
    {C_listener_protocol, PROBLEM_unserved_listener, STR("use one of these protocols")},
    {C_listener_port, PROBLEM_unserved_listener, STR("use another port")},
    {C_listener_filters, PROBLEM_unserved_listener,
     STR("take them out: until then nobody is let in, since they may be to keep others out")},
    {C_listener_too_many, PROBLEM_unserved_listener, STR("make a Gateway more")},
    {C_listener_hostname_conflict, PROBLEM_listener_conflict,
     STR("give each listener of a port a hostname of its own")},
    {C_listener_protocol_conflict, PROBLEM_listener_conflict, STR("use another port")},
    {C_listener_conflict, PROBLEM_listener_conflict, STR("use another port")},
    {C_listener_certificate, PROBLEM_unresolved_reference,
     STR("a listener without any usable certificate is not served")},
    {C_listener_not_permitted, PROBLEM_not_permitted,
     STR("add a ReferenceGrant there, for Gateways or ListenerSets of this namespace")},
    {C_listener_kinds, PROBLEM_no_effect, STR("name kinds that the protocol carries, or none")},
    {C_listener_authority, PROBLEM_unresolved_reference,
     STR("name a ConfigMap whose key ca.crt has certificates in it; without any the listener is "
         "not "
         "served")},
    {C_listener_authority_kind, PROBLEM_unresolved_reference,
     STR("name a ConfigMap whose key ca.crt has certificates in it")},
};
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct finding_case *find_case(const struct finding_case *cases, size_t len, int id)
{
    size_t i = 0;
    while (i < len && (int)cases[i].id != id) {
        i++;
    }
    return i < len ? &cases[i] : NULL;
}

/* --- listeners ------------------------------------------------------------------------------ */

struct written { /* in whose spec a listener stands */
    const struct object *object;
    const struct listener *items;
    size_t len;
};

static struct written written_in(const struct engine *engine, struct str gateway, struct str set)
{
    struct written in = {.object = NULL};
    if (set.len == 0) {
        const struct gateway *row = (const struct gateway *)engine_get(engine, T_GATEWAY, gateway);
        in = (struct written){&row->object, row->listeners.items, row->listeners.len};
    } else {
        const struct listener_set *row =
            (const struct listener_set *)engine_get(engine, T_LISTENERSET, set);
        in = (struct written){&row->object, row->listeners.items, row->listeners.len};
    }
    return in;
}

/* Of "tls.certificateRefs[1]: …", where that stands. */
static uint32_t line_of(const struct listener *listener, struct str message)
{
    struct str list = STR("tls.certificateRefs[");
    uint64_t at;
    struct str rest = str_sub(message, list.len, message.len);
    bool named = str_starts_with(message, list) && listener->tls != NULL &&
                 str_to_u64(str_cut(&rest, ']'), &at) && at < listener->tls->certificates.len;
    return named ? listener->tls->certificates.items[at].line : listener->line;
}

static void report_listener(struct finding_walk *walk, const struct written *in, size_t index,
                            const struct condition *condition)
{
    const struct finding_case *found =
        find_case(listener_cases, LEN(listener_cases), condition->id);
    if (found != NULL) {
        finding_report(walk, in->object, found->code,
                       line_of(&in->items[index], condition->message),
                       arena_printf(&walk->scratch, "spec.listeners[%zu]", index),
                       condition->message, found->remedy);
    }
}

static void check_listener(struct finding_walk *walk, struct str gateway,
                           const struct ir_listener *listener)
{
    const struct written in = written_in(walk->engine, gateway, listener->set);
    for (size_t i = 0; i < in.len; i++) {
        for (size_t j = 0; str_eq(in.items[i].name, listener->name) && j < listener->conditions.len;
             j++) {
            report_listener(walk, &in, i, &listener->conditions.items[j]);
        }
    }
}

/* --- Gateways ------------------------------------------------------------------------------- */

/* Whether its class is here. Of another controller's it is none of ours. */
static bool check_class(struct finding_walk *walk, const struct gateway *gateway)
{
    if (engine_get(walk->engine, T_CLASS, gateway->class) != NULL) {
        return true;
    }
    struct str meant =
        meant_object(walk->engine, T_CLASS, STR_NULL, gateway->class, &walk->scratch);
    finding_report(walk, &gateway->object, PROBLEM_unresolved_reference,
                   gateway->object.origin.line, STR("spec.gatewayClassName"),
                   arena_printf(&walk->scratch, "no GatewayClass '%.*s'", STR_FMT(gateway->class)),
                   meant.len > 0 ? meant
                                 : STR("add the GatewayClass; that of heddle is "
                                       "deploy/base/gatewayclass.yaml"));
    return false;
}

static const struct object *set_object(const struct engine *engine, struct str key)
{
    return (const struct object *)engine_get(engine, T_LISTENERSET, key);
}

void finding_visit_gateway(void *user, struct str key, const struct row *row)
{
    struct finding_walk *walk = user;
    const struct gateway *gateway = (const struct gateway *)row;
    const struct ir_gateway *ir =
        check_class(walk, gateway)
            ? (const struct ir_gateway *)engine_get(walk->engine, T_GATEWAYS, key)
            : NULL;
    for (size_t i = 0; ir != NULL && i < ir->conditions.len; i++) {
        const struct condition *condition = &ir->conditions.items[i];
        const struct finding_case *found =
            find_case(gateway_cases, LEN(gateway_cases), condition->id);
        if (found != NULL) {
            finding_report(walk, &gateway->object, found->code, gateway->object.origin.line,
                           STR("spec"), condition->message, found->remedy);
        }
    }
    for (size_t i = 0; ir != NULL && i < ir->listeners.len; i++) {
        check_listener(walk, key, &ir->listeners.items[i]);
    }
    for (size_t i = 0; ir != NULL && i < ir->sets.len; i++) {
        const struct ir_listener_set *set = &ir->sets.items[i];
        const struct object *object = set_object(walk->engine, set->key);
        if (!set->allowed) {
            finding_report(
                walk, object, PROBLEM_not_admitted,
                ((const struct listener_set *)object)->parent.line, STR("spec.parentRef"),
                arena_printf(&walk->scratch,
                             "allowedListeners of Gateway '%.*s' admit no ListenerSet of namespace "
                             "'%.*s'",
                             STR_FMT(key), STR_FMT(object->meta.ns)),
                STR("open spec.allowedListeners of the Gateway; the default admits none"));
        }
    }
    arena_reset(&walk->scratch);
}

/* --- ListenerSets --------------------------------------------------------------------------- */

void finding_visit_listener_set(void *user, struct str key, const struct row *row)
{
    struct finding_walk *walk = user;
    const struct listener_set *set = (const struct listener_set *)row;
    struct str ns = set->parent.ns.len > 0 ? set->parent.ns : set->object.meta.ns;
    struct str parent =
        arena_printf(&walk->scratch, "%.*s/%.*s", STR_FMT(ns), STR_FMT(set->parent.name));
    (void)key;
    if (str_eq(set->parent.kind, STR("Gateway")) &&
        engine_get(walk->engine, T_GATEWAY, parent) == NULL) {
        struct str meant =
            meant_object(walk->engine, T_GATEWAY, ns, set->parent.name, &walk->scratch);
        finding_report(walk, &set->object, PROBLEM_unresolved_reference, set->parent.line,
                       STR("spec.parentRef"),
                       arena_printf(&walk->scratch, "no Gateway '%.*s' in namespace '%.*s'",
                                    STR_FMT(set->parent.name), STR_FMT(ns)),
                       meant.len > 0 ? meant : STR("name a Gateway that exists"));
    }
    arena_reset(&walk->scratch);
}
