/* SPDX-License-Identifier: Apache-2.0 */
/* findings: what is legal but probably not meant, from the rows of the engine. */
#include "pipeline/findings.h"

#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/route.h"
#include "model/service.h"
#include "pipeline/meant.h"
#include "resolve/govern.h"
#include "resolve/policy.h"
#include "resolve/rule.h"

struct walk {
    const struct engine *engine;
    finding_fn *visit;
    void *user;
    struct arena scratch;
};

/* Texts of conditions begin with the field, because nothing else says it there. */
static struct str without_path(struct str text, struct str path)
{
    struct str field = str_sub(path, sizeof("spec.") - 1, path.len);
    if (!str_starts_with(text, field) || text.len <= field.len) {
        return text;
    }
    char next = text.ptr[field.len];
    return next == ':' || next == '.' ? str_trim(str_sub(text, field.len + 1, text.len)) : text;
}

static void report(struct walk *walk, const struct object *object, enum problem_code code,
                   uint32_t line, struct str path, struct str text, struct str remedy)
{
    struct problem problem = {
        .code = code,
        .line = line,
        .path = path,
        .object = arena_printf(&walk->scratch, "%s %.*s/%.*s", kind_info(object->kind)->kind,
                               STR_FMT(object->meta.ns), STR_FMT(object->meta.name)),
        .text = without_path(text, path),
        .remedy = remedy,
    };
    walk->visit(walk->user, object->origin.file, &problem);
}

/* What some kind of client does not do. Of several parentRefs mostly the same: told once. */
static void check_enforced(struct walk *walk, const struct object *object,
                           const struct status *status)
{
    struct str told = STR_NULL;
    for (size_t i = 0; status != NULL && i < status->parents.len; i++) {
        const struct status_parent *parent = &status->parents.items[i];
        for (size_t j = 0; j < parent->conditions.len; j++) {
            const struct condition *condition = &parent->conditions.items[j];
            bool gap = condition->id == C_not_enforced || condition->id == C_policy_not_enforced;
            if (gap && !str_eq(condition->message, told)) {
                told = condition->message;
                report(walk, object, PROBLEM_not_enforced, object->origin.line, STR("spec"), told,
                       STR_NULL);
            }
        }
    }
}

/* Whether other routes have what this one asks for by a parentRef. */
static void check_accepted(struct walk *walk, const struct route *route, size_t parent,
                           const struct condition *accepted)
{
    static const struct {
        enum condition_id id;
        enum problem_code code;
        struct str remedy;
    } cases[] = {
        {C_conflicted, PROBLEM_no_effect,
         STR("name another port, or move the rules to one kind of route")},
        {C_no_room, PROBLEM_no_effect, STR("split the Service, or make the routes smaller")},
        {C_outranked, PROBLEM_unreachable_rule,
         STR("name another port, or put the backendRefs into the older route")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (accepted->id == (int)cases[i].id) {
            report(walk, &route->object, cases[i].code, route->parents.items[parent].line,
                   arena_printf(&walk->scratch, "spec.parentRefs[%zu]", parent), accepted->message,
                   cases[i].remedy);
        }
    }
}

static const struct service *find_service(struct walk *walk, struct str ns, struct str name)
{
    struct str key = arena_printf(&walk->scratch, "%.*s/%.*s", STR_FMT(ns), STR_FMT(name));
    return (const struct service *)engine_get(walk->engine, T_SERVICE, key);
}

/* --- parentRefs ----------------------------------------------------------------------------- */

static struct str parent_remedy(struct walk *walk, const struct route *route,
                                const struct parent_ref *ref)
{
    struct str ns = ref->ns.len > 0 ? ref->ns : route->object.meta.ns;
    const struct service *service = find_service(walk, ns, ref->name);
    struct str meant = service == NULL ? meant_service(walk->engine, ns, ref->name, &walk->scratch)
                       : service->type == SERVICE_EXTERNAL_NAME
                           ? STR_NULL
                           : meant_port(service, ref->port, ref->section_name, &walk->scratch);
    return meant.len > 0 ? meant : STR("name a Service, and a TCP port of it, that exist");
}

/* Returns whether it is nearly a Service: the group left out, or a slip in the kind. */
static bool check_other_parent(struct walk *walk, const struct route *route, size_t index)
{
    const struct parent_ref *ref = &route->parents.items[index];
    struct str meant = meant_kind(ref->group, ref->kind, &walk->scratch);
    if (meant.len == 0) {
        return false;
    }
    report(walk, &route->object, PROBLEM_unresolved_reference, ref->line,
           arena_printf(&walk->scratch, "spec.parentRefs[%zu]", index),
           arena_printf(&walk->scratch,
                        "kind '%.*s' of group '%.*s'%s is no Service: the route does not govern it",
                        STR_FMT(ref->kind), STR_FMT(ref->group),
                        ref->has_group ? "" : ", which it is of where none is written,"),
           meant);
    return true;
}

static void check_parents(struct walk *walk, const struct route *route,
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
            report(walk, &route->object, PROBLEM_unresolved_reference, route->parents.items[i].line,
                   arena_printf(&walk->scratch, "spec.parentRefs[%zu]", i), parent->message,
                   parent_remedy(walk, route, &route->parents.items[i]));
        }
    }
    const struct status *status =
        (const struct status *)engine_get(walk->engine, T_STATUS, attachment->key);
    for (size_t i = 0; status != NULL && i < status->parents.len; i++) {
        check_accepted(walk, route, (size_t)attachment->parents.items[i].index,
                       &status->parents.items[i].conditions.items[0]);
    }
    if (attachment->parents.len == 0 && !almost) {
        report(walk, &route->object, PROBLEM_no_effect, route->object.origin.line,
               STR("spec.parentRefs"),
               STR("the route names no Service, so that it governs nothing in the mesh"),
               STR("add a parentRef with group \"\" and kind Service"));
    }
}

