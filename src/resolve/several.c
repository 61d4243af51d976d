/* SPDX-License-Identifier: Apache-2.0 */
/* several: see several.h. */
#include "resolve/several.h"

void several_add(struct several *several, struct str what)
{
    if (several->len++ < SEVERAL_MAX) {
        several->text = arena_printf(several->arena, "%.*s%s%.*s", STR_FMT(several->text),
                                     several->len > 1 ? "; " : "", STR_FMT(what));
    }
}

struct str several_text(const struct several *several)
{
    if (several->len <= SEVERAL_MAX) {
        return several->text;
    }
    return arena_printf(several->arena, "%.*s; and %zu more", STR_FMT(several->text),
                        several->len - SEVERAL_MAX);
}
