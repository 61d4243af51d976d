/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: see fault.h. "UnsupportedValue: … the Route includes a value that is not recognized"
 * (RouteReasonUnsupportedValue). Without the whole of the object nothing can be said of its
 * references, so Accepted is the only condition.
 */
#include "resolve/fault.h"

#include "ir/graph.h"
#include "resolve/attach.h"
#include "resolve/resolve.h"

static void emit_fault(const struct row *row, enum kind_id kind, struct group_emit *emit)
{
    const struct fault *fault = (const struct fault *)row;
    struct arena scratch;
    if (fault->kind != (int)kind) {
        return;
    }
    arena_init_sized(&scratch, 512);
    group_emit(emit, object_key_of(&scratch, kind, fault->ns, fault->name));
    arena_release(&scratch);
}

void resolve_service_faults(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    emit_fault(row, KIND_SERVICE, emit);
}

void resolve_policy_faults(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    emit_fault(row, KIND_XBACKENDTRAFFICPOLICY, emit);
}

void resolve_tls_policy_faults(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    emit_fault(row, KIND_BACKENDTLSPOLICY, emit);
}

const struct fault *fault_of(struct eval *ev, enum kind_id kind, struct str key)
{
    return (const struct fault *)eval_get(ev, T_FAULT, fault_key(eval_scratch(ev), kind, key));
}

struct str fault_message(struct arena *arena, const struct fault *fault,
                         const struct object *standing)
{
    struct str words = fault_words(fault, arena);
    return standing != NULL
               ? arena_printf(arena, "%.*s (generation %lld stays in force)", STR_FMT(words),
                              (long long)standing->meta.generation)
               : arena_printf(arena, "%.*s (nothing of it is in force)", STR_FMT(words));
}

/* Whether the parentRef or target is one of which heddle has to say something. */
static bool is_ours(struct eval *ev, const struct fault *fault, const struct parent_ref *ref)
{
    return parent_ref_is_service(ref) || (kind_info((enum kind_id)fault->kind)->route &&
                                          attach_gateway_of(ev, fault->ns, ref).len > 0);
}

const struct row *fault_status(struct eval *ev, const struct fault *fault,
                               const struct object *standing)
{
    bool route = kind_info((enum kind_id)fault->kind)->route;
    struct status *row = row_new(sizeof(*row), 512);
    struct arena *arena = &row->row.arena;
    struct str message = fault_message(arena, fault, standing);
    row->kind = fault->kind;
    row->ancestors = !route;
    row->ns = arena_str(arena, fault->ns);
    row->name = arena_str(arena, fault->name);
    row->generation = fault->generation;
    row->parents.items = ARENA_ARRAY(arena, fault->parents.len, struct status_parent);
    for (size_t i = 0; i < fault->parents.len; i++) {
        if (!is_ours(ev, fault, &fault->parents.items[i])) {
            continue;
        }
        struct status_parent *parent = &row->parents.items[row->parents.len++];
        parent->ref = parent_ref_copy(arena, &fault->parents.items[i]);
        parent->ref.ns = route ? parent->ref.ns : row->ns;
        parent->conditions.items = ARENA_ARRAY(arena, 1, struct condition);
        parent->conditions.items[parent->conditions.len++] =
            (struct condition){route ? (int)C_unreadable : (int)C_policy_unreadable, message};
    }
    if (row->parents.len == 0) {
        row_unref(&row->row, NULL);
        return NULL;
    }
    return &row->row;
}

/* --- of Gateways and ListenerSets ------------------------------------------------------------ */

void resolve_gateway_faults(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    emit_fault(row, KIND_GATEWAY, emit);
}

void resolve_listener_set_faults(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    emit_fault(row, KIND_LISTENERSET, emit);
}
