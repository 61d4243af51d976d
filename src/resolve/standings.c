/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standings: which routes of a Service port have no say, told once for all of them, so that a route
 * that comes or goes is not read by each of the others. As a rule there are none, and no row.
 *
 *   of another kind       those have precedence (govern.h)
 *   younger TCPRoutes     the oldest has all connections (l4.h)
 *   without room          older routes have it (room.h)
 *
 * What older TLSRoutes have is a matter of each hostname: X_ATTACHED_NAMES.
 */
#include <stdlib.h>

#include "ir/attachment.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/resolve.h"
#include "resolve/room.h"

static int pair_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct str_pair *)a)->key, ((const struct str_pair *)b)->key);
}

static bool may_have_to_give_way(struct row_span attached, enum kind_id kind)
{
    if (kind == KIND_TCPROUTE) {
        return attached.len > 1;
    }
    size_t i = 0;
    while (i < attached.len && ((const struct attachment *)attached.rows[i])->kind == (int)kind) {
        i++;
    }
    return i < attached.len;
}

static void set_first(struct row_span attached, enum kind_id kind, struct ir_standings *row)
{
    size_t i = 0;
    while (((const struct attachment *)attached.rows[i])->kind != (int)kind) {
        i++;
    }
    struct arena *arena = &row->row.arena;
    row->kind = str_from(kind_info(kind)->kind);
    row->first = arena_str(arena, ((const struct attachment *)attached.rows[i])->key);
}

struct full { /* routes without room, in the scratch arena */
    LIST(struct str_pair) items;
};

static struct full find_full(struct eval *ev, struct row_span attached, enum kind_id kind,
                             struct str key)
{
    struct arena *scratch = eval_scratch(ev);
    struct str port_key = port_key_parse(key).port_key;
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, port_key);
    struct full full = {.items = {.len = 0}};
    struct room room;
    room_init(&room, port != NULL ? port->service_ports : 1);
    for (size_t i = 0; i < attached.len; i++) {
        const struct attachment *attachment = (const struct attachment *)attached.rows[i];
        if (attachment->kind != (int)kind || room_take(&room, attachment)) {
            continue;
        }
        if (full.items.len == 0) {
            full.items.items = ARENA_ARRAY(scratch, attached.len, struct str_pair);
        }
        full.items.items[full.items.len++] =
            (struct str_pair){attachment->key, room_message(scratch, &room, attachment, port_key)};
    }
    return full;
}

const struct row *resolve_standings(struct eval *ev, struct str key)
{
    struct row_span attached = eval_group(ev, X_ATTACHED, key);
    enum kind_id kind = govern_kind(attached);
    struct full full = find_full(ev, attached, kind, key);
    bool giving_way = may_have_to_give_way(attached, kind);
    if (!giving_way && full.items.len == 0) {
        return NULL;
    }
    struct ir_standings *row = row_new(sizeof(*row), 256);
    struct arena *arena = &row->row.arena;
    if (giving_way) {
        set_first(attached, kind, row);
    }
    row->full.items = ARENA_ARRAY(arena, full.items.len, struct str_pair);
    for (size_t i = 0; i < full.items.len; i++) {
        const struct str_pair *from = &full.items.items[i];
        row->full.items[row->full.len++] =
            (struct str_pair){arena_str(arena, from->key), arena_str(arena, from->value)};
    }
    qsort(row->full.items, row->full.len, sizeof(*row->full.items), pair_cmp);
    return &row->row;
}
