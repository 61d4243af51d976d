/* SPDX-License-Identifier: Apache-2.0 */
/* drain: see drain.h. */
#include "pipeline/drain.h"

#include "ir/graph.h"
#include "ir/ir.h"
#include "model/service.h"
#include "resolve/key.h"

void drain_init(struct drain *drain, const struct drain_pod *pod)
{
    *drain = (struct drain){.services = {NULL, 0, 0}};
    arena_init_sized(&drain->arena, 256);
    drain->pod =
        (struct drain_pod){arena_str(&drain->arena, pod->ns), arena_str(&drain->arena, pod->name),
                           arena_str(&drain->arena, pod->address)};
}

void drain_release(struct drain *drain)
{
    vec_release(&drain->services);
    vec_release(&drain->ports);
    arena_release(&drain->arena);
}

static bool add(struct drain *drain, const struct str *items, size_t len, struct str text,
                struct str *ret_copy)
{
    for (size_t i = 0; i < len; i++) {
        if (str_eq(items[i], text)) {
            return false;
        }
    }
    *ret_copy = arena_str(&drain->arena, text);
    return true;
}

/* The pod's name counts; an address only where no name is said: another pod may have had it. */
static bool is_pod(const struct drain_pod *pod, const struct endpoint *endpoint)
{
    if (endpoint->target != NULL && endpoint->target->name.len > 0 && pod->name.len > 0) {
        return str_eq(endpoint->target->name, pod->name);
    }
    for (size_t i = 0; i < endpoint->addresses.len; i++) {
        if (pod->address.len > 0 && str_eq(endpoint->addresses.items[i], pod->address)) {
            return true;
        }
    }
    return false;
}

bool drain_show(struct drain *drain, const struct row *row)
{
    const struct endpoint_slice *slice = (const struct endpoint_slice *)row;
    if (slice->service.len == 0 || !str_eq(slice->object.meta.ns, drain->pod.ns)) {
        return false;
    }
    for (size_t i = 0; i < slice->endpoints.len; i++) {
        if (is_pod(&drain->pod, &slice->endpoints.items[i])) {
            struct arena scratch;
            struct str copy;
            arena_init_sized(&scratch, 256);
            struct str service = arena_printf(&scratch, "%.*s/%.*s", STR_FMT(drain->pod.ns),
                                              STR_FMT(slice->service));
            if (add(drain, drain->services.items, drain->services.len, service, &copy)) {
                vec_push(&drain->services, copy);
            }
            arena_release(&scratch);
            break;
        }
    }
    return true;
}

static void show(void *user, struct str key, const struct row *row)
{
    (void)key;
    (void)drain_show(user, row);
}

void drain_find(struct drain *drain, const struct engine *engine)
{
    engine_each_unordered(engine, T_SLICE, show, drain);
}

static bool takes_requests(const struct engine *engine, struct str key, struct str address)
{
    const struct ir_endpoints *row =
        (const struct ir_endpoints *)engine_get(engine, T_ENDPOINTS, key);
    for (size_t i = 0; row != NULL && i < row->localities.len; i++) {
        const struct ir_locality *locality = &row->localities.items[i];
        for (size_t j = 0; j < locality->endpoints.len; j++) {
            const struct ir_endpoint *endpoint = &locality->endpoints.items[j];
            if (!endpoint->draining &&
                (str_eq(endpoint->address, address) || str_eq(endpoint->other, address))) {
                return true;
            }
        }
    }
    return false;
}

/* For everybody, or for clients of some place. */
static bool takes_somewhere(const struct engine *engine, struct str port, struct str address)
{
    const struct ir_places *places = (const struct ir_places *)engine_get(engine, T_PLACES, port);
    bool takes = takes_requests(engine, port, address);
    for (size_t i = 0; !takes && places != NULL && i < places->keys.len; i++) {
        takes = takes_requests(engine, places->keys.items[i], address);
    }
    return takes;
}

static enum drain_state look_at_port(const struct engine *engine, struct str port,
                                     const struct endpoint *endpoint)
{
    bool ends = endpoint->terminating || !endpoint->ready;
    for (size_t i = 0; i < endpoint->addresses.len; i++) {
        if (takes_somewhere(engine, port, endpoint->addresses.items[i])) {
            return ends ? DRAIN_LAST : DRAIN_LISTED;
        }
    }
    return DRAIN_OUT;
}

static enum drain_state look_at_service(struct drain *drain, const struct engine *engine,
                                        struct str key)
{
    const struct service *service = (const struct service *)engine_get(engine, T_SERVICE, key);
    struct row_span slices = engine_group(engine, X_SLICES_OF_SERVICE, key);
    enum drain_state worst = DRAIN_OUT;
    struct arena scratch;
    arena_init_sized(&scratch, 512);
    for (size_t p = 0; service != NULL && p < service->ports.len; p++) {
        struct str copy;
        struct str port =
            port_key_make(&scratch, service->object.meta.ns, service->object.meta.name,
                          service->ports.items[p].port, STR_NULL);
        if (add(drain, drain->ports.items, drain->ports.len, port, &copy)) {
            vec_push(&drain->ports, copy);
        }
        for (size_t i = 0; i < slices.len; i++) {
            const struct endpoint_slice *slice = (const struct endpoint_slice *)slices.rows[i];
            for (size_t j = 0; j < slice->endpoints.len; j++) {
                const struct endpoint *endpoint = &slice->endpoints.items[j];
                enum drain_state state = is_pod(&drain->pod, endpoint)
                                             ? look_at_port(engine, port, endpoint)
                                             : DRAIN_OUT;
                worst = state > worst ? state : worst;
            }
        }
    }
    arena_release(&scratch);
    return worst;
}

enum drain_state drain_look(struct drain *drain, const struct engine *engine)
{
    enum drain_state worst = DRAIN_OUT;
    for (size_t i = 0; i < drain->services.len; i++) {
        enum drain_state state = look_at_service(drain, engine, drain->services.items[i]);
        worst = state > worst ? state : worst;
    }
    return worst;
}
