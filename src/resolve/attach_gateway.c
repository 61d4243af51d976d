/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach_gateway: which listeners a route attaches to.
 *
 *   those of the parentRef's Gateway, or of its ListenerSet; never both
 *     ─► of its sectionName and port                       none: NoMatchingParent
 *     ─► that admit the route's kind and namespace         none: NotAllowedByListeners
 *     ─► whose hostname meets one of the route's           none: NoMatchingListenerHostname
 *
 * One that takes the route is enough (ParentReference.sectionName). Whether a listener is served
 * does not matter: its routes are attached, and counted, all the same (ListenerStatus).
 */
#include "ir/gateway.h"
#include "ir/graph.h"
#include "model/hostname.h"
#include "resolve/admit.h"
#include "resolve/attach.h"
#include "resolve/excerpt.h"
#include "resolve/resolve.h"
#include "resolve/sets.h"

#define ANY STR("*")

struct parent {                       /* what a parentRef names */
    const struct ir_gateway *gateway; /* an excerpt: with the listeners of that parent */
    struct str set;                   /* "ns/name" of the ListenerSet; empty: the Gateway itself */
    struct str text;                  /* "Gateway 'ns/name'" */
    bool allowed;                     /* a ListenerSet: by the Gateway */
};

static bool is_of(const struct parent_ref *ref, const char *kind)
{
    return str_eq(ref->group, STR(GATEWAY_GROUP)) && str_eq(ref->kind, str_from(kind));
}

/* The key of the Gateway that a ListenerSet names as its parent; empty: it names none. */
static struct str gateway_of_set(struct eval *ev, struct str key)
{
    const struct listener_set *set = (const struct listener_set *)eval_get(ev, T_LISTENERSET, key);
    return set != NULL ? set_parent(eval_scratch(ev), set) : STR_NULL;
}

static bool is_allowed(const struct ir_gateway *gateway, struct str key)
{
    const struct ir_listener_set *set = ir_gateway_set(gateway, key);
    return set != NULL && set->allowed;
}

/* "ns/name" of what the parentRef names. */
static struct str named_by(struct eval *ev, struct str ns, const struct parent_ref *ref)
{
    return arena_printf(eval_scratch(ev), "%.*s/%.*s", STR_FMT(ref->ns.len > 0 ? ref->ns : ns),
                        STR_FMT(ref->name));
}

struct str attach_gateway_of(struct eval *ev, struct str ns, const struct parent_ref *ref)
{
    struct str key = STR_NULL;
    if (is_of(ref, "ListenerSet")) {
        key = gateway_of_set(ev, named_by(ev, ns, ref));
    } else if (is_of(ref, "Gateway")) {
        key = named_by(ev, ns, ref);
    }
    return key.len > 0 && excerpt_of_parent(ev, key, STR_NULL) != NULL ? key : STR_NULL;
}

static struct parent find_parent(struct eval *ev, const struct route *route,
                                 const struct parent_ref *ref, struct str key)
{
    struct str named = named_by(ev, route->object.meta.ns, ref);
    bool of_set = is_of(ref, "ListenerSet");
    const struct ir_gateway *gateway = excerpt_of_parent(ev, key, of_set ? named : STR_NULL);
    if (gateway == NULL) { /* not of a ListenerSet that it knows; its own listeners do not count */
        gateway = excerpt_of_parent(ev, key, STR_NULL);
    }
    return (struct parent){
        .gateway = gateway,
        .set = of_set ? named : STR_NULL,
        .text = arena_printf(eval_scratch(ev), "%s '%.*s'", of_set ? "ListenerSet" : "Gateway",
                             STR_FMT(named)),
        .allowed = !of_set || is_allowed(gateway, named),
    };
}

/* --- which listeners ------------------------------------------------------------------------ */

static bool is_selected(const struct ir_listener *listener, const struct parent_ref *ref)
{
    return (ref->port == 0 || ref->port == listener->port) &&
           (ref->section_name.len == 0 || str_eq(ref->section_name, listener->name));
}

