/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_status_mesh: what becomes of a route on the ports of a Service.
 *
 * Accepted is False/Conflicted when a route of another kind displaced it (GEP-1294), and
 * False/UnsupportedValue when there is no room for it (room.h), each on all of the ports.
 */
#include "ir/graph.h"
#include "ir/ir.h"
#include "resolve/l4.h"
#include "resolve/route_status.h"
#include "resolve/status.h"

#define WINNERS_MAX 8 /* named in one message */

/* Ports of a parentRef that the route does not govern. */
struct losses {
    size_t ports;                    /* that routes of other kinds have */
    struct str winners[WINNERS_MAX]; /* each once */
    size_t nwinners;
    size_t full; /* without room for it */
    struct str why;
};

static void add_winner(struct losses *losses, struct str winner)
{
    size_t i = 0;
    while (i < losses->nwinners && !str_eq(losses->winners[i], winner)) {
        i++;
    }
    if (i == losses->nwinners && i < WINNERS_MAX) {
        losses->winners[losses->nwinners++] = winner;
    }
}

static struct losses count_losses(const struct route_parent *parent)
{
    struct str own = str_from(kind_info(parent->route->object.kind)->kind);
    struct losses losses = {.ports = 0};
    for (size_t i = 0; i < parent->from->ports.len; i++) {
        const struct ir_standings *standings = (const struct ir_standings *)eval_get(
            parent->ev, T_STANDINGS, parent->from->ports.items[i]);
        if (standings == NULL) {
            continue;
        }
        struct str why =
            ir_pair_value(standings->full.items, standings->full.len, parent->attachment->key);
        if (standings->kind.len > 0 && !str_eq(standings->kind, own)) {
            losses.ports++;
            add_winner(&losses, standings->first);
        } else if (why.len > 0) {
            losses.full++;
            losses.why = why;
        }
    }
    return losses;
}

/* "HTTPRoute/a/b, TLSRoute/a/c" */
static struct str winners_text(struct arena *arena, const struct losses *losses)
{
    struct str text = STR_NULL;
    for (size_t i = 0; i < losses->nwinners; i++) {
        text = arena_printf(arena, "%.*s%s%.*s", STR_FMT(text), i > 0 ? ", " : "",
                            STR_FMT(losses->winners[i]));
    }
    return text;
}

static struct standing displaced(const struct route_parent *parent, const struct losses *lost)
{
    struct str winner = lost->winners[0];
    struct str kind = str_sub(winner, 0, str_index(winner, '/'));
    return (struct standing){
        C_conflicted,
        arena_printf(parent->arena,
                     "%.*s is attached to the same Service port, and %.*ss take precedence over "
                     "%ss",
                     STR_FMT(winner), STR_FMT(kind), kind_info(parent->route->object.kind)->kind)};
}

struct standing route_standing_mesh(const struct route_parent *parent)
{
    struct arena *arena = parent->arena;
    size_t ports = parent->from->ports.len;
    struct losses lost = count_losses(parent);
    if (lost.ports > 0 && lost.ports == ports) {
        return displaced(parent, &lost);
    }
    if (lost.full > 0 && lost.ports + lost.full == ports) {
        return (struct standing){C_no_room, arena_str(arena, lost.why)};
    }
    struct faults others = {.arena = arena};
    if (lost.ports + lost.full > 0) {
        faults_add(&others, arena_printf(arena, "governs %zu of %zu ports",
                                         ports - lost.ports - lost.full, ports));
    }
    if (lost.ports > 0) {
        faults_add(&others, arena_printf(arena, "the others belong to %.*s",
                                         STR_FMT(winners_text(eval_scratch(parent->ev), &lost))));
    }
    if (lost.full > 0) {
        faults_add(&others, lost.why);
    }
    struct str outranked = l4_outranked(parent->ev, arena, parent->attachment, parent->from);
    if (outranked.len > 0) {
        faults_add(&others, outranked);
    }
    return (struct standing){outranked.len > 0 ? C_outranked : C_accepted, others.text};
}

bool route_rejected_mesh(const struct route_parent *parent, struct str *ret_message)
{
    struct eval *ev = parent->ev;
    for (size_t i = 0; i < parent->from->ports.len; i++) {
        struct str key = parent->from->ports.items[i];
        struct str l4 = l4_name(eval_scratch(ev), parent->attachment, key);
        if (status_rejected(ev, parent->arena, XDS_RDS, key, ret_message) ||
            status_rejected(ev, parent->arena, XDS_LDS, key, ret_message) ||
            status_rejected(ev, parent->arena, XDS_ECDS, l4, ret_message)) {
            return true;
        }
    }
    return false;
}
