/* SPDX-License-Identifier: Apache-2.0 */
/* meant: the nearest name, another namespace, another number. */
#include "pipeline/meant.h"

#include "ir/graph.h"

#define SLIP_MAX 3 /* edits between what is written and what is proposed */
#define CANDIDATES_MAX 1000
#define PORTS_TOLD_MAX 8

/* How many edits a name may be away and still be a slip. */
static unsigned slip_of(struct str name)
{
    size_t third = (name.len + 2) / 3;
    return third < SLIP_MAX ? (unsigned)third : SLIP_MAX;
}

/* --- Services ------------------------------------------------------------------------------- */

struct search {
    struct str name;
    struct str ns; /* of a Service of that name in another namespace */
    size_t found;
};

static void visit_service(void *user, struct str key, const struct row *row)
{
    struct search *search = user;
    const struct meta *meta = &((const struct object *)row)->meta;
    (void)key;
    if (str_eq(meta->name, search->name)) {
        search->found++;
        search->ns = meta->ns;
    }
}

struct str meant_service(const struct engine *engine, struct str ns, struct str name,
                         struct arena *arena)
{
    struct row_span here = engine_group(engine, X_SERVICES_IN_NS, ns);
    struct str best = STR_NULL;
    unsigned distance = slip_of(name) + 1;
    for (size_t i = 0; i < here.len && i < CANDIDATES_MAX; i++) {
        struct str candidate = ((const struct object *)here.rows[i])->meta.name;
        unsigned edits = str_distance(name, candidate, SLIP_MAX);
        if (edits < distance && edits < name.len) {
            distance = edits;
            best = candidate;
        }
    }
    if (best.len > 0) {
        return arena_printf(arena, "did you mean '%.*s'?", STR_FMT(best));
    }
    struct search search = {.name = name};
    engine_each_unordered(engine, T_SERVICE, visit_service, &search); /* it must be the only one */
    return search.found != 1
               ? STR_NULL
               : arena_printf(arena, "Service '%.*s' is in namespace '%.*s': name that, too",
                              STR_FMT(name), STR_FMT(search.ns));
}

/* --- other kinds ---------------------------------------------------------------------------- */

struct object_search {
    struct str ns, name;
    struct str best; /* the nearest name of the namespace */
    unsigned distance;
    const struct object *other; /* of that name in another namespace */
    size_t others;
};

static void visit_object(void *user, struct str key, const struct row *row)
{
    struct object_search *search = user;
    const struct object *object = (const struct object *)row;
    (void)key;
    if (!str_eq(object->meta.ns, search->ns)) {
        bool same = str_eq(object->meta.name, search->name);
        search->other = same ? object : search->other;
        search->others += same ? 1 : 0;
        return;
    }
    unsigned edits = str_distance(search->name, object->meta.name, SLIP_MAX);
    if (edits < search->distance && edits < search->name.len) {
        search->distance = edits;
        search->best = object->meta.name;
    }
}

struct str meant_object(const struct engine *engine, unsigned table, struct str ns, struct str name,
                        struct arena *arena)
{
    struct object_search search = {.ns = ns, .name = name, .distance = slip_of(name) + 1};
    engine_each(engine, table, visit_object, &search);
    if (search.best.len > 0) {
        return arena_printf(arena, "did you mean '%.*s'?", STR_FMT(search.best));
    }
    return search.others != 1
               ? STR_NULL
               : arena_printf(arena, "%s '%.*s' is in namespace '%.*s': name that, too",
                              kind_info(search.other->kind)->kind, STR_FMT(name),
                              STR_FMT(search.other->meta.ns));
}

/* --- ports ---------------------------------------------------------------------------------- */

static bool is_target(const struct service_port *port, int32_t number)
{
    return number != 0 && port->has_target_port && port->target_port.is_int &&
           port->target_port.number == number && port->port != number;
}

static struct str list_ports(const struct service *service, struct arena *arena)
{
    struct str all = STR_NULL;
    for (size_t i = 0; i < service->ports.len && i < PORTS_TOLD_MAX; i++) {
        const struct service_port *port = &service->ports.items[i];
        all = arena_printf(arena, "%.*s%s%d", STR_FMT(all), i > 0 ? ", " : "its ports are ",
                           (int)port->port);
        if (port->name.len > 0) {
            all = arena_printf(arena, "%.*s '%.*s'", STR_FMT(all), STR_FMT(port->name));
        }
        if (port->protocol != PROTOCOL_TCP) {
            all = arena_printf(arena, "%.*s (not TCP)", STR_FMT(all));
        }
    }
    return service->ports.len > PORTS_TOLD_MAX ? arena_printf(arena, "%.*s, …", STR_FMT(all)) : all;
}

struct str meant_port(const struct service *service, int32_t number, struct str name,
                      struct arena *arena)
{
    struct str best = STR_NULL;
    unsigned distance = slip_of(name) + 1;
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct service_port *port = &service->ports.items[i];
        if (name.len == 0 && is_target(port, number)) {
            return arena_printf(arena, "%d is the targetPort; write the port, %d", (int)number,
                                (int)port->port);
        }
        unsigned edits = str_distance(name, port->name, SLIP_MAX);
        if (name.len > 0 && port->name.len > 0 && edits < distance) {
            distance = edits;
            best = port->name;
        }
    }
    return best.len > 0 ? arena_printf(arena, "did you mean '%.*s'?", STR_FMT(best))
                        : list_ports(service, arena);
}

/* --- kinds ---------------------------------------------------------------------------------- */

struct str meant_kind(struct str group, struct str kind, struct arena *arena)
{
    struct str service = STR("Service");
    bool right = str_eq(kind, service);
    if (right && group.len > 0) {
        return STR("write group: \"\", the group of Services");
    }
    if (right || str_distance(kind, service, SLIP_MAX) > slip_of(kind)) {
        return STR_NULL;
    }
    return group.len > 0 ? STR("did you mean kind 'Service' of group \"\"?")
                         : arena_printf(arena, "did you mean kind '%.*s'?", STR_FMT(service));
}

/* --- backends ------------------------------------------------------------------------------- */

/* Then it is something else that is wrong with it. */
static bool has_port(const struct service *service, int32_t number)
{
    bool any = false;
    for (size_t i = 0; i < service->ports.len; i++) {
        const struct service_port *port = &service->ports.items[i];
        any = any || (port->port == number && port->protocol == PROTOCOL_TCP);
    }
    return any;
}

struct str meant_backend(const struct engine *engine, const struct route *route,
                         const struct object_ref *ref, struct arena *arena)
{
    struct str ns = ref->ns.len > 0 ? ref->ns : route->object.meta.ns;
    if (ref->group.len > 0 || !str_eq(ref->kind, STR("Service"))) {
        return meant_kind(ref->group, ref->kind, arena);
    }
    const struct service *service = (const struct service *)engine_get(
        engine, T_SERVICE, arena_printf(arena, "%.*s/%.*s", STR_FMT(ns), STR_FMT(ref->name)));
    if (service == NULL) {
        return meant_service(engine, ns, ref->name, arena);
    }
    return service->type == SERVICE_EXTERNAL_NAME || has_port(service, ref->port)
               ? STR_NULL
               : meant_port(service, ref->port, STR_NULL, arena);
}

struct str meant_grant(const struct route *route, struct arena *arena)
{
    return arena_printf(arena,
                        "add a ReferenceGrant there, from %ss of namespace '%.*s' to Services",
                        kind_info(route->object.kind)->kind, STR_FMT(route->object.meta.ns));
}
