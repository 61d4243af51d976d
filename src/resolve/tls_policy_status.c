/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_policy_status: the conditions of BackendTLSPolicies, for each Gateway by whose routes
 * something is sent to a Service that the policy targets. "A policy targets a Service … it may have
 * a distinct result per attached Gateway" (PolicyAncestorStatus).
 *
 *   Accepted      False/Conflicted when an older policy has each of its targets, False/
 *                 TargetNotFound when there is no such port, False/NoValidCACertificate when no
 *                 authority can be used, False/Invalid when the set of them is not known
 *   ResolvedRefs  False/InvalidCACertificateRef, False/InvalidKind by the first that is no good
 */
#include <stdlib.h>

#include "ir/attachment.h"
#include "ir/graph.h"
#include "model/service.h"
#include "resolve/fault.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/status.h"
#include "resolve/tls_policy.h"

#define ANCESTORS_MAX 16 /* "a maximum of 16 ancestors" (PolicyStatus) */
#define CONDITIONS_MAX 2

/* --- who sends there ------------------------------------------------------------------------- */

static bool has_gateways(const struct attachment *attachment)
{
    for (size_t i = 0; i < attachment->parents.len; i++) {
        if (attachment->parents.items[i].listeners.len > 0) {
            return true;
        }
    }
    return false;
}

static void emit_services(const struct attached_backend *backends, size_t len,
                          struct group_emit *emit)
{
    for (size_t i = 0; i < len; i++) {
        struct str message;
        if (attached_backend_state(&backends[i], true, &message) == C_resolved) {
            group_emit(emit, port_key_parse(backends[i].cluster).object);
        }
    }
}

void resolve_gateways_of_services(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct attachment *attachment = (const struct attachment *)row;
    (void)key;
    if (has_gateways(attachment)) {
        emit_services(attachment->backends.items, attachment->backends.len, emit);
        emit_services(attachment->mirrors.items, attachment->mirrors.len, emit);
    }
}

struct ancestors { /* Gateways "ns/name", sorted, each once */
    struct str items[ANCESTORS_MAX];
    size_t len;
};

/* The first by name are kept: whom to tell does not depend on the order of routes. */
static void add_ancestor(struct ancestors *ancestors, struct str gateway)
{
    size_t at = ancestors->len;
    while (at > 0 && str_cmp(gateway, ancestors->items[at - 1]) < 0) {
        at--;
    }
    if (at > 0 && str_eq(gateway, ancestors->items[at - 1])) {
        return;
    }
    if (at == ANCESTORS_MAX) {
        return;
    }
    size_t last = ancestors->len < ANCESTORS_MAX ? ancestors->len++ : ANCESTORS_MAX - 1;
    for (size_t i = last; i > at; i--) {
        ancestors->items[i] = ancestors->items[i - 1];
    }
    ancestors->items[at] = gateway;
}

static void add_senders(struct eval *ev, struct str service, struct ancestors *ancestors)
{
    struct row_span attachments = eval_group(ev, X_POLICY_GATEWAYS, service);
    for (size_t i = 0; i < attachments.len; i++) {
        const struct attachment *attachment = (const struct attachment *)attachments.rows[i];
        for (size_t j = 0; j < attachment->parents.len; j++) {
            const struct attached_parent *parent = &attachment->parents.items[j];
            if (parent->listeners.len > 0) {
                add_ancestor(ancestors, parent->gateway);
            }
        }
    }
}

/* --- conditions ------------------------------------------------------------------------------ */

struct target {
    enum condition_id state; /* C_policy_accepted: the policy governs it */
    struct str message;
    struct ancestors senders;
};

