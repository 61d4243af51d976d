/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway_status: the conditions of Gateways and ListenerSets, and of their listeners.
 *
 *   Accepted, ResolvedRefs, Conflicted   what the row says (gateway.c)
 *   Programmed   in a cluster: what heddle made there has an address, and an Envoy that is ready;
 *                in a directory: an Envoy of the Gateway is connected. Listeners and ListenerSets
 *                follow their Gateway
 *   heddle.dev/Programmed   False when an Envoy rejects a listener, routes or a secret of it
 *
 * "The AttachedRoutes number represents the number of Routes with the Accepted condition set to
 * True": those that lost the listener to a route of another kind (T_RIVALS) are left out, those of
 * which no rule is served, and those whose newest generation cannot be read, though an older one is
 * in force (T_FAULT): their Accepted is False, too.
 */
#include "base/panic.h"
#include "ir/client.h"
#include "ir/gateway.h"
#include "ir/graph.h"
#include "resolve/fault.h"
#include "resolve/resolve.h"
#include "resolve/sets.h"
#include "resolve/status.h"

#define CONDITIONS_MAX 6
#define LISTENER_CONDITIONS_MAX 5
#define LOCAL_ADDRESS "127.0.0.1" /* where a Gateway of a directory is, unless it says */

struct told { /* conditions of one object or listener */
    struct arena *arena;
    struct condition *items;
    size_t len, room;
};

static struct told told_new(struct arena *arena, size_t room)
{
    return (struct told){arena, ARENA_ARRAY(arena, room, struct condition), 0, room};
}

static void tell(struct told *told, enum condition_id id, struct str message)
{
    ASSERT(told->len < told->room);
    told->items[told->len++] = (struct condition){(int)id, arena_str(told->arena, message)};
}

/* --- Programmed ------------------------------------------------------------------------------ */

static struct condition in_cluster(struct eval *ev, struct str key)
{
    const struct placed_row *placed = (const struct placed_row *)eval_get(ev, T_PLACED, key);
    if (placed == NULL) {
        return (struct condition){C_gateway_pending,
                                  STR("heddle has yet to make what runs the Gateway")};
    }
    if (placed->error.len > 0) {
        return (struct condition){
            placed->address_unusable ? C_gateway_not_usable : C_gateway_pending, placed->error};
    }
    if (placed->addresses.len == 0) {
        return (struct condition){C_gateway_not_assigned,
                                  STR("the Gateway's Service has no address yet: is there a load "
                                      "balancer for Services of its type")};
    }
    if (placed->pending) {
        return (struct condition){C_gateway_not_assigned,
                                  STR("the Gateway's Service waits for another address")};
    }
    if (placed->ready == 0) {
        return (struct condition){C_gateway_pending, STR("no Envoy of the Gateway is ready yet")};
    }
    return (struct condition){
        C_gateway_programmed,
        arena_printf(eval_scratch(ev), "%d Envoy%s ready%s%.*s", (int)placed->ready,
                     placed->ready == 1 ? " is" : "s are",
                     placed->former.len > 0 ? ", of the class that the Gateway had before: " : "",
                     STR_FMT(placed->former))};
}

static struct condition in_directory(struct eval *ev, const struct ir_gateway *gateway,
                                     struct str key)
{
    struct arena *scratch = eval_scratch(ev);
    if (eval_get(ev, T_VIEW, arena_printf(scratch, SCOPE_GATEWAY "%.*s", STR_FMT(key))) == NULL) {
        return (struct condition){
            C_gateway_pending,
            arena_printf(scratch,
                         "no Envoy of the Gateway is connected: start one with what 'heddle "
                         "bootstrap envoy --namespace %.*s --gateway %.*s' writes",
                         STR_FMT(gateway->ns), STR_FMT(gateway->name))};
    }
    return (struct condition){C_gateway_programmed, STR("an Envoy of the Gateway is connected")};
}

static bool is_in_cluster(struct eval *ev)
{
    const struct settings_row *settings =
        (const struct settings_row *)eval_get(ev, T_SETTINGS, STR_NULL);
    return settings != NULL && settings->kubernetes;
}

