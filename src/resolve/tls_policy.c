/* SPDX-License-Identifier: Apache-2.0 */
/* tls_policy: see tls_policy.h; policies by Service. */
#include "resolve/tls_policy.h"

#include "ir/graph.h"
#include "model/secret.h"
#include "resolve/resolve.h"
#include "resolve/status.h"

bool tls_policy_targets_service(const struct tls_policy_target *target)
{
    return target->group.len == 0 && str_eq(target->kind, STR("Service"));
}

void resolve_tls_policies(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct tls_policy *policy = (const struct tls_policy *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    (void)key;
    for (size_t i = 0; i < policy->targets.len; i++) {
        const struct tls_policy_target *target = &policy->targets.items[i];
        if (tls_policy_targets_service(target)) {
            group_emit(emit, arena_printf(&scratch, "%.*s/%.*s", STR_FMT(policy->object.meta.ns),
                                          STR_FMT(target->name)));
        }
    }
    arena_release(&scratch);
}

/* "The older policy by creation timestamp takes precedence … alphabetical order by
 * {namespace}/{name}" (BackendTLSPolicySpec.targetRefs), as of other policies. */
int resolve_tls_policies_order(const struct row *a, const struct row *b)
{
    return resolve_policies_order(a, b);
}

static bool targets(const struct tls_policy *policy, struct str name, struct str section)
{
    for (size_t i = 0; i < policy->targets.len; i++) {
        const struct tls_policy_target *target = &policy->targets.items[i];
        if (tls_policy_targets_service(target) && str_eq(target->name, name) &&
            str_eq(target->section_name, section)) {
            return true;
        }
    }
    return false;
}

const struct tls_policy *tls_policy_of(struct eval *ev, struct str service, struct str section)
{
    struct row_span policies = eval_group(ev, X_TLS_POLICIES, service);
    struct str name = str_sub(service, str_index(service, '/') + 1, service.len);
    for (size_t i = 0; i < policies.len; i++) {
        const struct tls_policy *policy = (const struct tls_policy *)policies.rows[i];
        if (targets(policy, name, section)) {
            return policy;
        }
    }
    return NULL;
}

/* --- whom to trust -------------------------------------------------------------------------- */

/* Why a reference is of no use, in the scratch arena; empty: the ConfigMap of that key is good. */
static struct str unusable(struct eval *ev, const struct named_ref *ref, struct str key,
                           enum condition_id *ret_why)
{
    struct arena *scratch = eval_scratch(ev);
    *ret_why = C_tls_kind_invalid;
    if (ref->group.len > 0 || !str_eq(ref->kind, STR("ConfigMap"))) {
        return arena_printf(scratch,
                            "kind '%.*s' of group '%.*s' cannot hold authorities; ConfigMaps can",
                            STR_FMT(ref->kind), STR_FMT(ref->group));
    }
    const struct config_map *map = (const struct config_map *)eval_get(ev, T_CONFIGMAP, key);
    *ret_why = C_tls_authority_invalid;
    if (map == NULL) {
        return arena_printf(scratch, "no ConfigMap '%.*s'", STR_FMT(key));
    }
    if (map->authorities.len == 0) {
        return arena_printf(scratch, "ConfigMap '%.*s' has no key 'ca.crt'", STR_FMT(key));
    }
    return map->fault.len > 0
               ? arena_printf(scratch, "ConfigMap '%.*s': %.*s", STR_FMT(key), STR_FMT(map->fault))
               : STR_NULL;
}

static void add_authorities(struct eval *ev, const struct tls_policy *policy,
                            struct tls_trust *trust)
{
    struct arena *scratch = eval_scratch(ev);
    struct faults faults = {.arena = scratch};
    trust->authorities.items = ARENA_ARRAY(scratch, policy->authorities.len, struct str);
    for (size_t i = 0; i < policy->authorities.len; i++) {
        const struct named_ref *ref = &policy->authorities.items[i];
        enum condition_id why;
        struct str key =
            arena_printf(scratch, "%.*s/%.*s", STR_FMT(policy->object.meta.ns), STR_FMT(ref->name));
        struct str text = unusable(ev, ref, key, &why);
        if (text.len == 0) {
            trust->authorities.items[trust->authorities.len++] = key;
            continue;
        }
        trust->resolved = faults.len == 0 ? why : trust->resolved;
        faults_add(&faults, arena_printf(scratch, "validation.caCertificateRefs[%zu]: %.*s", i,
                                         STR_FMT(text)));
    }
    if (faults.len > 0) {
        trust->message = faults_text(&faults);
    }
}

struct tls_trust tls_policy_trust(struct eval *ev, const struct tls_policy *policy)
{
    struct tls_trust trust = {
        .resolved = C_tls_resolved,
        .message = STR("all references resolve"),
        .accepted = C_policy_accepted,
    };
    add_authorities(ev, policy, &trust);
    if (policy->authorities.len > 0) {
        if (trust.authorities.len == 0) {
            trust.accepted = C_tls_no_authority;
            trust.fault = trust.message;
        }
    } else if (str_eq(policy->well_known, STR("System"))) {
        trust.system = true;
    } else {
        trust.accepted = C_target_invalid;
        trust.fault = arena_printf(eval_scratch(ev),
                                   "validation.wellKnownCACertificates: the set '%.*s' is not "
                                   "known; 'System' is",
                                   STR_FMT(policy->well_known));
    }
    return trust;
}
