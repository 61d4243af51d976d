/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: the conditions that a route and a Service get, by the spec's types and reasons.
 *
 *   Accepted          per parentRef; False/Conflicted when a route of another kind displaced it
 *                     (GEP-1294), False/UnsupportedValue when there is no room for it (room.h)
 *   ResolvedRefs      per parentRef; the first backendRef or mirror that does not resolve gives the
 *                     reason
 *   PartiallyInvalid  True when some rules, not all, are not served
 *   heddle.dev/Enforced    False/ClientClass when connected clients cannot do what it asks for
 *   heddle.dev/Programmed  False/Rejected when a client rejected what was made of the route
 *                     or, on a Service, its cluster, endpoints or listener
 *   heddle.dev/Bound  on a Service: False/NotLocal when binding sidecars cannot listen on its
 *                     ClusterIP, because it is not an address of this machine (design §10.5);
 *                     False/AddressTaken when another Service has its ClusterIP and port
 *   heddle.dev/Enforced    on a Service: False/AddressType when slices of it list names, False/
 *                     ClientPlace when it is for the own node alone and clients do not say theirs
 *   heddle.dev/Accepted    on a Service: False/UnsupportedValue when it cannot be read (fault.h),
 *                     as Accepted of a route
 */
#include "ir/attachment.h"
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/connected.h"
#include "resolve/enforce.h"
#include "resolve/fault.h"
#include "resolve/govern.h"
#include "resolve/key.h"
#include "resolve/l4.h"
#include "resolve/resolve.h"
#include "resolve/room.h"
#include "resolve/rule.h"

#define CONDITIONS_MAX 5
#define SERVICE_CONDITIONS_MAX 4
#define MESSAGE_PARTS_MAX 8 /* of a message that lists several faults; the rest is counted */

void resolve_rejections(const struct row *row, struct str key, struct group_emit *emit)
{
    const struct rejection_row *rejection = (const struct rejection_row *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    (void)key;
    struct str consumers = str_sub(rejection->scope, str_index(rejection->scope, '@'), SIZE_MAX);
    bool place = str_index(consumers, '/') < consumers.len; /* endpoints: no route's business */
    group_emit(emit, arena_printf(&scratch, "%s|%.*s%.*s",
                                  xds_type_info((enum xds_type)rejection->type)->name,
                                  STR_FMT(rejection->name), STR_FMT(place ? STR("") : consumers)));
    arena_release(&scratch);
}

static void add(struct status_parent *parent, enum condition_id id, struct str message)
{
    parent->conditions.items[parent->conditions.len++] = (struct condition){(int)id, message};
}

/* The oldest of the routes that displace this one on a port; NULL: none does. */
static const struct attachment *displacer(struct eval *ev, const struct attachment *attachment,
                                          struct str port)
{
    struct row_span others = eval_group(ev, X_ATTACHED, port);
    enum kind_id kind = govern_kind(others);
    for (size_t i = 0; kind != (enum kind_id)attachment->kind && i < others.len; i++) {
        const struct attachment *other = (const struct attachment *)others.rows[i];
        if ((enum kind_id)other->kind == kind) {
            return other;
        }
    }
    return NULL;
}

/* Ports of a parentRef that the route does not govern. */
struct losses {
    size_t ports;                                        /* that routes of other kinds have */
    const struct attachment *winners[MESSAGE_PARTS_MAX]; /* each once */
    size_t nwinners;
    size_t full; /* without room for it */
    struct str why;
};

static void add_winner(struct losses *losses, const struct attachment *winner)
{
    size_t i = 0;
    while (i < losses->nwinners && losses->winners[i] != winner) {
        i++;
    }
    if (i == losses->nwinners && i < MESSAGE_PARTS_MAX) {
        losses->winners[losses->nwinners++] = winner;
    }
}

/* Why the port has no room for the route; empty: it has. */
static struct str no_room(struct eval *ev, const struct attachment *attachment, struct str key)
{
    struct str port_key = port_key_parse(key).port_key;
    struct row_span attached = eval_group(ev, X_ATTACHED, key);
    const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, port_key);
    struct room room;
    room_init(&room, port != NULL ? port->service_ports : 1);
    for (size_t i = 0; i < attached.len; i++) {
        const struct attachment *other = (const struct attachment *)attached.rows[i];
        bool fits = other->kind != attachment->kind || room_take(&room, other);
        if (str_eq(other->key, attachment->key)) {
            return fits ? STR_NULL : room_message(eval_scratch(ev), &room, attachment, port_key);
        }
    }
    return STR_NULL;
}

