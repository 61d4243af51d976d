/* SPDX-License-Identifier: Apache-2.0 */
/* client: equality of the rows that clients and options give rise to. */
#include "ir/client.h"

bool view_equal(const struct row *a, const struct row *b)
{
    const struct view_row *va = (const struct view_row *)a;
    const struct view_row *vb = (const struct view_row *)b;
    return str_eq(va->scope, vb->scope);
}

bool interest_equal(const struct row *a, const struct row *b)
{
    const struct interest_row *ia = (const struct interest_row *)a;
    const struct interest_row *ib = (const struct interest_row *)b;
    return str_eq(ia->scope, ib->scope) && str_eq(ia->name, ib->name);
}

bool rejection_equal(const struct row *a, const struct row *b)
{
    const struct rejection_row *ra = (const struct rejection_row *)a;
    const struct rejection_row *rb = (const struct rejection_row *)b;
    return ra->type == rb->type && str_eq(ra->name, rb->name) && str_eq(ra->scope, rb->scope) &&
           str_eq(ra->version, rb->version) && str_eq(ra->node, rb->node) &&
           str_eq(ra->text, rb->text) && str_eq(ra->replica, rb->replica) &&
           ra->clients == rb->clients;
}

bool settings_equal(const struct row *a, const struct row *b)
{
    const struct settings_row *sa = (const struct settings_row *)a;
    const struct settings_row *sb = (const struct settings_row *)b;
    bool equal = str_eq(sa->cluster_domain, sb->cluster_domain) &&
                 str_eq(sa->trust_domain, sb->trust_domain) &&
                 sa->authorities.len == sb->authorities.len && sa->kubernetes == sb->kubernetes;
    for (size_t i = 0; equal && i < sa->authorities.len; i++) {
        equal = str_eq(sa->authorities.items[i], sb->authorities.items[i]);
    }
    return equal;
}
