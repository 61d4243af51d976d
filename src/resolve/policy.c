/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: see policy.h. A policy is a Direct Policy (GEP-713): of several that target one Service
 * the oldest holds, whole; nothing is merged. Its status has an entry for each Service that it
 * targets, since in the mesh nothing stands above a Service.
 */
#include "resolve/policy.h"

#include "ir/attachment.h"
#include "ir/client.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "model/service.h"
#include "resolve/connected.h"
#include "resolve/fault.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/session.h"

#define CONDITIONS_MAX 2
#define SECOND_MS 1000

bool policy_targets_service(const struct policy_target *target)
{
    return target->group.len == 0 && str_eq(target->kind, STR("Service"));
}

static struct str service_key(struct arena *arena, const struct backend_policy *policy,
                              const struct policy_target *target)
{
    return arena_printf(arena, "%.*s/%.*s", STR_FMT(policy->object.meta.ns), STR_FMT(target->name));
}

void resolve_policies(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct backend_policy *policy = (const struct backend_policy *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    (void)key;
    for (size_t i = 0; i < policy->targets.len; i++) {
        if (policy_targets_service(&policy->targets.items[i])) {
            group_emit(emit, service_key(&scratch, policy, &policy->targets.items[i]));
        }
    }
    arena_release(&scratch);
}

/* "The oldest … based on creation timestamp; alphabetical order by {namespace}/{name}" (GEP-713):
 * all are of the Service's namespace, and the engine breaks ties by key. */
int resolve_policies_order(const struct row *a, const struct row *b)
{
    int64_t created_a = ((const struct object *)a)->meta.created;
    int64_t created_b = ((const struct object *)b)->meta.created;
    return (created_a > created_b) - (created_a < created_b);
}

const struct backend_policy *policy_of(struct eval *ev, struct str service)
{
    struct row_span policies = eval_group(ev, X_POLICIES, service);
    return policies.len > 0 ? (const struct backend_policy *)policies.rows[0] : NULL;
}

/* Proxies know no rate of retries, but how many are under way: as many as that rate comes to when
 * each takes a second. */
struct ir_retry_budget *policy_budget(struct arena *arena, const struct retry_constraint *from)
{
    struct ir_retry_budget *budget = ARENA_NEW(arena, struct ir_retry_budget);
    budget->percent = from->budget.percent;
    budget->interval_ms = from->budget.interval_ms;
    budget->min_concurrency =
        (from->min_rate.count * (int64_t)SECOND_MS + from->min_rate.interval_ms - 1) /
        from->min_rate.interval_ms;
    return budget;
}

/* "Route rule wins over policy" (GEP-1619). Requests choose among backends by weight first, so each
 * backend has sessions of its own, and their cookies names of their own. */
void policy_sessions(struct eval *ev, struct ir_routing *routing)
{
    struct arena *arena = &routing->row.arena;
    for (size_t i = 0; i < routing->routes.len; i++) {
        struct ir_route *route = &routing->routes.items[i];
        for (size_t j = 0; route->session == NULL && j < route->backends.len; j++) {
            struct ir_backend *backend = &route->backends.items[j];
            struct upstream_name name = upstream_name_parse(backend->cluster);
            struct str service =
                name.port.len > 0 && !name.mesh ? port_key_parse(name.port).object : STR_NULL;
            const struct backend_policy *policy = service.len > 0 ? policy_of(ev, service) : NULL;
            if (policy != NULL && policy->session != NULL) {
                backend->session = session_make(arena, policy->session, service);
            }
        }
    }
}

/* --- status -------------------------------------------------------------------------------- */

static void add(struct status_parent *ancestor, enum condition_id id, struct str message)
{
    ancestor->conditions.items[ancestor->conditions.len++] = (struct condition){(int)id, message};
}

/* Returns whether the policy holds for the target. */
static bool accepted_condition(struct eval *ev, struct arena *arena,
                               const struct backend_policy *policy,
                               const struct policy_target *target, struct status_parent *ancestor)
{
    struct str key = service_key(eval_scratch(ev), policy, target);
    const struct service *service = (const struct service *)eval_get(ev, T_SERVICE, key);
    const struct backend_policy *winner = policy_of(ev, key);
    if (service == NULL) {
        add(ancestor, C_target_not_found,
            arena_printf(arena, "no Service '%.*s' in namespace '%.*s'", STR_FMT(target->name),
                         STR_FMT(policy->object.meta.ns)));
        return false;
    }
    if (service->type == SERVICE_EXTERNAL_NAME) {
        add(ancestor, C_target_invalid,
            arena_printf(arena, "Service '%.*s' is of type ExternalName, which has no endpoints",
                         STR_FMT(key)));
        return false;
    }
    if (!str_eq(winner->object.meta.name, policy->object.meta.name)) {
        add(ancestor, C_policy_conflicted,
            arena_printf(arena,
                         "XBackendTrafficPolicy '%.*s' targets the Service, too; the older one "
                         "holds, of equally old ones the first by name",
                         STR_FMT(winner->object.meta.name)));
        return false;
    }
    add(ancestor, C_policy_accepted, STR("the policy holds for the traffic to the Service"));
    return true;
}

static void enforced_condition(struct eval *ev, struct arena *arena,
                               const struct backend_policy *policy, struct status_parent *ancestor)
{
    bool both = policy->retry != NULL && policy->session != NULL;
    struct str text = STR_NULL;
    if ((policy->retry != NULL || policy->session != NULL) && is_connected(ev, STR(SCOPE_GRPC))) {
        text = arena_printf(arena, "proxyless gRPC clients do not apply %s%s%s",
                            policy->retry != NULL ? "retryConstraint" : "", both ? ", " : "",
                            policy->session != NULL ? "sessionPersistence" : "");
    }
    if (policy->session != NULL && session_outlives(policy->session) &&
        is_connected(ev, STR(SCOPE_ENVOY))) {
        text = arena_printf(arena, "%.*s%ssidecars do not keep sessionPersistence.absoluteTimeout",
                            STR_FMT(text), text.len > 0 ? "; " : "");
    }
    if (text.len > 0) {
        add(ancestor, C_policy_not_enforced, text);
    }
}

static struct parent_ref ref_of(struct arena *arena, const struct backend_policy *policy,
                                const struct policy_target *target)
{
    return (struct parent_ref){
        .kind = STR("Service"),
        .ns = arena_str(arena, policy->object.meta.ns),
        .name = arena_str(arena, target->name),
    };
}

const struct row *resolve_policy_status(struct eval *ev, struct str key)
{
    const struct backend_policy *policy =
        (const struct backend_policy *)eval_get(ev, T_POLICY, key);
    const struct fault *fault = fault_of(ev, KIND_XBACKENDTRAFFICPOLICY, key);
    size_t services = 0;
    if (fault != NULL) {
        return fault_status(ev, fault, (const struct object *)policy);
    }
    for (size_t i = 0; policy != NULL && i < policy->targets.len; i++) {
        services += policy_targets_service(&policy->targets.items[i]);
    }
    if (services == 0) {
        return NULL; /* no target is ours: nothing to say */
    }
    struct status *row = row_new(sizeof(*row), 256);
    struct arena *arena = &row->row.arena;
    row->kind = (int)policy->object.kind;
    row->ancestors = true;
    row->ns = arena_str(arena, policy->object.meta.ns);
    row->name = arena_str(arena, policy->object.meta.name);
    row->generation = policy->object.meta.generation;
    row->parents.items = ARENA_ARRAY(arena, services, struct status_parent);
    for (size_t i = 0; i < policy->targets.len; i++) {
        const struct policy_target *target = &policy->targets.items[i];
        if (!policy_targets_service(target)) {
            continue;
        }
        struct status_parent *ancestor = &row->parents.items[row->parents.len++];
        ancestor->ref = ref_of(arena, policy, target);
        ancestor->conditions.items = ARENA_ARRAY(arena, CONDITIONS_MAX, struct condition);
        if (accepted_condition(ev, arena, policy, target, ancestor)) {
            enforced_condition(ev, arena, policy, ancestor);
        }
    }
    return &row->row;
}