static struct losses count_losses(struct eval *ev, const struct attachment *attachment,
                                  const struct attached_parent *parent)
{
    struct losses losses = {.ports = 0};
    for (size_t i = 0; i < parent->ports.len; i++) {
        const struct attachment *winner = displacer(ev, attachment, parent->ports.items[i]);
        struct str why =
            winner != NULL ? STR_NULL : no_room(ev, attachment, parent->ports.items[i]);
        if (winner != NULL) {
            losses.ports++;
            add_winner(&losses, winner);
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
                            STR_FMT(losses->winners[i]->key));
    }
    return text;
}

/* Several faults in one text: "one; two; and 3 more". */
struct faults {
    struct arena *arena;
    struct str text;
    size_t len;
};

static void add_fault(struct faults *faults, struct str what)
{
    if (faults->len++ < MESSAGE_PARTS_MAX) {
        faults->text = arena_printf(faults->arena, "%.*s%s%.*s", STR_FMT(faults->text),
                                    faults->len > 1 ? "; " : "", STR_FMT(what));
    }
}

static struct str faults_text(const struct faults *faults)
{
    if (faults->len <= MESSAGE_PARTS_MAX) {
        return faults->text;
    }
    return arena_printf(faults->arena, "%.*s; and %zu more", STR_FMT(faults->text),
                        faults->len - MESSAGE_PARTS_MAX);
}

/* What of the route is not served, and the number of such rules. */
static size_t unserved_rules(const struct route *route, struct arena *arena, struct str *ret_text)
{
    struct faults faults = {.arena = arena};
    for (size_t i = 0; i < route_rule_count(route); i++) {
        struct str why = rule_unserved(route, i, arena);
        if (why.len > 0) {
            add_fault(&faults, why);
        }
    }
    *ret_text = faults_text(&faults);
    return faults.len;
}

static void accepted_condition(struct eval *ev, struct arena *arena, const struct route *route,
                               const struct attachment *attachment,
                               const struct attached_parent *from, struct status_parent *parent)
{
    if (from->condition != C_accepted) {
        add(parent, (enum condition_id)from->condition, arena_str(arena, from->message));
        return;
    }
    struct losses lost = count_losses(ev, attachment, from);
    if (lost.ports > 0 && lost.ports == from->ports.len) {
        const struct attachment *winner = lost.winners[0];
        add(parent, C_conflicted,
            arena_printf(arena,
                         "%.*s is attached to the same Service port, and %ss take precedence over "
                         "%ss",
                         STR_FMT(winner->key), kind_info((enum kind_id)winner->kind)->kind,
                         kind_info(route->object.kind)->kind));
        return;
    }
    if (lost.full > 0 && lost.ports + lost.full == from->ports.len) {
        add(parent, C_no_room, arena_str(arena, lost.why));
        return;
    }
    struct str unserved;
    size_t rules = route_rule_count(route);
    if (rules > 0 && unserved_rules(route, arena, &unserved) == rules) {
        add(parent, C_unsupported_value, unserved);
        return;
    }
    struct faults others = {.arena = arena};
    if (lost.ports + lost.full > 0) {
        add_fault(&others, arena_printf(arena, "governs %zu of %zu ports",
                                        from->ports.len - lost.ports - lost.full, from->ports.len));
    }
    if (lost.ports > 0) {
        add_fault(&others, arena_printf(arena, "the others belong to %.*s",
                                        STR_FMT(winners_text(eval_scratch(ev), &lost))));
    }
    if (lost.full > 0) {
        add_fault(&others, lost.why);
    }
    struct str outranked = l4_outranked(ev, arena, route, attachment, from);
    if (outranked.len > 0) {
        add_fault(&others, outranked);
    }
    add(parent, outranked.len > 0 ? C_outranked : C_accepted,
        others.len > 0 ? others.text : STR("the route is attached"));
}

static void unresolved(const struct attached_backend *backends, size_t len, struct faults *faults,
                       enum condition_id *first)
{
    for (size_t i = 0; i < len; i++) {
        if (backends[i].condition == C_resolved) {
            continue;
        }
        if (faults->len == 0) {
            *first = (enum condition_id)backends[i].condition;
        }
        add_fault(faults, backends[i].message);
    }
}

static void resolved_condition(struct arena *arena, const struct attachment *attachment,
                               struct status_parent *parent)
{
    enum condition_id first = C_resolved;
    struct faults faults = {.arena = arena};
    unresolved(attachment->backends.items, attachment->backends.len, &faults, &first);
    unresolved(attachment->mirrors.items, attachment->mirrors.len, &faults, &first);
    add(parent, first, faults.len > 0 ? faults_text(&faults) : STR("all references resolve"));
}