static bool admits_kind(const struct ir_listener *listener, const struct route *route)
{
    return (listener->kinds & (1 << route->object.kind)) != 0;
}

static bool has_hostnames(const struct ir_listener *listener)
{
    return ir_listener_is_http(listener) || listener->protocol == IR_LISTENER_TLS;
}

/* Nothing is kept in the arena of a hostname that does not meet the listener's. */
static void add_host(struct arena *arena, const struct ir_listener *listener, struct str hostname,
                     struct attached_listener *attached)
{
    struct str domain;
    if (hostname_intersect(listener->hostname, hostname, &domain)) {
        struct attached_host *host = &attached->hosts.items[attached->hosts.len++];
        bool own = domain.ptr == hostname.ptr;
        host->hostname = arena_lower(arena, hostname);
        host->domain = hostname_is_any(domain) ? ANY
                       : own                   ? host->hostname
                                               : arena_lower(arena, domain);
    }
}

/* "Any HTTPRoute hostnames that do not match the Listener hostname MUST be ignored"
 * (HTTPRouteSpec.hostnames). None is left: the route is not for this listener. */
static void add_hosts(struct arena *arena, const struct route *route,
                      const struct ir_listener *listener, struct attached_listener *attached)
{
    size_t meeting = 0;
    struct str domain;
    bool named = has_hostnames(listener) && route->hostnames.len > 0;
    for (size_t i = 0; named && i < route->hostnames.len; i++) {
        meeting += hostname_intersect(listener->hostname, route->hostnames.items[i], &domain);
    }
    attached->hosts.items = ARENA_ARRAY(arena, named ? meeting : 1, struct attached_host);
    for (size_t i = 0; named && i < route->hostnames.len; i++) {
        add_host(arena, listener, route->hostnames.items[i], attached);
    }
    if (!has_hostnames(listener)) {
        attached->hosts.items[attached->hosts.len++] = (struct attached_host){ANY, ANY};
    } else if (!named) {
        add_host(arena, listener, ANY, attached);
    }
}

static struct str entry_of(struct arena *arena, struct str gateway,
                           const struct ir_listener *listener)
{
    struct str entry = entry_name(arena, gateway, listener->port);
    return listener->protocol == IR_LISTENER_UDP ? arena_printf(arena, "%.*s/udp", STR_FMT(entry))
                                                 : entry;
}

struct funnel { /* how many listeners are left after each question, and one that was the last */
    size_t selected, admitted;
    const struct ir_listener *first; /* that is selected */
};

static void attach_listeners(struct eval *ev, struct arena *arena, const struct route *route,
                             const struct parent_ref *ref, const struct parent *of,
                             struct attached_parent *parent, struct funnel *ret_funnel)
{
    size_t all = of->gateway->listeners.len;
    struct funnel funnel = {.selected = 0};
    struct attached_listener *found = ARENA_ARRAY(eval_scratch(ev), all, struct attached_listener);
    size_t len = 0;
    for (size_t i = 0; i < all; i++) {
        const struct ir_listener *listener = &of->gateway->listeners.items[i];
        if (!str_eq(listener->set, of->set) || !is_selected(listener, ref)) {
            continue;
        }
        funnel.first = funnel.selected++ == 0 ? listener : funnel.first;
        if (!admits_kind(listener, route) ||
            !admit_namespace(ev, listener->from, listener->selector, listener->home,
                             route->object.meta.ns)) {
            continue;
        }
        funnel.admitted++;
        struct attached_listener *attached = &found[len];
        *attached = (struct attached_listener){.protocol = listener->protocol,
                                               .passthrough = listener->passthrough};
        add_hosts(arena, route, listener, attached);
        if (attached->hosts.len > 0) {
            attached->key = arena_str(arena, listener->key);
            attached->entry = entry_of(arena, parent->gateway, listener);
            len++;
        }
    }
    /* as a rule a few of many: the row keeps no room for the others */
    parent->listeners.items = ARENA_ARRAY(arena, len, struct attached_listener);
    parent->listeners.len = len;
    for (size_t i = 0; i < len; i++) {
        parent->listeners.items[i] = found[i];
    }
    *ret_funnel = funnel;
}