static bool has_port(const struct service *service, struct str name)
{
    for (size_t i = 0; i < service->ports.len; i++) {
        if (str_eq(service->ports.items[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void judge(struct eval *ev, const struct tls_policy *policy,
                  const struct tls_policy_target *of, struct str key, struct target *target)
{
    struct arena *scratch = eval_scratch(ev);
    const struct service *service = (const struct service *)eval_get(ev, T_SERVICE, key);
    const struct tls_policy *winner = tls_policy_of(ev, key, of->section_name);
    target->state = C_policy_accepted;
    if (service == NULL) {
        target->state = C_target_not_found;
        target->message = arena_printf(scratch, "no Service '%.*s'", STR_FMT(key));
    } else if (service->type == SERVICE_EXTERNAL_NAME) {
        target->state = C_target_invalid;
        target->message =
            arena_printf(scratch, "Service '%.*s' is of type ExternalName, which has no endpoints",
                         STR_FMT(key));
    } else if (of->section_name.len > 0 && !has_port(service, of->section_name)) {
        target->state = C_target_not_found;
        target->message = arena_printf(scratch, "Service '%.*s' has no port named '%.*s'",
                                       STR_FMT(key), STR_FMT(of->section_name));
    } else if (!str_eq(winner->object.meta.name, policy->object.meta.name)) {
        target->state = C_policy_conflicted;
        target->message = arena_printf(
            scratch,
            "BackendTLSPolicy '%.*s' targets Service '%.*s' in the same way; the older one holds, "
            "of equally old ones the first by name",
            STR_FMT(winner->object.meta.name), STR_FMT(key));
    }
}

static struct target *find_targets(struct eval *ev, const struct tls_policy *policy,
                                   size_t *ret_len)
{
    struct arena *scratch = eval_scratch(ev);
    struct target *targets = ARENA_ARRAY(scratch, policy->targets.len, struct target);
    size_t len = 0;
    for (size_t i = 0; i < policy->targets.len; i++) {
        const struct tls_policy_target *of = &policy->targets.items[i];
        if (tls_policy_targets_service(of)) {
            struct str key = arena_printf(scratch, "%.*s/%.*s", STR_FMT(policy->object.meta.ns),
                                          STR_FMT(of->name));
            targets[len] = (struct target){.senders = {.len = 0}};
            judge(ev, policy, of, key, &targets[len]);
            add_senders(ev, key, &targets[len++].senders);
        }
    }
    *ret_len = len;
    return targets;
}

static bool is_sender(const struct target *target, struct str gateway)
{
    for (size_t i = 0; i < target->senders.len; i++) {
        if (str_eq(target->senders.items[i], gateway)) {
            return true;
        }
    }
    return false;
}

static void add(struct status_parent *ancestor, enum condition_id id, struct str message)
{
    ancestor->conditions.items[ancestor->conditions.len++] = (struct condition){(int)id, message};
}

/* Of what the Gateway sends to; one target that the policy governs is enough. */
static void accepted_condition(struct arena *arena, const struct target *targets, size_t len,
                               struct str gateway, const struct tls_trust *trust,
                               struct status_parent *ancestor)
{
    enum condition_id state = C_policy_accepted;
    struct faults faults = {.arena = arena};
    bool governs = false;
    for (size_t i = 0; i < len; i++) {
        if (!is_sender(&targets[i], gateway)) {
            continue;
        }
        if (targets[i].state == C_policy_accepted) {
            governs = true;
        } else {
            state = faults.len == 0 ? targets[i].state : state;
            faults_add(&faults, targets[i].message);
        }
    }
    if (!governs) {
        add(ancestor, state, faults_text(&faults));
    } else if (trust->accepted != C_policy_accepted) {
        add(ancestor, trust->accepted, arena_str(arena, trust->fault));
    } else {
        add(ancestor, C_policy_accepted,
            faults.len > 0 ? faults_text(&faults)
                           : STR("the policy holds for what the Gateway sends to the Service"));
    }
}

static struct parent_ref ref_of(struct arena *arena, struct str gateway)
{
    struct str rest = gateway;
    struct str ns = str_cut(&rest, '/');
    return (struct parent_ref){
        .group = STR(GATEWAY_GROUP),
        .kind = STR("Gateway"),
        .ns = arena_str(arena, ns),
        .name = arena_str(arena, rest),
    };
}

static struct status *new_status(struct str ns, struct str name, int64_t generation,
                                 const struct ancestors *ancestors)
{
    struct status *row = row_new(sizeof(*row), 384);
    struct arena *arena = &row->row.arena;
    row->kind = KIND_BACKENDTLSPOLICY;
    row->ancestors = true;
    row->ns = arena_str(arena, ns);
    row->name = arena_str(arena, name);
    row->generation = generation;
    row->parents.items = ARENA_ARRAY(arena, ancestors->len, struct status_parent);
    for (size_t i = 0; i < ancestors->len; i++) {
        struct status_parent *ancestor = &row->parents.items[row->parents.len++];
        ancestor->ref = ref_of(arena, ancestors->items[i]);
        ancestor->conditions.items = ARENA_ARRAY(arena, CONDITIONS_MAX, struct condition);
    }
    return row;
}

/* One that cannot be read names its targets all the same, as a rule. */
static const struct row *unreadable(struct eval *ev, const struct fault *fault,
                                    const struct object *standing)
{
    struct ancestors ancestors = {.len = 0};
    for (size_t i = 0; i < fault->parents.len; i++) {
        if (parent_ref_is_service(&fault->parents.items[i])) {
            add_senders(ev,
                        arena_printf(eval_scratch(ev), "%.*s/%.*s", STR_FMT(fault->ns),
                                     STR_FMT(fault->parents.items[i].name)),
                        &ancestors);
        }
    }
    if (ancestors.len == 0) {
        return NULL;
    }
    struct status *row = new_status(fault->ns, fault->name, fault->generation, &ancestors);
    struct str message = fault_message(&row->row.arena, fault, standing);
    for (size_t i = 0; i < row->parents.len; i++) {
        add(&row->parents.items[i], C_policy_unreadable, message);
    }
    return &row->row;
}

const struct row *resolve_tls_policy_status(struct eval *ev, struct str key)
{
    const struct tls_policy *policy = (const struct tls_policy *)eval_get(ev, T_TLS_POLICY, key);
    const struct fault *fault = fault_of(ev, KIND_BACKENDTLSPOLICY, key);
    if (fault != NULL) {
        return unreadable(ev, fault, (const struct object *)policy);
    }
    if (policy == NULL) {
        return NULL;
    }
    size_t len;
    const struct target *targets = find_targets(ev, policy, &len);
    struct ancestors ancestors = {.len = 0};
    for (size_t i = 0; i < len; i++) {
        for (size_t j = 0; j < targets[i].senders.len; j++) {
            add_ancestor(&ancestors, targets[i].senders.items[j]);
        }
    }
    if (ancestors.len == 0) {
        return NULL; /* no Gateway of ours sends there: nothing to say */
    }
    struct tls_trust trust = tls_policy_trust(ev, policy);
    const struct meta *meta = &policy->object.meta;
    struct status *row = new_status(meta->ns, meta->name, meta->generation, &ancestors);
    struct arena *arena = &row->row.arena;
    for (size_t i = 0; i < row->parents.len; i++) {
        struct status_parent *ancestor = &row->parents.items[i];
        accepted_condition(arena, targets, len, ancestors.items[i], &trust, ancestor);
        add(ancestor, trust.resolved, arena_str(arena, trust.message));
    }
    return &row->row;
}
