/* SPDX-License-Identifier: Apache-2.0 */
/* findings_tls: BackendTLSPolicies that hold for nothing or cannot be followed; certificates whose
 * time is over. */
#include "base/clock.h"
#include "codec/x509.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "model/secret.h"
#include "model/service.h"
#include "model/tls_policy.h"
#include "pipeline/findings_internal.h"
#include "pipeline/meant.h"
#include "resolve/key.h"

#define MS_PER_SECOND 1000

/* --- targets -------------------------------------------------------------------------------- */

static bool has_port(const struct service *service, struct str name)
{
    bool any = name.len == 0;
    for (size_t i = 0; i < service->ports.len; i++) {
        any = any || str_eq(service->ports.items[i].name, name);
    }
    return any;
}

static void check_target(struct finding_walk *walk, const struct tls_policy *policy, size_t index,
                         const struct service *service)
{
    struct arena *arena = &walk->scratch;
    const struct tls_policy_target *target = &policy->targets.items[index];
    struct str ns = policy->object.meta.ns;
    struct str text = STR_NULL;
    struct str meant = STR_NULL;
    if (service == NULL) {
        text = arena_printf(arena, "no Service '%.*s' in namespace '%.*s'", STR_FMT(target->name),
                            STR_FMT(ns));
        meant = meant_service(walk->known, ns, target->name, arena);
        meant = str_starts_with(meant, STR("did you")) ? meant : STR_NULL;
    } else if (!has_port(service, target->section_name)) {
        text = arena_printf(arena, "Service '%.*s/%.*s' has no port named '%.*s'", STR_FMT(ns),
                            STR_FMT(target->name), STR_FMT(target->section_name));
        meant = meant_port(service, 0, target->section_name, arena);
    }
    if (text.len > 0) {
        finding_report(walk, &policy->object, PROBLEM_unresolved_reference, target->line,
                       arena_printf(arena, "spec.targetRefs[%zu]", index), text,
                       meant.len > 0 ? meant : STR("name a Service of the policy's own namespace"));
    }
}

/* --- what becomes of it --------------------------------------------------------------------- */

/* Of "validation.caCertificateRefs[1]: …", where that stands. */
static uint32_t line_of(const struct tls_policy *policy, struct str fault)
{
    struct str list = STR("validation.caCertificateRefs[");
    struct str rest = str_sub(fault, list.len, fault.len);
    uint64_t at;
    bool named = str_starts_with(fault, list) && str_to_u64(str_cut(&rest, ']'), &at) &&
                 at < policy->authorities.len;
    return named ? policy->authorities.items[at].line : policy->object.origin.line;
}

/* The first port that it targets and cannot be spoken to for its sake. Returns whether there is
 * one. */
static bool check_fault(struct finding_walk *walk, const struct tls_policy *policy, struct str key,
                        const struct service *service)
{
    struct arena *arena = &walk->scratch;
    struct str intro = arena_printf(arena, "BackendTLSPolicy '%.*s': ", STR_FMT(key));
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct ir_backend_tls *tls = (const struct ir_backend_tls *)engine_get(
            walk->engine, T_BACKEND_TLS,
            port_key_make(arena, service->object.meta.ns, service->object.meta.name,
                          service->ports.items[i].port, STR_NULL));
        if (tls == NULL || !str_eq(tls->policy, key) || tls->fault.len == 0) {
            continue;
        }
        struct str fault = str_starts_with(tls->fault, intro)
                               ? str_sub(tls->fault, intro.len, tls->fault.len)
                               : tls->fault;
        finding_report(walk, &policy->object, PROBLEM_unresolved_reference, line_of(policy, fault),
                       STR("spec"), fault,
                       STR("until it can be followed, Gateways answer with an error what they "
                           "would send there"));
        return true;
    }
    return false;
}

/* Another policy has each port of the target. */
static void check_conflict(struct finding_walk *walk, const struct tls_policy *policy, size_t index,
                           struct str key, const struct service *service)
{
    struct arena *arena = &walk->scratch;
    struct str other = STR_NULL;
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct ir_backend_tls *tls = (const struct ir_backend_tls *)engine_get(
            walk->engine, T_BACKEND_TLS,
            port_key_make(arena, service->object.meta.ns, service->object.meta.name,
                          service->ports.items[i].port, STR_NULL));
        if (tls != NULL && str_eq(tls->policy, key)) {
            return;
        }
        other = tls != NULL ? tls->policy : other;
    }
    if (other.len > 0) {
        finding_report(walk, &policy->object, PROBLEM_no_effect, policy->targets.items[index].line,
                       arena_printf(arena, "spec.targetRefs[%zu]", index),
                       arena_printf(arena, "BackendTLSPolicy '%.*s' has the ports of the Service",
                                    STR_FMT(other)),
                       STR("of several policies the older one holds, and one with a sectionName "
                           "before those without: join them"));
    }
}