static void partial_condition(struct arena *arena, const struct route *route,
                              struct status_parent *parent)
{
    struct str text;
    size_t count = unserved_rules(route, arena, &text);
    if (count > 0 && count < route_rule_count(route)) {
        add(parent, C_partially_invalid, arena_printf(arena, "Dropped Rule: %.*s", STR_FMT(text)));
    }
}

/* What clients say against a resource; key: its name, of a consumer's with "@client-ns". False:
 * nothing. */
static bool is_rejected(struct eval *ev, struct arena *arena, enum xds_type type, struct str key,
                        struct str *ret_message)
{
    const char *type_name = xds_type_info(type)->name;
    struct str group = arena_printf(eval_scratch(ev), "%s|%.*s", type_name, STR_FMT(key));
    struct row_span rejections = eval_group(ev, X_REJECTIONS, group);
    if (rejections.len == 0) {
        return false;
    }
    const struct rejection_row *first = (const struct rejection_row *)rejections.rows[0];
    uint64_t clients = 0;
    for (size_t i = 0; i < rejections.len; i++) {
        clients += ((const struct rejection_row *)rejections.rows[i])->clients;
    }
    struct str others = clients == 1 ? STR_NULL
                                     : arena_printf(eval_scratch(ev), " and %llu more",
                                                    (unsigned long long)clients - 1);
    *ret_message = arena_printf(arena, "%s '%.*s' is rejected by '%.*s'%.*s: %.*s", type_name,
                                STR_FMT(first->name), STR_FMT(first->node), STR_FMT(others),
                                STR_FMT(first->text));
    return true;
}

static void programmed_condition(struct eval *ev, struct arena *arena,
                                 const struct attachment *attachment,
                                 const struct attached_parent *from, struct status_parent *parent)
{
    struct str message;
    for (size_t i = 0; i < from->ports.len; i++) {
        struct str key = from->ports.items[i];
        if (is_rejected(ev, arena, XDS_RDS, key, &message) ||
            is_rejected(ev, arena, XDS_LDS, key, &message) ||
            is_rejected(ev, arena, XDS_ECDS, l4_name(eval_scratch(ev), attachment, key),
                        &message)) {
            add(parent, C_rejected, message);
            return;
        }
    }
}

static void enforced_condition(struct eval *ev, struct arena *arena, const struct route *route,
                               const struct attached_parent *from, struct status_parent *parent)
{
    struct str gaps = enforce_gaps(ev, arena, route, from);
    if (gaps.len > 0) {
        add(parent, C_not_enforced, gaps);
    }
}

const struct row *resolve_status(struct eval *ev, struct str key)
{
    const struct route *route = (const struct route *)eval_get(ev, T_ROUTE, key);
    const struct attachment *attachment =
        (const struct attachment *)eval_get(ev, T_ATTACHMENT, key);
    const struct fault *fault = (const struct fault *)eval_get(ev, T_FAULT, key);
    if (fault != NULL && kind_info((enum kind_id)fault->kind)->route) {
        return fault_status(fault, (const struct object *)route);
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
        accepted_condition(ev, arena, route, attachment, from, parent);
        resolved_condition(arena, attachment, parent);
        partial_condition(arena, route, parent);
        programmed_condition(ev, arena, attachment, from, parent);
        enforced_condition(ev, arena, route, from, parent);
    }
    return &row->row;
}

/* Whether sidecars that bind listen on none of the Service's addresses. */
static bool is_not_local(struct eval *ev, const struct service *service)
{
    bool local = service->cluster_ips.len == 0 || service->type == SERVICE_EXTERNAL_NAME ||
                 str_eq(service->cluster_ips.items[0], STR("None"));
    for (size_t i = 0; !local && i < service->cluster_ips.len; i++) {
        local = ir_is_loopback(service->cluster_ips.items[i]);
    }
    return !local && is_connected(ev, SCOPE_BIND);
}

/* Of all ports: a cluster, its endpoints, or a listener (whose address may be taken). */
static bool is_service_rejected(struct eval *ev, struct arena *arena, const struct service *service,
                                struct str *ret_message)
{
    static const enum xds_type types[] = {XDS_CDS, XDS_EDS, XDS_LDS};
    const struct meta *meta = &service->object.meta;
    for (size_t i = 0; i < service->ports.len; i++) {
        struct str key = port_key_make(eval_scratch(ev), meta->ns, meta->name,
                                       service->ports.items[i].port, STR_NULL);
        for (size_t j = 0; j < sizeof(types) / sizeof(types[0]); j++) {
            if (is_rejected(ev, arena, types[j], key, ret_message)) {
                return true;
            }
        }
    }
    return false;
}