static struct condition programmed(struct eval *ev, const struct ir_gateway *row, struct str key)
{
    if (!row->accepted) {
        return (struct condition){C_gateway_not_programmed, STR("the Gateway is not accepted")};
    }
    return is_in_cluster(ev) ? in_cluster(ev, key) : in_directory(ev, row, key);
}

/* --- listeners ------------------------------------------------------------------------------- */

/* What Programmed says of a listener that Accepted is False of, where it has a reason of its own.
 */
static const struct {
    enum condition_id accepted, programmed;
} follows[] = {
    {C_listener_hostname_conflict, C_listener_hostname_programmed},
    {C_listener_protocol_conflict, C_listener_protocol_programmed},
    {C_listener_conflict, C_listener_conflict_programmed},
    {C_listener_port, C_listener_port_programmed},
};

static enum condition_id why_not_programmed(const struct ir_listener *listener)
{
    for (size_t i = 0; i < sizeof(follows) / sizeof(follows[0]); i++) {
        for (size_t j = 0; j < listener->conditions.len; j++) {
            if (listener->conditions.items[j].id == (int)follows[i].accepted) {
                return follows[i].programmed;
            }
        }
    }
    return C_listener_not_programmed;
}

static void listener_programmed(const struct ir_listener *listener, const struct condition *gateway,
                                struct told *told)
{
    if (!listener->served) {
        tell(told, why_not_programmed(listener), listener->why_not);
    } else if (gateway->id == C_gateway_programmed) {
        tell(told, C_listener_programmed, STR("the listener is served"));
    } else {
        tell(told, C_listener_pending, gateway->message);
    }
}

static int32_t count_routes(struct eval *ev, const struct ir_listener *listener)
{
    struct row_span attached = eval_group(ev, X_LISTENER_ROUTES, listener->key);
    const struct ir_rivals *rivals =
        (const struct ir_rivals *)eval_get(ev, T_RIVALS, listener->key);
    int32_t accepted = 0;
    for (size_t i = 0; i < attached.len; i++) {
        const struct attachment *route = (const struct attachment *)attached.rows[i];
        accepted += !route->unserved && ir_rivals_winner(rivals, route->key).len == 0 &&
                    eval_get(ev, T_FAULT, route->key) == NULL;
    }
    return accepted;
}

static void list_kinds(struct arena *arena, const struct ir_listener *listener,
                       struct status_listener *told)
{
    told->kinds.items = ARENA_ARRAY(arena, KIND_COUNT, struct status_kind);
    for (int i = 0; i < KIND_COUNT; i++) {
        const struct kind_info *kind = kind_info((enum kind_id)i);
        if ((listener->kinds & (1 << i)) != 0) {
            told->kinds.items[told->kinds.len++] =
                (struct status_kind){str_from(kind->group), str_from(kind->kind)};
        }
    }
}

/* Of the Gateway itself, or of one ListenerSet: in the order of the spec, as in the row. */
static void list_listeners(struct eval *ev, const struct ir_gateway *gateway, size_t first,
                           size_t len, const struct condition *gateway_programmed,
                           struct status *row)
{
    struct arena *arena = &row->row.arena;
    row->listeners.items = ARENA_ARRAY(arena, len, struct status_listener);
    for (size_t i = first; i < first + len; i++) {
        const struct ir_listener *listener = &gateway->listeners.items[i];
        struct status_listener *entry = &row->listeners.items[row->listeners.len++];
        entry->name = arena_str(arena, listener->name);
        entry->attached = count_routes(ev, listener);
        list_kinds(arena, listener, entry);
        struct told told = told_new(arena, LISTENER_CONDITIONS_MAX);
        for (size_t j = 0; j < listener->conditions.len; j++) {
            tell(&told, (enum condition_id)listener->conditions.items[j].id,
                 listener->conditions.items[j].message);
        }
        listener_programmed(listener, gateway_programmed, &told);
        entry->conditions.items = told.items;
        entry->conditions.len = told.len;
    }
}

/* --- Gateways -------------------------------------------------------------------------------- */

static void add_address(struct status *row, struct str type, struct str value)
{
    struct arena *arena = &row->row.arena;
    row->addresses.items[row->addresses.len++] =
        (struct status_address){arena_str(arena, type), arena_str(arena, value)};
}

