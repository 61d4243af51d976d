/* SPDX-License-Identifier: Apache-2.0 */
/* findings_route: of routes: what they attach to, where they send, what of them is never reached.
 */
#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/route.h"
#include "model/service.h"
#include "pipeline/findings_internal.h"
#include "pipeline/meant.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/rule.h"

/* --- parentRefs ----------------------------------------------------------------------------- */

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

static const struct service *find_service(struct finding_walk *walk, struct str ns, struct str name)
{
    struct str key = arena_printf(&walk->scratch, "%.*s/%.*s", STR_FMT(ns), STR_FMT(name));
    return (const struct service *)engine_get(walk->engine, T_SERVICE, key);
}

static struct str parent_remedy(struct finding_walk *walk, const struct route *route,
                                const struct attached_parent *parent)
{
    const struct parent_ref *ref = &route->parents.items[parent->index];
    if (parent->condition == C_not_allowed) {
        return STR("open allowedRoutes of the listener, or name another");
    }
    if (parent->condition == C_no_matching_hostname) {
        return STR("give the route a hostname that the listener has, or name another listener");
    }
    if (parent->gateway.len > 0) {
        return STR("name a listener, or a port of one, that exists");
    }
    struct str ns = ref->ns.len > 0 ? ref->ns : route->object.meta.ns;
    const struct service *service = find_service(walk, ns, ref->name);
    struct str meant = service == NULL ? meant_service(walk->engine, ns, ref->name, &walk->scratch)
                       : service->type == SERVICE_EXTERNAL_NAME
                           ? STR_NULL
                           : meant_port(service, ref->port, ref->section_name, &walk->scratch);
    return meant.len > 0 ? meant : STR("name a Service, and a TCP port of it, that exist");
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

static void check_parents(struct finding_walk *walk, const struct route *route,
                          const struct attachment *attachment)
{
    size_t next = 0; /* of the attachment's */
    bool almost = false;
    for (size_t i = 0; i < route->parents.len; i++) {
        const struct attached_parent *parent =
            next < attachment->parents.len ? &attachment->parents.items[next] : NULL;
        if (parent == NULL || (size_t)parent->index != i) {
            almost = check_other_parent(walk, route, i) || almost;
            continue;
        }
        next++;
        if (parent->condition != C_accepted) {
            finding_report(walk, &route->object, PROBLEM_unresolved_reference,
                           route->parents.items[i].line,
                           arena_printf(&walk->scratch, "spec.parentRefs[%zu]", i), parent->message,
                           parent_remedy(walk, route, parent));
        }
    }
    const struct status *status =
        (const struct status *)engine_get(walk->engine, T_STATUS, attachment->key);
    for (size_t i = 0; status != NULL && i < status->parents.len; i++) {
        check_accepted(walk, route, (size_t)attachment->parents.items[i].index,
                       &status->parents.items[i].conditions.items[0]);
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

static bool of_connections(const struct route *route)
{
    return govern_of_connections(route->object.kind);
}

/* --- backendRefs ---------------------------------------------------------------------------- */

static struct str meant_backend(struct finding_walk *walk, const struct route *route,
                                const struct object_ref *ref)
{
    struct str ns = ref->ns.len > 0 ? ref->ns : route->object.meta.ns;
    if (ref->group.len > 0 || !str_eq(ref->kind, STR("Service"))) {
        return meant_kind(ref->group, ref->kind, &walk->scratch);
    }
    const struct service *service = find_service(walk, ns, ref->name);
    if (service == NULL) {
        return meant_service(walk->engine, ns, ref->name, &walk->scratch);
    }
    return service->type == SERVICE_EXTERNAL_NAME
               ? STR_NULL
               : meant_port(service, ref->port, STR_NULL, &walk->scratch);
}

/* until: what becomes of it until it resolves. */
static void report_backend(struct finding_walk *walk, const struct route *route,
                           const struct object_ref *ref, struct str path, uint32_t line,
                           struct str message, const char *until)
{
    struct str meant = meant_backend(walk, route, ref);
    const char *joint = meant.len == 0 ? "" : str_ends_with(meant, STR("?")) ? " " : "; ";
    finding_report(walk, &route->object, PROBLEM_unresolved_reference, line, path, message,
                   arena_printf(&walk->scratch, "%.*s%s%s", STR_FMT(meant), joint, until));
}

static bool has_parents(const struct attachment *attachment, bool gateways)
{
    for (size_t i = 0; i < attachment->parents.len; i++) {
        if ((attachment->parents.items[i].gateway.len > 0) == gateways) {
            return true;
        }
    }
    return false;
}

/* What some parent of the route says of it; a route without any is told as the mesh would. */
static bool resolves(const struct attachment *attachment, const struct attached_backend *backend,
                     struct str *ret_message)
{
    bool gateways = has_parents(attachment, true);
    bool mesh = has_parents(attachment, false) || !gateways;
    return (!gateways || attached_backend_state(backend, true, ret_message) == C_resolved) &&
           (!mesh || attached_backend_state(backend, false, ret_message) == C_resolved);
}

static void check_backends(struct finding_walk *walk, const struct route *route,
                           const struct attachment *attachment)
{
    struct str message;
    for (size_t i = 0; i < attachment->backends.len; i++) {
        const struct attached_backend *backend = &attachment->backends.items[i];
        if (resolves(attachment, backend, &message)) {
            continue;
        }
        const struct backend_ref *ref =
            &route_rule(route, (size_t)backend->rule).backends[backend->index];
        report_backend(walk, route, &ref->ref,
                       arena_printf(&walk->scratch, "spec.rules[%d].backendRefs[%d]",
                                    (int)backend->rule, (int)backend->index),
                       ref->line, message,
                       of_connections(route)
                           ? "until it resolves, its share of the connections is refused"
                           : "until it resolves, its share of the requests is answered with an "
                             "error");
    }
    for (size_t i = 0; i < attachment->mirrors.len; i++) {
        const struct attached_backend *mirror = &attachment->mirrors.items[i];
        if (resolves(attachment, mirror, &message)) {
            continue;
        }
        const struct filter *filter =
            &route_rule(route, (size_t)mirror->rule).filters[mirror->index];
        report_backend(walk, route, &filter->mirror->backend,
                       arena_printf(&walk->scratch, "spec.rules[%d].filters[%d]", (int)mirror->rule,
                                    (int)mirror->index),
                       filter->line, message, "until it resolves, nothing is mirrored");
    }
}

/* --- rules ---------------------------------------------------------------------------------- */

/* A rule whose backendRefs all have weight 0. */
static void check_weights(struct finding_walk *walk, const struct route *route)
{
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct rule_view rule = route_rule(route, i);
        bool some = rule.backends_len == 0;
        for (size_t j = 0; j < rule.backends_len; j++) {
            some = some || rule.backends[j].weight > 0;
        }
        if (!some) {
            finding_report(
                walk, &route->object, PROBLEM_no_effect, route_rule_line(route, i),
                arena_printf(&walk->scratch, "spec.rules[%zu].backendRefs", i),
                of_connections(route)
                    ? STR("all weights are 0: the connections of this rule are refused")
                    : STR("all weights are 0: requests of this rule are answered with an error"),
                STR("give a backendRef a weight above 0"));
        }
    }
}

/* "GAMMA implementations SHOULD ignore hostnames" (GEP-1294): not an error, but hardly meant. Those
 * of a TLSRoute are not ignored (resolve/l4.c). */
static void check_hostnames(struct finding_walk *walk, const struct route *route,
                            const struct attachment *attachment)
{
    if (has_parents(attachment, false) && !has_parents(attachment, true) &&
        route->hostnames.len > 0 && !of_connections(route)) {
        finding_report(
            walk, &route->object, PROBLEM_hostnames_ignored, route->object.origin.line,
            STR("spec.hostnames"),
            STR("a route of a Service has hostnames: the mesh ignores them, since a request "
                "belongs to the address it was sent to"),
            STR("take them out: they change nothing"));
    }
}

static void check_unserved(struct finding_walk *walk, const struct route *route)
{
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct str text = rule_unserved(route, i, &walk->scratch);
        if (text.len > 0) {
            finding_report(walk, &route->object, PROBLEM_unserved_field, route_rule_line(route, i),
                           arena_printf(&walk->scratch, "spec.rules[%zu]", i), text,
                           STR("requests of this rule are answered with an error; take it out"));
        }
    }
}

void finding_visit_route(void *user, struct str key, const struct row *row)
{
    struct finding_walk *walk = user;
    const struct route *route = (const struct route *)row;
    const struct attachment *attachment =
        (const struct attachment *)engine_get(walk->engine, T_ATTACHMENT, key);
    check_parents(walk, route, attachment);
    check_backends(walk, route, attachment);
    check_weights(walk, route);
    check_hostnames(walk, route, attachment);
    check_unserved(walk, route);
    finding_enforced(walk, &route->object,
                     (const struct status *)engine_get(walk->engine, T_STATUS, key));
    arena_reset(&walk->scratch);
}

/* --- among routes --------------------------------------------------------------------------- */

/* A rule whose requests all go to older routes. */
void finding_visit_unreached(void *user, const struct unreached *unreached)
{
    struct finding_walk *walk = user;
    struct rule_key key = rule_key_parse(unreached->rule);
    struct rule_key taker_key = rule_key_parse(unreached->taker);
    const struct route *route = (const struct route *)engine_get(walk->engine, T_ROUTE, key.route);
    const struct route *taker =
        (const struct route *)engine_get(walk->engine, T_ROUTE, taker_key.route);
    struct str where = STR_NULL;
    if (unreached->port.len > 0) {
        where = arena_printf(&walk->scratch, " on Service port '%.*s'", STR_FMT(unreached->port));
    }
    struct str file = taker->object.origin.file;
    struct str at = file.len == 0
                        ? STR_NULL
                        : arena_printf(&walk->scratch, " (%.*s:%u)", STR_FMT(file),
                                       (unsigned)route_rule_line(taker, taker_key.number));
    if (unreached->more_ports > 0) {
        where = arena_printf(&walk->scratch, "%.*s and %zu more", STR_FMT(where),
                             unreached->more_ports);
    }
    finding_report(
        walk, &route->object, PROBLEM_unreachable_rule, route_rule_line(route, key.number),
        arena_printf(&walk->scratch, "spec.rules[%zu]", key.number),
        arena_printf(&walk->scratch,
                     "rule %zu is never reached%.*s: rule %zu of %s %.*s/%.*s%.*s takes "
                     "its requests",
                     key.number + 1, STR_FMT(where), taker_key.number + 1,
                     kind_info(taker->object.kind)->kind, STR_FMT(taker->object.meta.ns),
                     STR_FMT(taker->object.meta.name), STR_FMT(at)),
        STR("of equal matches the oldest route has the requests: make one of them narrower, or "
            "join the rules"));
    arena_reset(&walk->scratch);
}
