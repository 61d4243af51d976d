/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target: what a proxyless client means by the name it dials, xds:///NAME.
 *
 *   svc.ns.svc.<cluster domain>:port     svc.ns.svc:port     svc.ns:port
 *
 * A name that means nothing still gets a row, with a reason that names what is missing and the
 * nearest that exists, so that the application hears it at once (design §10.8). So does the name of
 * a server's Listener that has no address in it.
 */
#include "ir/client.h"
#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/key.h"
#include "resolve/listener_name.h"
#include "resolve/resolve.h"

#define NEAR_ENOUGH 3            /* edits, for "did you mean" */
#define NEAR_CANDIDATES_MAX 1000 /* any client may dial any number of wrong names */
#define PORTS_LISTED 8

void resolve_services_in_ns(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)key;
    group_emit(emit, ((const struct object *)row)->meta.ns);
}

void resolve_namespaces(const struct row *row, struct str key, struct group_emit *emit)
{
    (void)row;
    (void)key;
    group_emit(emit, STR(""));
}

/* The object of a group whose name is nearest to `name`; empty when none is near. Of a large group
 * the first by name are looked at. */
static struct str nearest(struct row_span objects, struct str name)
{
    struct str best = STR_NULL;
    unsigned best_distance = NEAR_ENOUGH + 1;
    for (size_t i = 0; i < objects.len && i < NEAR_CANDIDATES_MAX; i++) {
        struct str candidate = ((const struct object *)objects.rows[i])->meta.name;
        unsigned distance = str_distance(name, candidate, NEAR_ENOUGH);
        if (distance < best_distance && distance < name.len) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

static struct str list_ports(struct arena *arena, const struct service *service)
{
    struct str text = STR_NULL;
    for (size_t i = 0; i < service->ports.len && i < PORTS_LISTED; i++) {
        text = arena_printf(arena, "%.*s%s%d", STR_FMT(text), i > 0 ? ", " : "",
                            (int)service->ports.items[i].port);
    }
    return service->ports.len > 0 ? text : STR("none");
}

static struct str no_service(struct eval *ev, struct str service, struct str ns)
{
    struct arena *scratch = eval_scratch(ev);
    struct row_span here = eval_group(ev, X_SERVICES_IN_NS, ns);
    if (here.len == 0 && eval_get(ev, T_NAMESPACE, ns) == NULL) {
        struct str near = nearest(eval_group(ev, X_NAMESPACES, STR("")), ns);
        if (near.len > 0) {
            return arena_printf(scratch, "no namespace '%.*s'; did you mean '%.*s'?", STR_FMT(ns),
                                STR_FMT(near));
        }
        return arena_printf(scratch, "no Service '%.*s': namespace '%.*s' has no Services",
                            STR_FMT(service), STR_FMT(ns));
    }
    struct str near = nearest(here, service);
    if (near.len == 0) {
        return arena_printf(scratch, "no Service '%.*s' in namespace '%.*s'", STR_FMT(service),
                            STR_FMT(ns));
    }
    struct str key = arena_printf(scratch, "%.*s/%.*s", STR_FMT(ns), STR_FMT(near));
    const struct service *found = (const struct service *)eval_get(ev, T_SERVICE, key);
    return arena_printf(scratch,
                        "no Service '%.*s' in namespace '%.*s'; did you mean '%.*s'? "
                        "(ports of '%.*s': %.*s)",
                        STR_FMT(service), STR_FMT(ns), STR_FMT(near), STR_FMT(near),
                        STR_FMT(list_ports(scratch, found)));
}

/* Returns the key of T_PORT, or an empty text and a reason. */
static struct str find_port(struct eval *ev, struct str name, struct str domain,
                            struct str *ret_reason)
{
    struct arena *scratch = eval_scratch(ev);
    size_t colon = str_rindex(name, ':');
    struct str host = str_sub(name, 0, colon);
    uint64_t port = 0;
    bool has_port = colon < name.len && str_to_u64(str_sub(name, colon + 1, name.len), &port) &&
                    port > 0 && port <= 65535;
    struct str service;
    struct str ns;
    if (!service_host_parse(host, domain, &service, &ns)) {
        *ret_reason = arena_printf(scratch,
                                   "'%.*s' is not the name of a Service; dial "
                                   "xds:///SERVICE.NAMESPACE.svc.%.*s:PORT",
                                   STR_FMT(name), STR_FMT(domain));
        return STR_NULL;
    }
    struct str object = arena_printf(scratch, "%.*s/%.*s", STR_FMT(ns), STR_FMT(service));
    const struct service *found = (const struct service *)eval_get(ev, T_SERVICE, object);
    if (found == NULL) {
        *ret_reason = no_service(ev, service, ns);
        return STR_NULL;
    }
    struct str ports = list_ports(scratch, found);
    if (!has_port) {
        *ret_reason = arena_printf(scratch, "no port in '%.*s' (ports of Service '%.*s': %.*s)",
                                   STR_FMT(name), STR_FMT(object), STR_FMT(ports));
        return STR_NULL;
    }
    struct str key = port_key_make(scratch, ns, service, (int32_t)port, STR_NULL);
    const struct ir_port *row = (const struct ir_port *)eval_get(ev, T_PORT, key);
    if (row == NULL) {
        *ret_reason = arena_printf(scratch, "Service '%.*s' has no port %d (its ports: %.*s)",
                                   STR_FMT(object), (int)port, STR_FMT(ports));
        return STR_NULL;
    }
    if (!row->backend) {
        *ret_reason = arena_printf(scratch, "Service port '%.*s' takes no traffic: %.*s",
                                   STR_FMT(key), STR_FMT(row->why_not));
        return STR_NULL;
    }
    return key;
}

const struct row *resolve_target(struct eval *ev, struct str key)
{
    const struct interest_row *interest =
        (const struct interest_row *)eval_get(ev, T_INTEREST, key);
    const struct settings_row *settings =
        (const struct settings_row *)eval_get(ev, T_SETTINGS, STR(""));
    if (interest == NULL || settings == NULL) {
        return NULL;
    }
    struct listener_name name = listener_name_read(eval_scratch(ev), interest->name, settings);
    if (name.use == LISTENER_SERVED) {
        return NULL; /* server.c */
    }
    struct str reason = name.reason;
    struct str port = STR_NULL;
    if (name.use == LISTENER_DIALLED) {
        port = find_port(ev, name.host_port, settings->cluster_domain, &reason);
    }
    struct ir_target *row = row_new(sizeof(*row), 256);
    struct arena *arena = &row->row.arena;
    row->scope = arena_str(arena, interest->scope);
    row->name = arena_str(arena, interest->name);
    row->port = arena_str(arena, port);
    row->reason = arena_str(arena, reason);
    return &row->row;
}
