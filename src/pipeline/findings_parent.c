/* SPDX-License-Identifier: Apache-2.0 */
/* findings_parent: what the parentRefs of routes attach to, and what else has it. */
#include "ir/attachment.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "model/route.h"
#include "model/service.h"
#include "pipeline/findings_internal.h"
#include "pipeline/meant.h"

#define LISTENERS_TOLD_MAX 8

bool finding_has_parents(const struct attachment *attachment, bool gateways)
{
    for (size_t i = 0; i < attachment->parents.len; i++) {
        if ((attachment->parents.items[i].gateway.len > 0) == gateways) {
            return true;
        }
    }
    return false;
}

/* --- taken by others ------------------------------------------------------------------------ */

/* Whether other routes have what this one asks for by a parentRef. */
static void check_accepted(struct finding_walk *walk, const struct route *route, size_t parent,
                           const struct condition *accepted)
{
    static const struct {
        enum condition_id id;
        enum problem_code code;
        struct str remedy;
    } cases[] = {
        {C_conflicted, PROBLEM_no_effect,
         STR("name another port, or move the rules to one kind of route")},
        {C_rivalled, PROBLEM_no_effect,
         STR("give it other hostnames, or move the rules to one kind of route")},
        {C_no_room, PROBLEM_no_effect, STR("split the Service, or make the routes smaller")},
        {C_outranked, PROBLEM_unreachable_rule,
         STR("name another port, or put the backendRefs into the older route")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (accepted->id == (int)cases[i].id) {
            finding_report(walk, &route->object, cases[i].code, route->parents.items[parent].line,
                           arena_printf(&walk->scratch, "spec.parentRefs[%zu]", parent),
                           accepted->message, cases[i].remedy);
        }
    }
}

const struct service *finding_service(struct finding_walk *walk, struct str ns, struct str name)
{
    struct str key = arena_printf(&walk->scratch, "%.*s/%.*s", STR_FMT(ns), STR_FMT(name));
    return (const struct service *)engine_get(walk->engine, T_SERVICE, key);
}

/* --- refused -------------------------------------------------------------------------------- */

static struct str list_listeners(struct finding_walk *walk, const struct ir_gateway *gateway)
{
    struct arena *arena = &walk->scratch;
    struct str all = STR_NULL;
    for (size_t i = 0; i < gateway->listeners.len && i < LISTENERS_TOLD_MAX; i++) {
        const struct ir_listener *listener = &gateway->listeners.items[i];
        all = arena_printf(arena, "%.*s%s'%.*s' with port %d", STR_FMT(all),
                           i > 0 ? ", " : "the listeners are ", STR_FMT(listener->name),
                           (int)listener->port);
    }
    return gateway->listeners.len > LISTENERS_TOLD_MAX
               ? arena_printf(arena, "%.*s, …", STR_FMT(all))
               : all;
}

static struct str remedy_of_listener(struct finding_walk *walk,
                                     const struct attached_parent *parent)
{
    const struct ir_gateway *gateway =
        (const struct ir_gateway *)engine_get(walk->engine, T_GATEWAYS, parent->gateway);
    return gateway != NULL && gateway->listeners.len > 0
               ? list_listeners(walk, gateway)
               : STR("name a listener, or a port of one, that exists");
}

static struct str remedy_of_service(struct finding_walk *walk, const struct route *route,
                                    const struct parent_ref *ref)
{
    struct str ns = ref->ns.len > 0 ? ref->ns : route->object.meta.ns;
    const struct service *service = finding_service(walk, ns, ref->name);
    struct str meant = service == NULL ? meant_service(walk->known, ns, ref->name, &walk->scratch)
                       : service->type == SERVICE_EXTERNAL_NAME
                           ? STR_NULL
                           : meant_port(service, ref->port, ref->section_name, &walk->scratch);
    return meant.len > 0 ? meant : STR("name a Service, and a TCP port of it, that exist");
}

static void check_refused(struct finding_walk *walk, const struct route *route,
                          const struct attached_parent *parent)
{
    const struct parent_ref *ref = &route->parents.items[parent->index];
    enum problem_code code = PROBLEM_unresolved_reference;
    struct str remedy;
    if (parent->condition == C_not_allowed) {
        code = PROBLEM_not_admitted;
        remedy = STR("open allowedRoutes of the listener, or name another");
    } else if (parent->condition == C_no_matching_hostname) {
        code = PROBLEM_no_effect;
        remedy = STR("give the route a hostname that the listener has, or name another listener");
    } else if (parent->gateway.len > 0) {
        remedy = remedy_of_listener(walk, parent);
    } else {
        remedy = remedy_of_service(walk, route, ref);
    }
    finding_report(walk, &route->object, code, ref->line,
                   arena_printf(&walk->scratch, "spec.parentRefs[%d]", (int)parent->index),
                   parent->message, remedy);
}

/* --- no parent ------------------------------------------------------------------------------ */

/* Returns whether it names a Gateway or ListenerSet that is not there. */
static bool check_missing(struct finding_walk *walk, const struct route *route, size_t index)
{
    const struct parent_ref *ref = &route->parents.items[index];
    struct arena *arena = &walk->scratch;
    bool gateway = str_eq(ref->kind, STR("Gateway"));
    enum table_id table = gateway ? T_GATEWAY : T_LISTENERSET;
    struct str ns = ref->ns.len > 0 ? ref->ns : route->object.meta.ns;
    if (!str_eq(ref->group, STR(GATEWAY_GROUP)) ||
        !(gateway || str_eq(ref->kind, STR("ListenerSet"))) ||
        engine_get(walk->engine, table,
                   arena_printf(arena, "%.*s/%.*s", STR_FMT(ns), STR_FMT(ref->name))) != NULL) {
        return false;
    }
    struct str meant = meant_object(walk->engine, table, ns, ref->name, arena);
    if (gateway && !ref->has_kind && finding_service(walk, ns, ref->name) != NULL) {
        meant = arena_printf(arena,
                             "for Service '%.*s', which is there, write group: \"\" and kind: "
                             "Service",
                             STR_FMT(ref->name));
    }
    finding_report(walk, &route->object, PROBLEM_unresolved_reference, ref->line,
                   arena_printf(arena, "spec.parentRefs[%zu]", index),
                   arena_printf(arena, "no %.*s '%.*s' in namespace '%.*s'", STR_FMT(ref->kind),
                                STR_FMT(ref->name), STR_FMT(ns)),
                   meant.len > 0 ? meant
                                 : arena_printf(arena,
                                                "name a %.*s that exists, or for the mesh "
                                                "group \"\" and kind Service",
                                                STR_FMT(ref->kind)));
    return true;
}

/* Returns whether it is nearly a Service: the group left out, or a slip in the kind. */
static bool check_other_parent(struct finding_walk *walk, const struct route *route, size_t index)
{
    const struct parent_ref *ref = &route->parents.items[index];
    struct str meant = meant_kind(ref->group, ref->kind, &walk->scratch);
    if (meant.len == 0) {
        return false;
    }
    finding_report(
        walk, &route->object, PROBLEM_unresolved_reference, ref->line,
        arena_printf(&walk->scratch, "spec.parentRefs[%zu]", index),
        arena_printf(&walk->scratch,
                     "kind '%.*s' of group '%.*s'%s is no Service: the route does not govern it",
                     STR_FMT(ref->kind), STR_FMT(ref->group),
                     ref->has_group ? "" : ", which it is of where none is written,"),
        meant);
    return true;
}

/* --- all of them ---------------------------------------------------------------------------- */

static bool loses_some(struct finding_walk *walk, const struct attached_parent *parent,
                       const struct route *route)
{
    struct str key = object_key(&walk->scratch, &route->object);
    for (size_t i = 0; i < parent->listeners.len; i++) {
        const struct ir_rivals *rivals = (const struct ir_rivals *)engine_get(
            walk->engine, T_RIVALS, parent->listeners.items[i].key);
        if (ir_rivals_winner(rivals, key).len > 0) {
            return true;
        }
    }
    return false;
}

/* A route of another kind has some of the listeners; of all of them check_accepted() tells. */
static void check_rivals(struct finding_walk *walk, const struct route *route,
                         const struct attached_parent *parent, const struct condition *accepted)
{
    if (accepted->id != C_rivalled && parent->gateway.len > 0 && parent->condition == C_accepted &&
        accepted->id != C_outranked && loses_some(walk, parent, route)) {
        finding_report(walk, &route->object, PROBLEM_no_effect,
                       route->parents.items[parent->index].line,
                       arena_printf(&walk->scratch, "spec.parentRefs[%d]", (int)parent->index),
                       accepted->message,
                       STR("give it other hostnames, or move the rules to one kind of route"));
    }
}

void finding_parents(struct finding_walk *walk, const struct route *route,
                     const struct attachment *attachment)
{
    size_t next = 0; /* of the attachment's */
    bool almost = false;
    for (size_t i = 0; i < route->parents.len; i++) {
        const struct attached_parent *parent =
            next < attachment->parents.len ? &attachment->parents.items[next] : NULL;
        if (parent == NULL || (size_t)parent->index != i) {
            almost = check_other_parent(walk, route, i) || check_missing(walk, route, i) || almost;
            continue;
        }
        next++;
        if (parent->condition != C_accepted) {
            check_refused(walk, route, parent);
        }
    }
    const struct status *status =
        (const struct status *)engine_get(walk->engine, T_STATUS, attachment->key);
    for (size_t i = 0; status != NULL && i < status->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        const struct condition *accepted = &status->parents.items[i].conditions.items[0];
        check_accepted(walk, route, (size_t)parent->index, accepted);
        check_rivals(walk, route, parent, accepted);
    }
    if (attachment->parents.len == 0 && !almost) {
        finding_report(
            walk, &route->object, PROBLEM_no_effect, route->object.origin.line,
            STR("spec.parentRefs"),
            STR("the route names no Service, and no Gateway that is heddle's and here, so "
                "that it governs nothing"),
            STR("add a parentRef with group \"\" and kind Service, or one to a Gateway"));
    }
}