/* "If this slice is full, implementations MUST NOT add further entries" (PolicyStatus.ancestors).
 */
static void check_ancestors(struct finding_walk *walk, const struct tls_policy *policy,
                            struct str key)
{
    const struct status *status =
        (const struct status *)engine_get(walk->engine, T_TLS_POLICY_STATUS, key);
    if (status != NULL && status->untold.len > 0) {
        finding_report(walk, &policy->object, PROBLEM_no_room_for_ancestors,
                       policy->object.origin.line, STR("spec.targetRefs"),
                       arena_printf(&walk->scratch,
                                    "%zu Gateways send to what the policy targets, and its status "
                                    "has room for %zu: there is no entry of Gateway '%.*s'%s",
                                    status->parents.len + status->untold.len, status->parents.len,
                                    STR_FMT(status->untold.items[0]),
                                    status->untold.len > 1 ? " and others" : ""),
                       STR("it is followed for all of them; where it targets several Services, a "
                           "policy for each "
                           "needs less room"));
    }
}

void finding_visit_tls_policy(void *user, struct str key, const struct row *row)
{
    struct finding_walk *walk = user;
    const struct tls_policy *policy = (const struct tls_policy *)row;
    bool told = false;
    for (size_t i = 0; i < policy->targets.len; i++) {
        const struct tls_policy_target *target = &policy->targets.items[i];
        if (target->group.len > 0 || !str_eq(target->kind, STR("Service"))) {
            continue;
        }
        const struct service *service = (const struct service *)engine_get(
            walk->engine, T_SERVICE,
            arena_printf(&walk->scratch, "%.*s/%.*s", STR_FMT(policy->object.meta.ns),
                         STR_FMT(target->name)));
        check_target(walk, policy, i, service);
        if (service != NULL && has_port(service, target->section_name)) {
            told = told || check_fault(walk, policy, key, service);
            check_conflict(walk, policy, i, key, service);
        }
    }
    check_ancestors(walk, policy, key);
    arena_reset(&walk->scratch);
}

/* --- time ----------------------------------------------------------------------------------- */

struct expiry_walk {
    struct finding_walk walk;
    int64_t now; /* seconds */
};

static void report_expired(struct expiry_walk *expiry, const struct object *object,
                           const char *path, int64_t end)
{
    char at[CLOCK_RFC3339_LEN];
    clock_rfc3339((uint64_t)end * MS_PER_SECOND, at);
    finding_report(&expiry->walk, object, PROBLEM_expired_certificate, object->origin.line,
                   str_from(path),
                   arena_printf(&expiry->walk.scratch, "a certificate was valid until %s", at),
                   STR("renew it: clients and Gateways that check it end the connection"));
    arena_reset(&expiry->walk.scratch);
}

/* Of a chain all must be valid. */
static void visit_secret(void *user, struct str key, const struct row *row)
{
    struct expiry_walk *expiry = user;
    const struct tls_secret *secret = (const struct tls_secret *)row;
    struct x509_ends ends;
    (void)key;
    if (secret->fault.len == 0 && x509_ends(secret->cert, &ends) && ends.first < expiry->now) {
        report_expired(expiry, &secret->object, "data.tls.crt", ends.first);
    }
}

/* Of those who are trusted one is enough. */
static void visit_config_map(void *user, struct str key, const struct row *row)
{
    struct expiry_walk *expiry = user;
    const struct config_map *map = (const struct config_map *)row;
    struct x509_ends ends;
    (void)key;
    if (map->authorities.len > 0 && map->fault.len == 0 && x509_ends(map->authorities, &ends) &&
        ends.last < expiry->now) {
        report_expired(expiry, &map->object, "data.ca.crt", ends.last);
    }
}

void findings_expired(const struct engine *engine, uint64_t now_ms, finding_fn *visit, void *user)
{
    struct expiry_walk expiry = {
        .walk = {.engine = engine, .visit = visit, .user = user},
        .now = (int64_t)(now_ms / MS_PER_SECOND),
    };
    arena_init(&expiry.walk.scratch);
    engine_each(engine, T_SECRET, visit_secret, &expiry);
    engine_each(engine, T_CONFIGMAP, visit_config_map, &expiry);
    arena_release(&expiry.walk.scratch);
}
