/* SPDX-License-Identifier: Apache-2.0 */
/* findings: what is legal but probably not meant, from the rows of the engine. */
#include "pipeline/findings.h"

#include "ir/graph.h"
#include "model/fault.h"
#include "pipeline/findings_internal.h"
#include "pipeline/meant.h"
#include "resolve/policy.h"

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

void finding_report(struct finding_walk *walk, const struct object *object, enum problem_code code,
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

void finding_enforced(struct finding_walk *walk, const struct object *object,
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
                finding_report(walk, object, PROBLEM_not_enforced, object->origin.line, STR("spec"),
                               told, STR_NULL);
            }
        }
    }
}

static void check_target(struct finding_walk *walk, const struct backend_policy *policy,
                         size_t target, const struct condition *accepted)
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
            ? meant_service(walk->known, policy->object.meta.ns, ref->name, &walk->scratch)
            : STR_NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (accepted->id == (int)cases[i].id) {
            finding_report(walk, &policy->object, cases[i].code, policy->targets.items[target].line,
                           arena_printf(&walk->scratch, "spec.targetRefs[%zu]", target),
                           accepted->message,
                           str_starts_with(meant, STR("did you")) ? meant : cases[i].remedy);
        }
    }
}

static void visit_policy(void *user, struct str key, const struct row *row)
{
    struct finding_walk *walk = user;
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
        finding_report(walk, &policy->object, PROBLEM_no_effect, policy->object.origin.line,
                       STR("spec.targetRefs"),
                       STR("the policy targets no Service: it holds for nothing"),
                       STR("add a targetRef with group \"\" and kind Service"));
    }
    finding_enforced(walk, &policy->object, status);
    arena_reset(&walk->scratch);
}

static void visit_fault(void *user, struct str key, const struct row *row)
{
    struct finding_walk *walk = user;
    struct problem problem = fault_problem((const struct fault *)row, &walk->scratch);
    (void)key;
    walk->visit(walk->user, STR_NULL, &problem);
    arena_reset(&walk->scratch);
}

void findings_each(const struct engine *engine, finding_fn *visit, void *user)
{
    findings_among(engine, engine, visit, user);
}

void findings_among(const struct engine *engine, const struct engine *known, finding_fn *visit,
                    void *user)
{
    struct finding_walk walk = {.engine = engine, .known = known, .visit = visit, .user = user};
    arena_init(&walk.scratch);
    engine_each(engine, T_FAULT, visit_fault, &walk);
    engine_each(engine, T_SERVICE, finding_visit_service, &walk);
    engine_each(engine, T_SLICE, finding_visit_slice, &walk);
    engine_each(engine, T_GATEWAY, finding_visit_gateway, &walk);
    engine_each(engine, T_LISTENERSET, finding_visit_listener_set, &walk);
    engine_each(engine, T_ROUTE, finding_visit_route, &walk);
    unreached_each(engine, finding_visit_unreached, &walk);
    engine_each(engine, T_POLICY, visit_policy, &walk);
    engine_each(engine, T_TLS_POLICY, finding_visit_tls_policy, &walk);
    arena_release(&walk.scratch);
}
