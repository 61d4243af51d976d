/* SPDX-License-Identifier: Apache-2.0 */
/* govern: see govern.h. */
#include "resolve/govern.h"

#include "ir/attachment.h"

/* GEP-1294: "Route type specificity is defined in the following order (first one wins)". */
static const unsigned places[KIND_COUNT] = {
    [KIND_GRPCROUTE] = 1,
    [KIND_HTTPROUTE] = 2,
    [KIND_TLSROUTE] = 3,
    [KIND_TCPROUTE] = 4,
};

bool govern_displaces(enum kind_id a, enum kind_id b)
{
    return places[a] < places[b];
}

bool govern_of_connections(enum kind_id kind)
{
    return kind == KIND_TLSROUTE || kind == KIND_TCPROUTE || kind == KIND_UDPROUTE;
}

enum kind_id govern_kind(struct row_span attached)
{
    enum kind_id first = KIND_COUNT;
    for (size_t i = 0; i < attached.len; i++) {
        enum kind_id kind = (enum kind_id)((const struct attachment *)attached.rows[i])->kind;
        if (first == KIND_COUNT || govern_displaces(kind, first)) {
            first = kind;
        }
    }
    return first;
}
