/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_status: the conditions that a route gets for each of its parentRefs that is ours, by the
 * spec's types and reasons.
 *
 *   Accepted          route_status_mesh.c, route_status_gateway.c; False/UnsupportedValue when none
 *                     of its rules is served
 *   ResolvedRefs      the first backendRef or mirror that does not resolve gives the reason. What a
 *                     Gateway may not send to the mesh may, and the other way round
 *   PartiallyInvalid  True when some rules, not all, are not served
 *   heddle.dev/Programmed  False/Rejected when a client rejected what was made of the route
 *   heddle.dev/Enforced    False/ClientClass when clients that it is for cannot do all it asks for
 */
#include "resolve/route_status.h"

#include "ir/gateway.h"
#include "ir/graph.h"
#include "resolve/enforce.h"
#include "resolve/fault.h"
#include "resolve/resolve.h"
#include "resolve/rule.h"
#include "resolve/status.h"

#define CONDITIONS_MAX 5

static void add(struct status_parent *parent, enum condition_id id, struct str message)
{
    parent->conditions.items[parent->conditions.len++] = (struct condition){(int)id, message};
}

static bool of_gateway(const struct route_parent *parent)
{
    return parent->from->gateway.len > 0;
}

/* What of the route is not served, and the number of such rules. */
static size_t unserved_rules(const struct route *route, struct arena *arena, struct str *ret_text)
{
    struct faults faults = {.arena = arena};
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct str why = rule_unserved(route, i, arena);
        if (why.len > 0) {
            faults_add(&faults, why);
        }
    }
    *ret_text = faults_text(&faults);
    return faults.len;
}

/* Whether it is. */
static bool accepted_condition(const struct route_parent *parent, struct status_parent *status)
{
    const struct attached_parent *from = parent->from;
    if (from->condition != C_accepted) {
        add(status, (enum condition_id)from->condition, arena_str(parent->arena, from->message));
        return false;
    }
    if (parent->attachment->unserved) {
        struct str text;
        (void)unserved_rules(parent->route, parent->arena, &text);
        add(status, C_unsupported_value, text);
        return false;
    }
    struct standing standing =
        of_gateway(parent) ? route_standing_gateway(parent) : route_standing_mesh(parent);
    if (standing.id != C_accepted && standing.id != C_outranked) {
        add(status, standing.id, standing.message);
        return false;
    }
    add(status, standing.id,
        standing.message.len > 0 ? standing.message : STR("the route is attached"));
    return true;
}

/* "A BackendTLSPolicy is present that refers to the Service, and the implementation is unable to
 * meet the requirement" (HTTPBackendRef, GRPCBackendRef); of connections likewise. */
static enum condition_id check_tls(const struct route_parent *parent, struct str cluster,
                                   struct str *ret_message)
{
    const struct ir_backend_tls *tls =
        attached_may_speak_tls(parent->from)
            ? (const struct ir_backend_tls *)eval_get(parent->ev, T_BACKEND_TLS, cluster)
            : NULL;
    if (tls == NULL || tls->fault.len == 0) {
        return C_resolved;
    }
    *ret_message = tls->fault;
    return C_backend_tls_invalid;
}

static void unresolved(const struct route_parent *parent, const struct attached_backend *backends,
                       size_t len, struct faults *faults, enum condition_id *first)
{
    for (size_t i = 0; i < len; i++) {
        struct str message;
        enum condition_id state =
            attached_backend_state(&backends[i], of_gateway(parent), &message);
        if (state == C_resolved) {
            state = check_tls(parent, backends[i].cluster, &message);
        }
        if (state != C_resolved) {
            *first = faults->len == 0 ? state : *first;
            faults_add(faults, message);
        }
    }
}

static void resolved_condition(const struct route_parent *parent, struct status_parent *status)
{
    const struct attachment *attachment = parent->attachment;
    enum condition_id first = C_resolved;
    struct faults faults = {.arena = parent->arena};
    unresolved(parent, attachment->backends.items, attachment->backends.len, &faults, &first);
    unresolved(parent, attachment->mirrors.items, attachment->mirrors.len, &faults, &first);
    add(status, first, faults.len > 0 ? faults_text(&faults) : STR("all references resolve"));
}

/* "MUST NOT be set if a Route is fully valid, fully invalid, or not accepted"
 * (RouteConditionPartiallyInvalid). */
static void partial_condition(const struct route_parent *parent, struct status_parent *status)
{
    struct str text;
    size_t count = unserved_rules(parent->route, parent->arena, &text);
    if (count > 0 && count < route_rule_count(parent->route)) {
        add(status, C_partially_invalid,
            arena_printf(parent->arena, "Dropped Rule: %.*s", STR_FMT(text)));
    }
}

static void client_conditions(const struct route_parent *parent, struct status_parent *status)
{
    struct str message;
    if (of_gateway(parent) ? route_rejected_gateway(parent, &message)
                           : route_rejected_mesh(parent, &message)) {
        add(status, C_rejected, message);
    }
    struct str gaps = enforce_gaps(parent->ev, parent->arena, parent->route, parent->from);
    if (gaps.len > 0) {
        add(status, C_not_enforced, gaps);
    }
}

const struct row *resolve_status(struct eval *ev, struct str key)
{
    const struct route *route = (const struct route *)eval_get(ev, T_ROUTE, key);
    const struct attachment *attachment =
        (const struct attachment *)eval_get(ev, T_ATTACHMENT, key);
    const struct fault *fault = (const struct fault *)eval_get(ev, T_FAULT, key);
    if (fault != NULL && kind_info((enum kind_id)fault->kind)->route) {
        return fault_status(ev, fault, (const struct object *)route);
    }
    if (route == NULL || attachment == NULL || attachment->parents.len == 0) {
        return NULL; /* no parentRef is ours: nothing to say */
    }
    struct status *row = row_new(sizeof(*row), 384);
    struct arena *arena = &row->row.arena;
    row->kind = (int)route->object.kind;
    row->ns = arena_str(arena, route->object.meta.ns);
    row->name = arena_str(arena, route->object.meta.name);
    row->generation = route->object.meta.generation;
    row->parents.items = ARENA_ARRAY(arena, attachment->parents.len, struct status_parent);
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *from = &attachment->parents.items[i];
        struct status_parent *parent = &row->parents.items[row->parents.len++];
        parent->ref = parent_ref_copy(arena, &route->parents.items[from->index]);
        parent->conditions.items = ARENA_ARRAY(arena, CONDITIONS_MAX, struct condition);
        struct route_parent of = {ev, arena, route, attachment, from};
        bool accepted = accepted_condition(&of, parent);
        resolved_condition(&of, parent);
        if (accepted) {
            partial_condition(&of, parent);
        }
        client_conditions(&of, parent);
    }
    return &row->row;
}
