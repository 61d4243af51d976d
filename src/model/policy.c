/* SPDX-License-Identifier: Apache-2.0 */
/* policy: which fields does an XBackendTrafficPolicy have, and what must hold between them? */
#include "model/policy.h"

#include "model/route_schema.h"

#define TARGETS_MAX 16
#define RETRIES_MAX 1000000 /* minRetryRate.count */
#define SECOND_MS 1000
#define HOUR_MS (3600 * SECOND_MS)

static const struct field target_fields[] = {
    FIELD(STR, "group", struct policy_target, group, .required = true, .format = &format_group),
    FIELD(STR, "kind", struct policy_target, kind, .required = true, .format = &format_kind),
    FIELD(STR, "name", struct policy_target, name, .required = true, .format = &format_object_name),
    FIELD_LINE_OF(struct policy_target),
    FIELD_END,
};
static const struct schema target_schema = {
    .name = "a targetRef", .size = sizeof(struct policy_target), .fields = target_fields};

static void check_interval(const struct doc_node *node, int64_t ms, int64_t least,
                           const char *remedy, struct problems *problems, struct str path)
{
    if (ms < least || ms > HOUR_MS) {
        const struct doc_node *at = doc_get(node, STR("interval"));
        problems_report(problems, PROBLEM_out_of_range, at->line, at->column,
                        arena_printf(problems->arena, "%.*s.interval", STR_FMT(path)),
                        str_from(remedy), "'interval' is too %s", ms < least ? "short" : "long");
    }
}

static void check_budget(const void *obj, const struct doc_node *node, struct problems *problems,
                         struct str path)
{
    const struct retry_constraint *retry = obj;
    check_interval(node, retry->budget.interval_ms, SECOND_MS, "write 1s to 1h", problems, path);
}

static void check_min_rate(const void *obj, const struct doc_node *node, struct problems *problems,
                           struct str path)
{
    const struct retry_constraint *retry = obj;
    check_interval(node, retry->min_rate.interval_ms, 1, "write a time of up to 1h", problems,
                   path);
}

static const struct field budget_fields[] = {
    FIELD(INT, "percent", struct retry_constraint, budget.percent, .max = 100, .fallback = "20"),
    FIELD(DURATION, "interval", struct retry_constraint, budget.interval_ms, .fallback = "10s"),
    FIELD_END,
};
static const struct schema budget_schema = {
    .name = "a retry budget", .fields = budget_fields, .check = check_budget};

/* The CRD has defaults for the whole of it only; a part that is not written is taken to be the
 * same. */
static const struct field min_rate_fields[] = {
    FIELD(INT, "count", struct retry_constraint, min_rate.count, .min = 1, .max = RETRIES_MAX,
          .fallback = "10"),
    FIELD(DURATION, "interval", struct retry_constraint, min_rate.interval_ms, .fallback = "1s"),
    FIELD_END,
};
static const struct schema min_rate_schema = {
    .name = "a retry rate", .fields = min_rate_fields, .check = check_min_rate};

static const struct field retry_fields[] = {
    FIELD_FLAT("budget", &budget_schema),
    FIELD_FLAT("minRetryRate", &min_rate_schema),
    FIELD_END,
};
static const struct schema retry_schema = {
    .name = "a retryConstraint", .size = sizeof(struct retry_constraint), .fields = retry_fields};

static void check_spec(const void *obj, const struct doc_node *node, struct problems *problems,
                       struct str path)
{
    const struct backend_policy *policy = obj;
    for (size_t i = 1; i < policy->targets.len; i++) {
        const struct policy_target *target = &policy->targets.items[i];
        for (size_t j = 0; j < i; j++) {
            const struct policy_target *other = &policy->targets.items[j];
            if (str_eq(target->name, other->name) && str_eq(target->kind, other->kind) &&
                str_eq(target->group, other->group)) {
                const struct doc_node *at = doc_get(node, STR("targetRefs"))->items[i];
                problems_report(
                    problems, PROBLEM_union, at->line, at->column,
                    arena_printf(problems->arena, "%.*s.targetRefs[%zu]", STR_FMT(path), i),
                    STR("remove one of them"), "two targetRefs are the same");
                break;
            }
        }
    }
}

static const struct field spec_fields[] = {
    FIELD(LIST, "targetRefs", struct backend_policy, targets, .required = true,
          .schema = &target_schema, .min = 1, .max = TARGETS_MAX),
    FIELD(PTR, "retryConstraint", struct backend_policy, retry, .schema = &retry_schema),
    FIELD(PTR, "sessionPersistence", struct backend_policy, session, .schema = &session_schema),
    FIELD_END,
};
static const struct schema spec_schema = {
    .name = "an XBackendTrafficPolicy's spec", .fields = spec_fields, .check = check_spec};

static const struct field policy_fields[] = {
    OBJECT_FIELDS,
    FIELD_FLAT("spec", &spec_schema, .required = true),
    FIELD_KNOWN("status"),
    FIELD_END,
};
const struct schema backend_policy_schema = {.name = "an XBackendTrafficPolicy",
                                             .size = sizeof(struct backend_policy),
                                             .fields = policy_fields};
