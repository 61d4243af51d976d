/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_policy_status: the conditions of BackendTLSPolicies, for each Gateway by whose routes
 * something is sent to a Service that the policy targets. "A policy targets a Service … it may have
 * a distinct result per attached Gateway" (PolicyAncestorStatus).
 *
 * "If this slice is full, implementations … MUST consider the policy unimplementable"
 * (PolicyStatus.ancestors). heddle does not: for want of a line of status it would send in plain
 * text, or end what has worked, whenever a Gateway is added. The entries name those that have none.
 *
 *   Accepted      False/Conflicted when an older policy has each of its targets, False/
 *                 TargetNotFound when there is no such port, False/NoValidCACertificate when no
 *                 authority can be used, False/Invalid when the set of them is not known, or the
 *                 port is one of UDP
 *   ResolvedRefs  False/InvalidCACertificateRef, False/InvalidKind by the first that is no good
 *   heddle.dev/Programmed  False/Rejected when an Envoy of the Gateway rejects what it is sent of
 * it
 */
#include <stdlib.h>

#include "ir/attachment.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "model/service.h"
#include "resolve/ancestors.h"
#include "resolve/fault.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/status.h"
#include "resolve/tls_policy.h"

#define ANCESTORS_MAX 16 /* "a maximum of 16 ancestors" (PolicyStatus) */
#define CONDITIONS_MAX 3

/* --- conditions ------------------------------------------------------------------------------ */

struct target {
    enum condition_id state; /* C_policy_accepted: the policy governs it */
    struct str message;      /* of C_policy_accepted: what it does not govern, or empty */
    struct str service;      /* "ns/name" */
    struct ancestors senders;
};

/* How many ports the target means, of them those of UDP. */
static size_t count_ports(const struct service *service, struct str section, size_t *ret_udp)
{
    size_t all = 0;
    *ret_udp = 0;
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct service_port *port = &service->ports.items[i];
        if (section.len == 0 || str_eq(port->name, section)) {
            all++;
            *ret_udp += port->protocol == PROTOCOL_UDP;
        }
    }
    return all;
}

static void judge(struct eval *ev, const struct tls_policy *policy,
                  const struct tls_policy_target *of, struct str key, struct target *target)
{
    struct arena *scratch = eval_scratch(ev);
    const struct service *service = (const struct service *)eval_get(ev, T_SERVICE, key);
    const struct tls_policy *winner = tls_policy_of(ev, key, of->section_name);
    size_t udp = 0;
    size_t ports = service != NULL ? count_ports(service, of->section_name, &udp) : 0;
    target->state = C_policy_accepted;
    if (service == NULL) {
        target->state = C_target_not_found;
        target->message = arena_printf(scratch, "no Service '%.*s'", STR_FMT(key));
    } else if (service->type == SERVICE_EXTERNAL_NAME) {
        target->state = C_target_invalid;
        target->message =
            arena_printf(scratch, "Service '%.*s' is of type ExternalName, which has no endpoints",
                         STR_FMT(key));
    } else if (of->section_name.len > 0 && ports == 0) {
        target->state = C_target_not_found;
        target->message = arena_printf(scratch, "Service '%.*s' has no port named '%.*s'",
                                       STR_FMT(key), STR_FMT(of->section_name));
    } else if (ports > 0 && udp == ports) {
        target->state = C_target_invalid;
        target->message = arena_printf(
            scratch, "what it targets of Service '%.*s' is UDP, and the policy is for TCP alone",
            STR_FMT(key));
    } else if (!str_eq(winner->object.meta.name, policy->object.meta.name)) {
        target->state = C_policy_conflicted;
        target->message = arena_printf(
            scratch,
            "BackendTLSPolicy '%.*s' targets Service '%.*s' in the same way; the older one holds, "
            "of equally old ones the first by name",
            STR_FMT(winner->object.meta.name), STR_FMT(key));
    } else if (udp > 0) { /* "implementations SHOULD include a warning" (GEP-1897) */
        target->message = arena_printf(scratch,
                                       "the policy is for TCP alone, and %zu of %zu ports of "
                                       "Service '%.*s' are UDP",
                                       udp, ports, STR_FMT(key));
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
            struct target *target = &targets[len++];
            *target = (struct target){.service = key};
            judge(ev, policy, of, key, target);
            /* of a port that is not there, whoever sends to the Service is told so */
            bool there = target->state != C_target_not_found;
            ancestors_add(ev, key, there ? of->section_name : STR_NULL,
                          target->state == C_target_invalid, &target->senders);
        }
    }
    *ret_len = len;
    return targets;
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
        if (!ancestors_have(&targets[i].senders, gateway)) {
            continue;
        }
        bool accepted = targets[i].state == C_policy_accepted;
        governs = governs || accepted;
        state = state == C_policy_accepted ? targets[i].state : state;
        if (targets[i].message.len > 0) {
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

/* A cluster that is spoken TLS to for its sake, or who is to be trusted. */
static void rejected_condition(struct eval *ev, struct arena *arena, const struct target *targets,
                               size_t len, struct str policy, struct str gateway,
                               const struct tls_trust *trust, struct status_parent *ancestor)
{
    struct arena *scratch = eval_scratch(ev);
    struct str scope = arena_printf(scratch, SCOPE_GATEWAY "%.*s", STR_FMT(gateway));
    struct str message;
    bool rejected = false;
    for (size_t i = 0; !rejected && i < len; i++) {
        rejected = ancestors_rejected(ev, arena, targets[i].service, policy, gateway, &message);
    }
    for (size_t i = 0; !rejected && i < trust->authorities.len; i++) {
        struct str name = arena_printf(scratch, "ca/%.*s", STR_FMT(trust->authorities.items[i]));
        rejected = status_rejected_in(ev, arena, XDS_SDS, name, scope, &message);
    }
    if (rejected) {
        add(ancestor, C_tls_rejected, message);
    }
}

/* Of whom there is no entry is told in those of the others. */
static void tell_untold(struct status *row)
{
    struct arena *arena = &row->row.arena;
    struct faults names = {.arena = arena};
    for (size_t i = 0; i < row->untold.len; i++) {
        faults_add(&names, arena_printf(arena, "'%.*s'", STR_FMT(row->untold.items[i])));
    }
    for (size_t i = 0; names.len > 0 && i < row->parents.len; i++) {
        struct condition *accepted = &row->parents.items[i].conditions.items[0];
        accepted->message = arena_printf(
            arena, "%.*s; no room is left for an entry of %zu more Gateways that send there: %.*s",
            STR_FMT(accepted->message), names.len, STR_FMT(faults_text(&names)));
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
    size_t told = ancestors->len < ANCESTORS_MAX ? ancestors->len : ANCESTORS_MAX;
    row->parents.items = ARENA_ARRAY(arena, told, struct status_parent);
    row->untold.items = ARENA_ARRAY(arena, ancestors->len - told, struct str);
    for (size_t i = told; i < ancestors->len; i++) {
        row->untold.items[row->untold.len++] = arena_str(arena, ancestors->items[i]);
    }
    for (size_t i = 0; i < told; i++) {
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
            ancestors_add(ev,
                          arena_printf(eval_scratch(ev), "%.*s/%.*s", STR_FMT(fault->ns),
                                       STR_FMT(fault->parents.items[i].name)),
                          STR_NULL, false, &ancestors);
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
    tell_untold(row);
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
        ancestors_join(ev, &targets[i].senders, &ancestors);
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
        rejected_condition(ev, arena, targets, len, key, ancestors.items[i], &trust, ancestor);
    }
    tell_untold(row);
    return &row->row;
}
