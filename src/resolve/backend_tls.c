/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend_tls: how Gateways speak TLS to a Service port.
 *
 * A BackendTLSPolicy that names the port (sectionName) governs it before one that names the Service
 * alone; of equal ones the oldest does (tls_policy.h). One that cannot be followed is never left
 * out: "connections using an invalid CACertificateRef MUST fail" (caCertificateRefs). Nor is one of
 * which heddle cannot read, and never could, more than whom it is for.
 */
#include "ir/gateway.h"
#include "ir/graph.h"
#include "model/fault.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/tls_policy.h"

/* --- what cannot be read --------------------------------------------------------------------- */

void resolve_tls_fault_targets(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct fault *fault = (const struct fault *)row;
    struct arena scratch;
    (void)key;
    if (fault->kind != KIND_BACKENDTLSPOLICY) {
        return;
    }
    arena_init_sized(&scratch, 512);
    for (size_t i = 0; i < fault->parents.len; i++) {
        const struct parent_ref *ref = &fault->parents.items[i];
        if (parent_ref_is_service(ref)) {
            group_emit(emit,
                       arena_printf(&scratch, "%.*s/%.*s", STR_FMT(fault->ns), STR_FMT(ref->name)));
        }
    }
    arena_release(&scratch);
}

static bool fault_targets(const struct fault *fault, struct str name, struct str section)
{
    for (size_t i = 0; i < fault->parents.len; i++) {
        const struct parent_ref *ref = &fault->parents.items[i];
        if (parent_ref_is_service(ref) && str_eq(ref->name, name) &&
            str_eq(ref->section_name, section)) {
            return true;
        }
    }
    return false;
}

/* A policy for the Service, or that port of it, of which nothing is in force. */
static const struct fault *unreadable(struct eval *ev, struct str service, struct str section)
{
    struct row_span faults = eval_group(ev, X_TLS_FAULT_TARGETS, service);
    struct str name = str_sub(service, str_index(service, '/') + 1, service.len);
    for (size_t i = 0; i < faults.len; i++) {
        const struct fault *fault = (const struct fault *)faults.rows[i];
        struct str key =
            arena_printf(eval_scratch(ev), "%.*s/%.*s", STR_FMT(fault->ns), STR_FMT(fault->name));
        if (fault_targets(fault, name, section) && eval_get(ev, T_TLS_POLICY, key) == NULL) {
            return fault;
        }
    }
    return NULL;
}

static const struct row *refuse(const struct fault *fault)
{
    struct ir_backend_tls *row = row_new(sizeof(*row), 192);
    struct arena *arena = &row->row.arena;
    row->policy = arena_printf(arena, "%.*s/%.*s", STR_FMT(fault->ns), STR_FMT(fault->name));
    row->fault = arena_printf(arena, "BackendTLSPolicy '%.*s': %.*s", STR_FMT(row->policy),
                              STR_FMT(fault_words(fault, arena)));
    return &row->row;
}

/* --- whom it is for -------------------------------------------------------------------------- */

/* The policy, or else one that cannot be read. */
static const struct tls_policy *governor(struct eval *ev, struct str service,
                                         const struct ir_port *port, const struct fault **ret_fault)
{
    const struct str sections[] = {port->port_name, STR_NULL};
    for (size_t i = port->port_name.len > 0 ? 0 : 1; i < 2; i++) {
        const struct tls_policy *policy = tls_policy_of(ev, service, sections[i]);
        *ret_fault = policy == NULL ? unreadable(ev, service, sections[i]) : NULL;
        if (policy != NULL || *ret_fault != NULL) {
            return policy;
        }
    }
    return NULL;
}

static void copy_sans(struct arena *arena, const struct tls_policy *policy,
                      struct ir_backend_tls *row)
{
    row->sans.items = ARENA_ARRAY(arena, policy->sans.len, struct ir_san);
    for (size_t i = 0; i < policy->sans.len; i++) {
        const struct subject_alt_name *san = &policy->sans.items[i];
        bool uri = san->type == SAN_URI;
        row->sans.items[row->sans.len++] =
            (struct ir_san){uri, arena_str(arena, uri ? san->uri : san->hostname)};
    }
}

const struct row *resolve_backend_tls(struct eval *ev, struct str key)
{
    struct str service = port_key_parse(key).object;
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, key);
    const struct fault *fault = NULL;
    const struct tls_policy *policy = port != NULL && port->backend && port->protocol != IR_UDP
                                          ? governor(ev, service, port, &fault)
                                          : NULL;
    if (policy == NULL) {
        return fault != NULL ? refuse(fault) : NULL;
    }
    struct tls_trust trust = tls_policy_trust(ev, policy);
    struct ir_backend_tls *row = row_new(sizeof(*row), 192);
    struct arena *arena = &row->row.arena;
    row->policy = arena_printf(arena, "%.*s/%.*s", STR_FMT(policy->object.meta.ns),
                               STR_FMT(policy->object.meta.name));
    if (trust.fault.len > 0) {
        row->fault = arena_printf(arena, "BackendTLSPolicy '%.*s': %.*s", STR_FMT(row->policy),
                                  STR_FMT(trust.fault));
        return &row->row;
    }
    row->hostname = arena_str(arena, policy->hostname);
    row->system = trust.system;
    copy_sans(arena, policy, row);
    row->authorities.items = ARENA_ARRAY(arena, trust.authorities.len, struct str);
    for (size_t i = 0; i < trust.authorities.len; i++) {
        row->authorities.items[row->authorities.len++] =
            arena_str(arena, trust.authorities.items[i]);
    }
    return &row->row;
}