/* In a cluster those that it has given, elsewhere those that its Envoys bind. */
static void list_addresses(struct eval *ev, const struct ir_gateway *gateway, struct str key,
                           struct status *row)
{
    bool cluster = is_in_cluster(ev);
    const struct placed_row *placed =
        cluster ? (const struct placed_row *)eval_get(ev, T_PLACED, key) : NULL;
    const struct ir_address *items =
        placed != NULL ? placed->addresses.items : gateway->wanted.items;
    size_t len = placed != NULL ? placed->addresses.len : gateway->wanted.len;
    row->addresses.items = ARENA_ARRAY(&row->row.arena, len + 1, struct status_address);
    if (placed == NULL && (cluster || !gateway->accepted)) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        add_address(row, items[i].type, items[i].value);
    }
    if (len == 0 && !cluster) {
        add_address(row, STR("IPAddress"), STR(LOCAL_ADDRESS));
    }
}

/* --- what Envoys reject ---------------------------------------------------------------------- */

struct asking {
    struct eval *ev;
    struct str gateway; /* its key */
    struct str scope;   /* of its secrets: those of other Gateways have the same names */
    struct str *ret_message;
};

static bool is_rejected(const struct asking *asking, enum xds_type type, struct str name)
{
    struct str scope = type == XDS_SDS ? asking->scope : STR_NULL;
    return status_rejected_in(asking->ev, eval_scratch(asking->ev), type, name, scope,
                              asking->ret_message);
}

static bool entry_rejected(const struct asking *asking, const struct ir_listener *listener)
{
    struct arena *scratch = eval_scratch(asking->ev);
    struct str entry = entry_name(scratch, asking->gateway, listener->port);
    bool udp = listener->protocol == IR_LISTENER_UDP;
    struct str name = udp ? arena_printf(scratch, "%.*s/udp", STR_FMT(entry)) : entry;
    return is_rejected(asking, XDS_LDS, name) || is_rejected(asking, XDS_RDS, name) ||
           is_rejected(asking, XDS_ECDS, name) ||
           (listener->protocol == IR_LISTENER_HTTPS && /* HTTP/3 */
            is_rejected(asking, XDS_LDS, arena_printf(scratch, "%.*s/quic", STR_FMT(entry))));
}

/* kind: "cert", "ca", "trust" (xds/secret.h). */
static bool secret_rejected(const struct asking *asking, const char *kind, const struct str *keys,
                            size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (is_rejected(
                asking, XDS_SDS,
                arena_printf(eval_scratch(asking->ev), "%s/%.*s", kind, STR_FMT(keys[i])))) {
            return true;
        }
    }
    return false;
}

/* False: no client rejects anything that is the Gateway's own. */
static bool gateway_rejected(const struct asking *asking, const struct ir_gateway *gateway)
{
    const struct str *shown = &gateway->client_certificate;
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        const struct ir_listener *listener = &gateway->listeners.items[i];
        if (listener->served && (entry_rejected(asking, listener) ||
                                 secret_rejected(asking, "cert", listener->certificates.items,
                                                 listener->certificates.len) ||
                                 secret_rejected(asking, "ca", listener->authorities.items,
                                                 listener->authorities.len) ||
                                 secret_rejected(asking, "trust", &listener->key, 1))) {
            return true;
        }
    }
    return secret_rejected(asking, "cert", shown, shown->len > 0);
}

/* --- rows ------------------------------------------------------------------------------------ */

static struct status *new_status(const struct object *object, const struct fault *fault)
{
    struct status *row = row_new(sizeof(*row), 1024);
    row->kind = (int)object->kind;
    row->ns = arena_str(&row->row.arena, object->meta.ns);
    row->name = arena_str(&row->row.arena, object->meta.name);
    row->generation = fault != NULL ? fault->generation : object->meta.generation;
    return row;
}

static bool is_accepted_type(int id)
{
    return str_eq(str_from(condition_info((enum condition_id)id)->type), STR("Accepted"));
}

/* What the row says; of an object whose newest generation cannot be read, that one is not accepted.
 */