/* --- why none ------------------------------------------------------------------------------- */

/* The parent's own listener of that name; NULL: there is none. */
static const struct ir_listener *find_named(const struct parent *of, struct str name)
{
    for (size_t i = 0; i < of->gateway->listeners.len; i++) {
        const struct ir_listener *listener = &of->gateway->listeners.items[i];
        if (str_eq(listener->set, of->set) && str_eq(listener->name, name)) {
            return listener;
        }
    }
    return NULL;
}

/* A ListenerSet of the Gateway that has what the parentRef looks for; empty: none has. */
static struct str set_with(const struct ir_gateway *gateway, const struct parent_ref *ref)
{
    for (size_t i = 0; i < gateway->listeners.len; i++) {
        const struct ir_listener *listener = &gateway->listeners.items[i];
        if (listener->set.len > 0 && is_selected(listener, ref)) {
            return listener->set;
        }
    }
    return STR_NULL;
}

static struct str no_named_listener(struct eval *ev, struct arena *arena,
                                    const struct parent_ref *ref, const struct parent *of,
                                    struct str key)
{
    const struct ir_listener *named = find_named(of, ref->section_name);
    if (named != NULL) {
        return arena_printf(arena, "listener '%.*s' of %.*s has port %d, not %d",
                            STR_FMT(ref->section_name), STR_FMT(of->text), (int)named->port,
                            (int)ref->port);
    }
    struct str set = of->set.len == 0
                         ? set_with((const struct ir_gateway *)eval_get(ev, T_GATEWAYS, key), ref)
                         : STR_NULL;
    if (set.len > 0) {
        return arena_printf(arena,
                            "%.*s has no listener '%.*s' of its own; ListenerSet '%.*s' has one: "
                            "name that as the parent",
                            STR_FMT(of->text), STR_FMT(ref->section_name), STR_FMT(set));
    }
    return arena_printf(arena, "%.*s has no listener '%.*s'", STR_FMT(of->text),
                        STR_FMT(ref->section_name));
}

static struct str no_listener(struct eval *ev, struct arena *arena, const struct parent_ref *ref,
                              const struct parent *of, struct str key)
{
    const struct ir_gateway *gateway = of->gateway;
    if (!of->allowed) {
        return arena_printf(arena, "%.*s is not admitted by Gateway '%.*s/%.*s'", STR_FMT(of->text),
                            STR_FMT(gateway->ns), STR_FMT(gateway->name));
    }
    if (ref->section_name.len > 0) {
        return no_named_listener(ev, arena, ref, of, key);
    }
    return ref->port != 0 ? arena_printf(arena, "%.*s has no listener with port %d",
                                         STR_FMT(of->text), (int)ref->port)
                          : arena_printf(arena, "%.*s has no listeners", STR_FMT(of->text));
}

/* "listener 'x' of Gateway 'a/b' admits no", or of several "no listener … admits" */
static struct str not_admitted(struct arena *arena, const struct route *route,
                               const struct parent *of, const struct funnel *funnel)
{
    const char *kind = kind_info(route->object.kind)->kind;
    if (funnel->selected > 1) {
        return arena_printf(arena, "no listener of %.*s admits a %s of namespace '%.*s'",
                            STR_FMT(of->text), kind, STR_FMT(route->object.meta.ns));
    }
    if (route->object.kind == KIND_TCPROUTE && funnel->first->protocol == IR_LISTENER_TLS &&
        !funnel->first->passthrough && !admits_kind(funnel->first, route)) {
        return arena_printf(arena,
                            "listener '%.*s' of %.*s admits no TCPRoutes: one of protocol TLS does "
                            "where TLS ends there and its allowedRoutes.kinds name them",
                            STR_FMT(funnel->first->name), STR_FMT(of->text));
    }
    struct str who =
        admits_kind(funnel->first, route)
            ? arena_printf(arena, "routes of namespace '%.*s'", STR_FMT(route->object.meta.ns))
            : arena_printf(arena, "%ss", kind);
    return arena_printf(arena, "listener '%.*s' of %.*s admits no %.*s",
                        STR_FMT(funnel->first->name), STR_FMT(of->text), STR_FMT(who));
}

