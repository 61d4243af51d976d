/* SPDX-License-Identifier: Apache-2.0 */
/* bundle: rows of CRDs. */
#include "ir/bundle.h"

struct str bundle_crd(struct arena *arena, enum kind_id kind)
{
    const struct kind_info *info = kind_info(kind);
    return str_starts_with(str_from(info->group), STR("gateway.networking."))
               ? arena_printf(arena, "%s.%s", info->plural, info->group)
               : STR_NULL;
}

struct bundle_row *bundle_new(bool there, struct str version)
{
    struct bundle_row *row = row_new(sizeof(*row), 128);
    row->there = there;
    row->version =
        version.len <= BUNDLE_VERSION_MAX ? arena_str(&row->row.arena, version) : STR_NULL;
    return row;
}

bool bundle_equal(const struct row *a, const struct row *b)
{
    const struct bundle_row *x = (const struct bundle_row *)a;
    const struct bundle_row *y = (const struct bundle_row *)b;
    return x->there == y->there && str_eq(x->version, y->version);
}