static bool of_connections(const struct route *route)
{
    return govern_of_connections(route->object.kind);
}

/* --- backendRefs ---------------------------------------------------------------------------- */

static struct str meant_backend(struct walk *walk, const struct route *route,
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
static void report_backend(struct walk *walk, const struct route *route,
                           const struct object_ref *ref, struct str path, uint32_t line,
                           struct str message, const char *until)
{
    struct str meant = meant_backend(walk, route, ref);
    const char *joint = meant.len == 0 ? "" : str_ends_with(meant, STR("?")) ? " " : "; ";
    report(walk, &route->object, PROBLEM_unresolved_reference, line, path, message,
           arena_printf(&walk->scratch, "%.*s%s%s", STR_FMT(meant), joint, until));
}

static void check_backends(struct walk *walk, const struct route *route,
                           const struct attachment *attachment)
{
    for (size_t i = 0; i < attachment->backends.len; i++) {
        const struct attached_backend *backend = &attachment->backends.items[i];
        if (backend->condition == C_resolved) {
            continue;
        }
        const struct backend_ref *ref =
            &route_rule(route, (size_t)backend->rule).backends[backend->index];
        report_backend(walk, route, &ref->ref,
                       arena_printf(&walk->scratch, "spec.rules[%d].backendRefs[%d]",
                                    (int)backend->rule, (int)backend->index),
                       ref->line, backend->message,
                       of_connections(route)
                           ? "until it resolves, its share of the connections is refused"
                           : "until it resolves, its share of the requests is answered with an "
                             "error");
    }
    for (size_t i = 0; i < attachment->mirrors.len; i++) {
        const struct attached_backend *mirror = &attachment->mirrors.items[i];
        if (mirror->condition == C_resolved) {
            continue;
        }
        const struct filter *filter =
            &route_rule(route, (size_t)mirror->rule).filters[mirror->index];
        report_backend(walk, route, &filter->mirror->backend,
                       arena_printf(&walk->scratch, "spec.rules[%d].filters[%d]", (int)mirror->rule,
                                    (int)mirror->index),
                       filter->line, mirror->message, "until it resolves, nothing is mirrored");
    }
}

/* --- rules ---------------------------------------------------------------------------------- */

/* A rule whose backendRefs all have weight 0. */
static void check_weights(struct walk *walk, const struct route *route)
{
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct rule_view rule = route_rule(route, i);
        bool some = rule.backends_len == 0;
        for (size_t j = 0; j < rule.backends_len; j++) {
            some = some || rule.backends[j].weight > 0;
        }
        if (!some) {
            report(walk, &route->object, PROBLEM_no_effect, route_rule_line(route, i),
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
static void check_hostnames(struct walk *walk, const struct route *route,
                            const struct attachment *attachment)
{
    if (attachment->parents.len > 0 && route->hostnames.len > 0 && !of_connections(route)) {
        report(walk, &route->object, PROBLEM_hostnames_ignored, route->object.origin.line,
               STR("spec.hostnames"),
               STR("a route of a Service has hostnames: the mesh ignores them, since a request "
                   "belongs to the address it was sent to"),
               STR("take them out: they change nothing"));
    }
}

static void check_unserved(struct walk *walk, const struct route *route)
{
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct str text = rule_unserved(route, i, &walk->scratch);
        if (text.len > 0) {
            report(walk, &route->object, PROBLEM_unserved_field, route_rule_line(route, i),
                   arena_printf(&walk->scratch, "spec.rules[%zu]", i), text,
                   STR("requests of this rule are answered with an error; take it out"));
        }
    }
}

static void visit_route(void *user, struct str key, const struct row *row)
{
    struct walk *walk = user;
    const struct route *route = (const struct route *)row;
    const struct attachment *attachment =
        (const struct attachment *)engine_get(walk->engine, T_ATTACHMENT, key);
    check_parents(walk, route, attachment);
    check_backends(walk, route, attachment);
    check_weights(walk, route);
    check_hostnames(walk, route, attachment);
    check_unserved(walk, route);
    check_enforced(walk, &route->object,
                   (const struct status *)engine_get(walk->engine, T_STATUS, key));
    arena_reset(&walk->scratch);
}

/* Services whose address is another one's. */
static void visit_service(void *user, struct str key, const struct row *row)
{
    struct walk *walk = user;
    const struct service *service = (const struct service *)row;
    const struct status *status =
        (const struct status *)engine_get(walk->engine, T_SERVICE_STATUS, key);
    for (size_t i = 0; status != NULL && i < status->conditions.len; i++) {
        if (status->conditions.items[i].id == C_address_taken) {
            report(walk, &service->object, PROBLEM_address_taken, service->object.origin.line,
                   STR("spec.clusterIP"), status->conditions.items[i].message,
                   STR("give every Service a ClusterIP of its own"));
        }
    }
    arena_reset(&walk->scratch);
}

static void check_target(struct walk *walk, const struct backend_policy *policy, size_t target,
                         const struct condition *accepted)
{
    static const struct {
        enum condition_id id;
        enum problem_code code;
        struct str remedy;
    } cases[] = {
        {C_target_not_found, PROBLEM_unresolved_reference,
         STR("name a Service of the policy's own namespace")},
        {C_target_invalid, PROBLEM_no_effect, STR("name a Service that has endpoints")},
        {C_policy_conflicted, PROBLEM_no_effect, STR("join the policies into one")},
    };
    const struct policy_target *ref = &policy->targets.items[target];
    struct str meant =
        accepted->id == C_target_not_found
            ? meant_service(walk->engine, policy->object.meta.ns, ref->name, &walk->scratch)
            : STR_NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (accepted->id == (int)cases[i].id) {
            report(walk, &policy->object, cases[i].code, policy->targets.items[target].line,
                   arena_printf(&walk->scratch, "spec.targetRefs[%zu]", target), accepted->message,
                   str_starts_with(meant, STR("did you")) ? meant : cases[i].remedy);
        }
    }
}

static void visit_policy(void *user, struct str key, const struct row *row)
{
    struct walk *walk = user;
    const struct backend_policy *policy = (const struct backend_policy *)row;
    const struct status *status =
        (const struct status *)engine_get(walk->engine, T_POLICY_STATUS, key);
    size_t told = 0;
    for (size_t i = 0; i < policy->targets.len; i++) {
        if (policy_targets_service(&policy->targets.items[i])) {
            check_target(walk, policy, i, &status->parents.items[told++].conditions.items[0]);
        }
    }
    if (told == 0) {
        report(walk, &policy->object, PROBLEM_no_effect, policy->object.origin.line,
               STR("spec.targetRefs"), STR("the policy targets no Service: it holds for nothing"),
               STR("add a targetRef with group \"\" and kind Service"));
    }
    check_enforced(walk, &policy->object, status);
    arena_reset(&walk->scratch);
}

void findings_each(const struct engine *engine, finding_fn *visit, void *user)
{
    struct walk walk = {.engine = engine, .visit = visit, .user = user};
    arena_init(&walk.scratch);
    engine_each(engine, T_SERVICE, visit_service, &walk);
    engine_each(engine, T_ROUTE, visit_route, &walk);
    engine_each(engine, T_POLICY, visit_policy, &walk);
    arena_release(&walk.scratch);
}