static struct str no_hostname(struct arena *arena, const struct parent *of,
                              const struct funnel *funnel)
{
    if (funnel->selected > 1) {
        return arena_printf(arena,
                            "no hostname of the route meets that of a listener of %.*s that "
                            "admits it",
                            STR_FMT(of->text));
    }
    return arena_printf(
        arena, "no hostname of the route meets '%.*s', that of listener '%.*s' of %.*s",
        STR_FMT(funnel->first->hostname), STR_FMT(funnel->first->name), STR_FMT(of->text));
}

bool attach_gateway(struct eval *ev, struct arena *arena, const struct route *route,
                    const struct parent_ref *ref, struct attached_parent *ret_parent)
{
    struct str key = attach_gateway_of(ev, route->object.meta.ns, ref);
    struct funnel funnel;
    if (key.len == 0) {
        return false;
    }
    const struct parent of = find_parent(ev, route, ref, key);
    ret_parent->condition = C_accepted;
    ret_parent->gateway = arena_str(arena, key);
    attach_listeners(ev, arena, route, ref, &of, ret_parent, &funnel);
    if (funnel.selected == 0) {
        attach_refuse(ret_parent, C_no_matching_parent, no_listener(ev, arena, ref, &of, key));
    } else if (funnel.admitted == 0) {
        attach_refuse(ret_parent, C_not_allowed, not_admitted(arena, route, &of, &funnel));
    } else if (ret_parent->listeners.len == 0) {
        attach_refuse(ret_parent, C_no_matching_hostname, no_hostname(arena, &of, &funnel));
    }
    return true;
}

/* --- indexes -------------------------------------------------------------------------------- */

typedef void emit_fn(const struct attached_listener *listener, struct arena *scratch,
                     struct group_emit *emit);

static void each_listener(const struct row *row, emit_fn *emit_listener, struct group_emit *emit)
{
    const struct attachment *attachment = (const struct attachment *)row;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    for (size_t i = 0; i < attachment->parents.len; i++) {
        const struct attached_parent *parent = &attachment->parents.items[i];
        for (size_t j = 0; j < parent->listeners.len; j++) {
            emit_listener(&parent->listeners.items[j], &scratch, emit);
        }
    }
    arena_release(&scratch);
}

static void emit_key(const struct attached_listener *listener, struct arena *scratch,
                     struct group_emit *emit)
{
    (void)scratch;
    group_emit(emit, listener->key);
}

static void emit_hosts(const struct attached_listener *listener, struct arena *scratch,
                       struct group_emit *emit)
{
    for (size_t i = 0; i < listener->hosts.len; i++) {
        group_emit(emit, arena_printf(scratch, "%.*s|%.*s", STR_FMT(listener->key),
                                      STR_FMT(listener->hosts.items[i].hostname)));
    }
}

static void emit_domains(const struct attached_listener *listener, struct arena *scratch,
                         struct group_emit *emit)
{
    bool http = listener->protocol == IR_LISTENER_HTTP || listener->protocol == IR_LISTENER_HTTPS;
    for (size_t i = 0; http && i < listener->hosts.len; i++) {
        group_emit(emit, arena_printf(scratch, "%.*s|%.*s", STR_FMT(listener->entry),
                                      STR_FMT(listener->hosts.items[i].domain)));
    }
}

void resolve_listener_routes(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    each_listener(row, emit_key, emit);
}

void resolve_listener_hosts(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    each_listener(row, emit_hosts, emit);
}

void resolve_route_domains(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    each_listener(row, emit_domains, emit);
}
