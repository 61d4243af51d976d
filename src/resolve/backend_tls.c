/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend_tls: how Gateways speak TLS to a Service port.
 *
 * A BackendTLSPolicy that names the port (sectionName) governs it before one that names the Service
 * alone; of equal ones the oldest does (tls_policy.h). One that cannot be followed is never left
 * out: "connections using an invalid CACertificateRef MUST fail" (caCertificateRefs).
 */
#include "ir/gateway.h"
#include "ir/graph.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/tls_policy.h"

static const struct tls_policy *governor(struct eval *ev, struct str service,
                                         const struct ir_port *port)
{
    const struct tls_policy *named =
        port->port_name.len > 0 ? tls_policy_of(ev, service, port->port_name) : NULL;
    return named != NULL ? named : tls_policy_of(ev, service, STR_NULL);
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
    const struct tls_policy *policy = port != NULL && port->backend && port->protocol != IR_UDP
                                          ? governor(ev, service, port)
                                          : NULL;
    if (policy == NULL) {
        return NULL;
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