static void tell_all(struct eval *ev, const struct condition *items, size_t len,
                     const struct fault *fault, enum condition_id unreadable,
                     const struct object *object, struct told *told)
{
    for (size_t i = 0; i < len; i++) {
        if (fault != NULL && is_accepted_type(items[i].id)) {
            tell(told, unreadable, fault_message(eval_scratch(ev), fault, object));
        } else {
            tell(told, (enum condition_id)items[i].id, items[i].message);
        }
    }
}

const struct row *resolve_gateway_status(struct eval *ev, struct str key)
{
    const struct object *object = (const struct object *)eval_get(ev, T_GATEWAY, key);
    const struct ir_gateway *gateway = (const struct ir_gateway *)eval_get(ev, T_GATEWAYS, key);
    const struct fault *fault = fault_of(ev, KIND_GATEWAY, key);
    if (object == NULL || gateway == NULL) {
        return NULL; /* it is not ours, or nothing of it was ever read: whose is not known */
    }
    struct status *row = new_status(object, fault);
    struct told told = told_new(&row->row.arena, CONDITIONS_MAX);
    struct condition is_programmed = programmed(ev, gateway, key);
    struct str message;
    tell_all(ev, gateway->conditions.items, gateway->conditions.len, fault, C_gateway_unreadable,
             object, &told);
    tell(&told, (enum condition_id)is_programmed.id, is_programmed.message);
    const struct asking asking = {
        .ev = ev,
        .gateway = key,
        .scope = arena_printf(eval_scratch(ev), SCOPE_GATEWAY "%.*s", STR_FMT(key)),
        .ret_message = &message,
    };
    if (gateway_rejected(&asking, gateway)) {
        tell(&told, C_gateway_rejected, message);
    }
    row->conditions.items = told.items;
    row->conditions.len = told.len;
    size_t own = ((const struct gateway *)object)->listeners.len;
    list_listeners(ev, gateway, 0, own, &is_programmed, row);
    list_addresses(ev, gateway, key, row);
    for (size_t i = 0; i < gateway->sets.len; i++) {
        row->attached_sets += gateway->sets.items[i].accepted;
    }
    return &row->row;
}

/* --- ListenerSets ---------------------------------------------------------------------------- */

static void set_programmed(const struct ir_listener_set *set, const struct condition *gateway,
                           struct told *told)
{
    ASSERT(set->conditions.len > 0);
    switch (set->conditions.items[0].id) {
    case C_set_not_allowed:
        tell(told, C_set_not_allowed_programmed, STR("the Gateway does not admit it"));
        break;
    case C_set_no_listener:
        tell(told, C_set_no_listener_programmed, STR("none of its listeners is served"));
        break;
    default:
        if (gateway->id == C_gateway_programmed) {
            tell(told, C_set_programmed, STR("its listeners are served"));
        } else {
            tell(told, C_set_parent_not_programmed, gateway->message);
        }
    }
}

const struct row *resolve_listener_set_status(struct eval *ev, struct str key)
{
    const struct listener_set *set = (const struct listener_set *)eval_get(ev, T_LISTENERSET, key);
    struct str parent = set != NULL ? set_parent(eval_scratch(ev), set) : STR_NULL;
    const struct ir_gateway *gateway =
        parent.len > 0 ? (const struct ir_gateway *)eval_get(ev, T_GATEWAYS, parent) : NULL;
    const struct ir_listener_set *listed = gateway != NULL ? ir_gateway_set(gateway, key) : NULL;
    const struct fault *fault = fault_of(ev, KIND_LISTENERSET, key);
    if (listed == NULL) {
        return NULL; /* its Gateway is not ours */
    }
    struct status *row = new_status(&set->object, fault);
    struct told told = told_new(&row->row.arena, CONDITIONS_MAX);
    struct condition is_programmed = programmed(ev, gateway, parent);
    tell_all(ev, listed->conditions.items, listed->conditions.len, fault, C_set_unreadable,
             &set->object, &told);
    set_programmed(listed, &is_programmed, &told);
    row->conditions.items = told.items;
    row->conditions.len = told.len;
    list_listeners(ev, gateway, (size_t)listed->first, (size_t)listed->len, &is_programmed, row);
    return &row->row;
}
