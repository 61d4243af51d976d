/* SPDX-License-Identifier: Apache-2.0 */
/* hostname: comparing patterns. "*.example.com" is a suffix match: ".example.com" with a name in
 * front (HTTPRouteSpec.hostnames). */
#include "model/hostname.h"

bool hostname_is_any(struct str pattern)
{
    return pattern.len == 0 || str_eq(pattern, STR("*"));
}

bool hostname_is_wildcard(struct str pattern)
{
    return str_starts_with(pattern, STR("*."));
}

bool hostname_covers(struct str outer, struct str inner)
{
    if (hostname_is_any(outer)) {
        return true;
    }
    if (hostname_is_any(inner)) {
        return false;
    }
    if (!hostname_is_wildcard(outer)) {
        return str_eq_nocase(outer, inner);
    }
    struct str suffix = str_sub(outer, 1, outer.len); /* ".example.com" */
    if (inner.len <= suffix.len) {
        return false;
    }
    /* of "*.example.com" and "*.a.example.com" the second ends with the first's suffix too */
    return str_eq_nocase(str_sub(inner, inner.len - suffix.len, suffix.len), suffix);
}

bool hostname_intersect(struct str a, struct str b, struct str *ret_narrower)
{
    /* two suffixes share a name only when one is a suffix of the other */
    if (hostname_covers(a, b)) {
        *ret_narrower = b;
        return true;
    }
    if (hostname_covers(b, a)) {
        *ret_narrower = a;
        return true;
    }
    return false;
}

/* 0: a precise name, 1: a wildcard, 2: all */
static int pattern_class(struct str pattern)
{
    return hostname_is_any(pattern) ? 2 : hostname_is_wildcard(pattern) ? 1 : 0;
}

int hostname_cmp(struct str a, struct str b)
{
    int order = pattern_class(a) - pattern_class(b);
    if (order != 0) {
        return order;
    }
    if (hostname_is_any(a)) { /* "" and "*" say the same */
        return 0;
    }
    order = (a.len < b.len) - (a.len > b.len);
    return order != 0 ? order : str_cmp(a, b);
}
