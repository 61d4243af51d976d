/* SPDX-License-Identifier: Apache-2.0 */
/* backend_tls: BackendTLSPolicies. */
#include "resolve/resolve.h"

const struct row *resolve_backend_tls(struct eval *ev, struct str key)
{
    (void)ev;
    (void)key;
    return NULL;
}

const struct row *resolve_tls_policy_status(struct eval *ev, struct str key)
{
    (void)ev;
    (void)key;
    return NULL;
}

void resolve_tls_policies(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}

void resolve_tls_policy_faults(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}

void resolve_gateways_of_services(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    (void)emit;
}

int resolve_tls_policies_order(const struct row *a, const struct row *b)
{
    (void)a;
    (void)b;
    return 0;
}