/* Some port of the Service whose address is another Service's; NULL when there is none. */
static const struct ir_port *taken_port(struct eval *ev, const struct service *service)
{
    const struct meta *meta = &service->object.meta;
    for (size_t i = 0; i < service->ports.len; i++) {
        struct str key = port_key_make(eval_scratch(ev), meta->ns, meta->name,
                                       service->ports.items[i].port, STR_NULL);
        const struct ir_port *port = (const struct ir_port *)eval_get(ev, T_PORT, key);
        if (port != NULL && port->taken_by.len > 0) {
            return port;
        }
    }
    return NULL;
}

/* Why sidecars do not listen for the Service; false when they do. */
static bool unbound_condition(struct eval *ev, struct arena *arena, const struct service *service,
                              struct condition *ret_condition)
{
    const struct ir_port *taken = taken_port(ev, service);
    if (taken != NULL) {
        ret_condition->id = C_address_taken;
        ret_condition->message =
            arena_printf(arena, "Service '%.*s' has the same ClusterIP and port %d",
                         STR_FMT(taken->taken_by), (int)taken->port);
        return true;
    }
    if (is_not_local(ev, service)) {
        ret_condition->id = C_not_local;
        ret_condition->message =
            arena_printf(arena,
                         "sidecars without interception do not listen on '%.*s', which is not a "
                         "loopback address",
                         STR_FMT(service->cluster_ips.items[0]));
        return true;
    }
    return false;
}

/* Slices of names, which no client can be sent; and endpoints for the own node alone, while clients
 * do not say which that is. One condition, since both are of one type. */
static bool unenforced_condition(struct eval *ev, struct arena *arena,
                                 const struct service *service, struct str key,
                                 struct condition *ret_condition)
{
    struct faults faults = {.arena = arena};
    struct row_span slices = eval_group(ev, X_SLICES_OF_NAMES, key);
    ret_condition->id = slices.len > 0 ? C_names_not_served : C_nodeless;
    for (size_t i = 0; i < slices.len; i++) {
        struct str name = ((const struct object *)slices.rows[i])->meta.name;
        add_fault(&faults, arena_printf(arena,
                                        "EndpointSlice '%.*s' is of addressType FQDN: clients are "
                                        "sent addresses, not names",
                                        STR_FMT(name)));
    }
    if (service->internal_policy == TRAFFIC_LOCAL && is_connected(ev, VIEW_NODELESS)) {
        add_fault(&faults, STR("clients that do not say their node (node.metadata.node_name) are "
                               "sent the endpoints of all nodes"));
    }
    ret_condition->message = faults_text(&faults);
    return faults.len > 0;
}

const struct row *resolve_service_status(struct eval *ev, struct str key)
{
    const struct service *service = (const struct service *)eval_get(ev, T_SERVICE, key);
    const struct fault *fault = fault_of(ev, KIND_SERVICE, key);
    struct arena *scratch = eval_scratch(ev);
    struct condition found[SERVICE_CONDITIONS_MAX];
    size_t len = 0;
    if (fault != NULL) {
        found[len].id = C_service_unreadable;
        found[len++].message = fault_message(scratch, fault, (const struct object *)service);
    }
    if (service != NULL) {
        len += unbound_condition(ev, scratch, service, &found[len]);
        len += unenforced_condition(ev, scratch, service, key, &found[len]);
        found[len].id = C_service_rejected;
        len += is_service_rejected(ev, scratch, service, &found[len].message);
    }
    if (len == 0) {
        return NULL;
    }
    struct status *row = row_new(sizeof(*row), 512);
    struct arena *arena = &row->row.arena;
    row->kind = KIND_SERVICE;
    row->ns = arena_str(arena, fault != NULL ? fault->ns : service->object.meta.ns);
    row->name = arena_str(arena, fault != NULL ? fault->name : service->object.meta.name);
    row->generation = fault != NULL ? fault->generation : service->object.meta.generation;
    row->conditions.items = ARENA_ARRAY(arena, len, struct condition);
    for (size_t i = 0; i < len; i++) {
        row->conditions.items[row->conditions.len++] =
            (struct condition){found[i].id, arena_str(arena, found[i].message)};
    }
    return &row->row;
}
